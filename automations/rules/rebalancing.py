"""rebalancing: bring the weights of assets back to what their owner wants.

It acts when an asset's share has drifted by the threshold or more, or when a date of the calendar
has come. What is over its weight is sold first, what is under it is bought after that. The value
of everything is reckoned at the bid, in the quote currency.
"""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationInfo, field_validator

from automations.rules.actions import Action, OrderSpot, SwapAsset
from automations.rules.base import Decision, Reason, RuleConfig, RuleMemory, Severity
from automations.rules.buying import CENTS, MIN_SWAP_SATS, SPOT_STEP, SWAPPED, balance_of
from automations.rules.calendars import Calendar
from automations.snapshots import Snapshot
from exchanges.inverse_futures import SATS_PER_BTC
from exchanges.types import Asset, Capability, Side

HUNDRED = Decimal(100)
Weights = dict[
    Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]{2,10}$")],
    Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)],
]


class RebalancingConfig(RuleConfig):
    """`weights` in % by asset; `drift` in percentage points.

    On LN Markets (`swap`) the assets are BTC, the free balance, and USD, the synthetic dollars; on
    a spot market everything is traded against `quote`, which may have a weight too. Nothing is
    traded for less than `min_trade`, in the quote currency.
    """

    type: Literal["swap", "spot"] = "swap"
    quote: Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]{2,10}$")] = "USD"
    weights: Weights = Field(min_length=2, max_length=20)
    drift: Decimal = Field(default=Decimal(5), ge=Decimal("0.1"), le=50, decimal_places=2)
    calendar: Calendar | None = None
    min_trade: Decimal = Field(default=Decimal(10), gt=0, le=1_000_000, decimal_places=2)
    require_confirmation: StrictBool = False

    @field_validator("weights")
    @classmethod
    def _adds_up(cls, weights: dict[str, Decimal], info: ValidationInfo) -> dict[str, Decimal]:
        total = sum(weights.values())
        if total != HUNDRED:
            raise ValueError(f"must add up to 100, not {total}")
        if info.data.get("type") == "swap" and set(weights) != {"BTC", "USD"}:
            raise ValueError("must be of BTC and USD: LN Markets swaps nothing else")
        return weights

    def needs(self) -> frozenset[Capability]:
        """Swaps or spot orders."""
        return frozenset({Capability.SWAPS if self.type == "swap" else Capability.SPOT})

    def symbols(self) -> tuple[str, ...]:
        """A market against the quote currency for each asset."""
        if self.type == "swap":
            return (SWAPPED,)
        return tuple(f"{asset}/{self.quote}" for asset in self.weights if asset != self.quote)


class Seen(RuleMemory):
    """When it began to look: no earlier date of the calendar is due."""

    begun_at: datetime | None = None


def decide(snapshot: Snapshot, config: RebalancingConfig, memory: Seen) -> Decision:
    """Sales and purchases that bring every asset to its weight, when it is time."""
    begun = memory if memory.begun_at else Seen(begun_at=snapshot.now)
    values = {asset: _value(asset, snapshot, config) for asset in config.weights}
    total = sum(values.values())
    if total < config.min_trade:
        text = f"There are {total:,.2f} {config.quote} in all, too little to trade."
        return Decision((), Reason("nothing_held", text), memory=begun)
    drifts = {
        asset: values[asset] / total * HUNDRED - weight for asset, weight in config.weights.items()
    }
    occasion = _occasion(drifts, snapshot, config, begun)
    if occasion is None:
        return Decision((), _resting(drifts, snapshot, config), memory=begun)
    obstacle = _obstacle(snapshot, config)
    actions = () if obstacle else _trades(drifts, total, snapshot, config)
    if not actions:
        nothing = Reason(
            "too_small", f"{occasion.text} But no trade is worth {config.min_trade:,}."
        )
        return Decision((), obstacle or nothing, memory=begun, waits=obstacle is not None)
    return Decision(actions, occasion, memory=begun, asks=config.require_confirmation)


