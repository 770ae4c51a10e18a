"""Where bitcoin is bought and sold for dollars: by swap, or by order on a spot market."""

from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictStr

from automations.rules.actions import OrderSpot, SwapAsset
from automations.rules.base import Reason, RuleConfig, Severity
from automations.rules.unfinished import unfinished
from automations.snapshots import Snapshot
from exchanges.inverse_futures import SATS_PER_BTC
from exchanges.types import Asset, Capability, Side

SWAPPED = "BTC/USD"
MIN_SWAP_SATS = 1_000
"""LN Markets swaps nothing smaller."""

CENTS = Decimal("0.01")
SPOT_STEP = Decimal("1e-8")


class Swap(RuleConfig):
    """Synthetic dollars of LN Markets against its bitcoin balance."""

    type: Literal["swap"]

    @property
    def symbol(self) -> str:
        """The market, as it is quoted."""
        return SWAPPED

    @property
    def target(self) -> str:
        """What stands for it in a snapshot's `under_way` and `unsettled`."""
        return "swap"

    def needs(self) -> frozenset[Capability]:
        """Swaps."""
        return frozenset({Capability.SWAPS})

    def smallest(self, ask: Decimal) -> Decimal:
        """The smallest purchase in USD, with bitcoin at `ask`."""
        return (MIN_SWAP_SATS * ask / SATS_PER_BTC).quantize(CENTS) + CENTS

    def money(self, snapshot: Snapshot) -> Decimal:
        """Free dollars."""
        return snapshot.usd

    def buy(self, usd: Decimal, snapshot: Snapshot) -> SwapAsset:
        """Bitcoin for `usd` dollars."""
        return SwapAsset(Asset.USD, int((usd / CENTS).to_integral_value(ROUND_DOWN)))


class Spot(RuleConfig):
    """A market of a spot exchange."""

    type: Literal["spot"]
    symbol: Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]{2,10}/[A-Z0-9]{2,10}$")]
    """Such as `BTC/USD`: what is bought, and what is spent."""
    minimum: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=8)] = Decimal(10)
    """The smallest order of the exchange, in what is spent."""

    @property
    def target(self) -> str:
        """What stands for it in a snapshot's `under_way` and `unsettled`."""
        return f"spot:{self.symbol}"

    def needs(self) -> frozenset[Capability]:
        """Spot orders."""
        return frozenset({Capability.SPOT})

    def smallest(self, ask: Decimal) -> Decimal:
        """The smallest purchase, in the quote asset."""
        return self.minimum

    def money(self, snapshot: Snapshot) -> Decimal:
        """What is free of the quote asset."""
        return snapshot.free(self.symbol.partition("/")[2])

    def buy(self, usd: Decimal, snapshot: Snapshot) -> OrderSpot:
        """Of the base asset, as much as `usd` of the quote asset buys at the ask."""
        amount = (usd / snapshot.quote(self.symbol).ask).quantize(SPOT_STEP, ROUND_DOWN)
        return OrderSpot(self.symbol, Side.BUY, amount, usd)


Market = Annotated[Swap | Spot, Field(discriminator="type")]


def hindrance(snapshot: Snapshot, market: Swap | Spot, amount: Decimal) -> Reason | None:
    """Why nothing can be bought for `amount` now."""
    if reason := unfinished(snapshot, market.target):
        return reason
    smallest = market.smallest(snapshot.quote(market.symbol).ask)
    if amount < smallest:
        text = f"{amount:,} is less than the smallest purchase of {smallest:,}."
        return Reason("amount_too_small", text, Severity.CRITICAL)
    free = market.money(snapshot)
    if amount > free:
        text = f"{free:,} are free and {amount:,} are needed."
        return Reason("balance_too_small", text, Severity.CRITICAL)
    return None
