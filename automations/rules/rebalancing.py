"""rebalancing: bring the weights of assets back to what their owner wants.

It acts when an asset's share has drifted by the threshold or more, or when a date of the calendar
has come. What is over its weight is sold first, what is under it is bought after that. The value
of everything is reckoned at the bid, in the quote currency.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationInfo, field_validator

from automations.rules.actions import Action, OrderSpot, SwapAsset
from automations.rules.base import Decision, Reason, RuleConfig
from automations.rules.buying import CENTS, MIN_SWAP_SATS, SPOT_STEP, SWAPPED
from automations.rules.calendars import Calendar, Dates
from automations.rules.unfinished import unfinished
from automations.snapshots import Snapshot
from exchanges.inverse_futures import SATS_PER_BTC
from exchanges.types import Asset, Capability, Side

HUNDRED = Decimal(100)
AFTER_FEES = Decimal("0.995")
"""What part of the money there is goes into orders: the rest is for fees and a moving price."""

AssetName = Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]{2,10}$")]
Weights = dict[AssetName, Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]]
Drifts = dict[str, Decimal]
"""By asset: percentage points over its weight, or, below 0, under it."""


class RebalancingConfig(RuleConfig):
    """What share every asset is to have, and when that is seen to."""

    type: Literal["swap", "spot"] = "swap"
    """`swap`: bitcoin and synthetic dollars of LN Markets; `spot`: orders on a spot exchange."""
    quote: AssetName = "USD"
    """What everything is reckoned in and traded against."""
    weights: Weights = Field(min_length=2, max_length=20)
    """Target weights by asset, in %; free balances count, and assets not named are left alone."""
    drift: Decimal = Field(default=Decimal(5), ge=Decimal("0.1"), le=50, decimal_places=2)
    """By how many percentage points an asset is off its weight before anything is traded."""
    calendar: Calendar | None = None
    """Dates at which everything is brought to its weight whatever the drift."""
    min_trade: Decimal = Field(default=Decimal(10), gt=0, le=1_000_000, decimal_places=2)
    """The smallest trade, in `quote`."""
    require_confirmation: StrictBool = False
    """Whether a person is asked before anything is traded."""

    @field_validator("quote")
    @classmethod
    def _is_swapped(cls, quote: str, info: ValidationInfo) -> str:
        if info.data.get("type") == "swap" and quote != "USD":
            raise ValueError("must be USD: LN Markets swaps nothing else for bitcoin")
        return quote

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

    def next_date(self, now: datetime) -> datetime | None:
        """The next date of the calendar, if there is one."""
        return self.calendar.next_after(now) if self.calendar else None

    def symbols(self) -> tuple[str, ...]:
        """A market against the quote currency for each asset."""
        return tuple(f"{asset}/{self.quote}" for asset in self.weights if asset != self.quote)


def decide(snapshot: Snapshot, config: RebalancingConfig, memory: Dates) -> Decision:
    """Sales and purchases that bring every asset to its weight, when it is time."""
    dates, count = memory.begun(snapshot.now), snapshot.lifetime.count
    values = {asset: _value(asset, snapshot, config) for asset in config.weights}
    total = sum(values.values(), Decimal(0))
    if total < config.min_trade:
        text = f"There are {total:,.2f} {config.quote} in all, less than the smallest trade"
        nothing = Reason("nothing_held", f"{text} of {config.min_trade:,}.")
        return Decision((), nothing, memory=dates)
    excess = {name: values[name] - config.weights[name] * total / HUNDRED for name in values}
    drifts = {name: worth / total * HUNDRED for name, worth in excess.items()}
    due = dates.due(config.calendar, now=snapshot.now, count=count)
    occasion = _occasion(drifts, config, due)
    if occasion is None:
        return Decision((), _resting(drifts, snapshot, config), memory=dates)
    if obstacle := _obstacle(snapshot, config):
        text = f"{occasion.text} But {obstacle.text}"
        waiting = Reason(obstacle.code, text, obstacle.severity)
        return Decision((), waiting, memory=dates, waits=True)
    actions = tuple(_trades(excess, snapshot, config))
    if not actions:
        text = f"{occasion.text} But no trade is worth the smallest, {config.min_trade:,}."
        seen = dates.done(due) if due else dates
        return Decision((), Reason("too_small", text), memory=seen)
    tried = dates.tried(due, count=count) if due else dates
    return Decision(actions, occasion, memory=tried, asks=config.require_confirmation)


def _value(asset: str, snapshot: Snapshot, config: RebalancingConfig) -> Decimal:
    """What is free of an asset, in the quote currency."""
    if asset == config.quote:
        return _money(snapshot, config)
    held = snapshot.balance / SATS_PER_BTC if config.type == "swap" else snapshot.free(asset)
    return held * snapshot.quote(f"{asset}/{config.quote}").bid


def _money(snapshot: Snapshot, config: RebalancingConfig) -> Decimal:
    """What is free of the quote currency."""
    return snapshot.usd if config.type == "swap" else snapshot.free(config.quote)


def _occasion(drifts: Drifts, config: RebalancingConfig, due: datetime | None) -> Reason | None:
    """Why it is time to trade, if it is."""
    asset, drift = _widest(drifts)
    drifted = f"{asset} is {drift:+.2f} points off its weight"
    if abs(drift) >= config.drift:
        return Reason("drift_reached", f"{drifted}, the threshold is {config.drift}.")
    if due is None:
        return None
    return Reason("date_due", f"The date of {due:%Y-%m-%d %H:%M} UTC is due; {drifted}.")


def _resting(drifts: Drifts, snapshot: Snapshot, config: RebalancingConfig) -> Reason:
    asset, drift = _widest(drifts)
    coming = config.next_date(snapshot.now)
    then = f" The next date is {coming:%Y-%m-%d %H:%M} UTC." if coming else ""
    text = f"{asset} is {drift:+.2f} points off its weight, the threshold is {config.drift}.{then}"
    return Reason("within_threshold", text)


def _widest(drifts: Drifts) -> tuple[str, Decimal]:
    return max(drifts.items(), key=lambda item: (abs(item[1]), item[0]))


def _obstacle(snapshot: Snapshot, config: RebalancingConfig) -> Reason | None:
    if config.type == "swap":
        return unfinished(snapshot, "swap")
    return unfinished(snapshot, *(f"spot:{symbol}" for symbol in config.symbols()))


def _trades(
    excess: dict[str, Decimal], snapshot: Snapshot, config: RebalancingConfig
) -> Iterator[Action]:
    """What is over its weight goes first, so that there is something to buy with."""
    if config.type == "swap":
        yield from _swap(excess["BTC"], snapshot, config)
        return
    worths = {asset: worth for asset, worth in excess.items() if asset != config.quote}
    money = _money(snapshot, config) if config.quote in excess else Decimal(0)
    for asset, worth in sorted(worths.items(), key=_first_sales):
        if worth >= config.min_trade:
            sale = _order(asset, Side.SELL, worth, snapshot, config)
            money += sale.cost
            yield sale
        elif (affordable := min(-worth, money) * AFTER_FEES) >= config.min_trade:
            purchase = _order(asset, Side.BUY, affordable, snapshot, config)
            money -= purchase.cost
            yield purchase


def _first_sales(item: tuple[str, Decimal]) -> tuple[bool, Decimal, str]:
    asset, worth = item
    return worth < 0, -abs(worth), asset


def _swap(excess: Decimal, snapshot: Snapshot, config: RebalancingConfig) -> Iterator[SwapAsset]:
    """Give of bitcoin what it is worth too much, in dollars, or of dollars what they are."""
    sats = int(abs(excess) / snapshot.quote(SWAPPED).bid * SATS_PER_BTC)
    if sats < MIN_SWAP_SATS or abs(excess) < config.min_trade:
        return
    if excess > 0:
        yield SwapAsset(Asset.BTC, sats)
    else:
        yield SwapAsset(Asset.USD, int((-excess / CENTS).to_integral_value(ROUND_DOWN)))


def _order(
    asset: str, side: Side, worth: Decimal, snapshot: Snapshot, config: RebalancingConfig
) -> OrderSpot:
    symbol = f"{asset}/{config.quote}"
    price = snapshot.quote(symbol).bid if side is Side.SELL else snapshot.quote(symbol).ask
    amount = (worth / price).quantize(SPOT_STEP, ROUND_DOWN)
    return OrderSpot(symbol, side, amount, (amount * price).quantize(SPOT_STEP))