def _value(asset: str, snapshot: Snapshot, config: RebalancingConfig) -> Decimal:
    """What is free of an asset, in the quote currency."""
    holdings = snapshot.holdings.value
    if config.type == "spot":
        free = balance_of(snapshot, asset)
        return free if asset == config.quote else free * _bid(asset, snapshot, config)
    if asset == "BTC":
        return holdings.balance / SATS_PER_BTC * _bid(asset, snapshot, config)
    if holdings.usd is None:
        raise LookupError("The synthetic dollars were not read.")
    return holdings.usd


def _bid(asset: str, snapshot: Snapshot, config: RebalancingConfig) -> Decimal:
    return snapshot.quote(f"{asset}/{config.quote}").bid


def _occasion(
    drifts: dict[str, Decimal], snapshot: Snapshot, config: RebalancingConfig, memory: Seen
) -> Reason | None:
    """Why it is time to trade, if it is."""
    asset, drift = _widest(drifts)
    drifted = f"{asset} is {drift:+.2f} points off its weight"
    if abs(drift) >= config.drift:
        return Reason("drift_reached", f"{drifted}, the threshold is {config.drift}.")
    due = config.calendar.last_until(snapshot.now) if config.calendar else None
    done = [memory.begun_at, snapshot.lifetime.last_at]
    if due is None or any(moment and due <= moment for moment in done):
        return None
    return Reason("date_due", f"The date of {due:%Y-%m-%d %H:%M} UTC is due; {drifted}.")


def _resting(drifts: dict[str, Decimal], snapshot: Snapshot, config: RebalancingConfig) -> Reason:
    asset, drift = _widest(drifts)
    coming = config.calendar.next_after(snapshot.now) if config.calendar else None
    then = f" The next date is {coming:%Y-%m-%d %H:%M} UTC." if coming else ""
    text = f"{asset} is {drift:+.2f} points off its weight, the threshold is {config.drift}.{then}"
    return Reason("within_threshold", text)


def _widest(drifts: dict[str, Decimal]) -> tuple[str, Decimal]:
    return max(drifts.items(), key=lambda item: (abs(item[1]), item[0]))


def _obstacle(snapshot: Snapshot, config: RebalancingConfig) -> Reason | None:
    targets = {f"spot:{symbol}" for symbol in config.symbols()} | {"swap"}
    if targets & snapshot.under_way:
        return Reason("under_way", "An earlier trade is just being sent.")
    if targets & snapshot.unsettled:
        text = "What became of an earlier trade is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    return None


def _trades(
    drifts: dict[str, Decimal], total: Decimal, snapshot: Snapshot, config: RebalancingConfig
) -> tuple[Action, ...]:
    """What is over its weight goes first, so that there is something to buy with."""
    if config.type == "swap":
        return _swap(drifts["BTC"] * total / HUNDRED, snapshot, config)
    surplus = {a: drift * total / HUNDRED for a, drift in drifts.items() if a != config.quote}
    ordered = sorted(surplus.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        _order(asset, excess, snapshot, config)
        for asset, excess in ordered
        if abs(excess) >= config.min_trade
    )


def _swap(excess: Decimal, snapshot: Snapshot, config: RebalancingConfig) -> tuple[Action, ...]:
    """Give of bitcoin what it is worth too much, in dollars, or of dollars what they are."""
    quote = snapshot.quote(SWAPPED)
    sats = int(abs(excess) / quote.bid * SATS_PER_BTC)
    if sats < MIN_SWAP_SATS or abs(excess) < config.min_trade:
        return ()
    if excess > 0:
        return (SwapAsset(Asset.BTC, sats),)
    return (SwapAsset(Asset.USD, int((-excess / CENTS).to_integral_value(ROUND_DOWN))),)


def _order(asset: str, excess: Decimal, snapshot: Snapshot, config: RebalancingConfig) -> OrderSpot:
    symbol = f"{asset}/{config.quote}"
    quote = snapshot.quote(symbol)
    side, price = (Side.SELL, quote.bid) if excess > 0 else (Side.BUY, quote.ask)
    amount = (abs(excess) / price).quantize(SPOT_STEP, ROUND_DOWN)
    return OrderSpot(symbol, side, amount, (amount * price).quantize(SPOT_STEP))
