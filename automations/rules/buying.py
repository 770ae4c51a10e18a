"""Where bitcoin is bought and sold for dollars: by swap, or by order on a spot market."""

from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictStr

from automations.rules.actions import OrderSpot, SwapAsset
from automations.rules.base import RuleConfig
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
        usd = snapshot.holdings.value.usd
        if usd is None:
            raise LookupError("The synthetic dollars were not read.")
        return usd

    def buy(self, usd: Decimal, snapshot: Snapshot) -> SwapAsset:
        """Bitcoin for `usd` dollars."""
        return SwapAsset(Asset.USD, int((usd / CENTS).to_integral_value(ROUND_DOWN)))


class Spot(RuleConfig):
    """A spot market such as `BTC/USD`, whose quote asset is spent."""

    type: Literal["spot"]
    symbol: Annotated[StrictStr, Field(pattern=r"^[A-Z0-9]{2,10}/[A-Z0-9]{2,10}$")]
    minimum: Annotated[Decimal, Field(gt=0)] = Decimal(10)

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
        return balance_of(snapshot, self.symbol.partition("/")[2])

    def buy(self, usd: Decimal, snapshot: Snapshot) -> OrderSpot:
        """Of the base asset, as much as `usd` of the quote asset buys at the ask."""
        amount = (usd / snapshot.quote(self.symbol).ask).quantize(SPOT_STEP, ROUND_DOWN)
        return OrderSpot(self.symbol, Side.BUY, amount, usd)


Market = Annotated[Swap | Spot, Field(discriminator="type")]


def balance_of(snapshot: Snapshot, asset: str) -> Decimal:
    """What is free of an asset of a spot account; 0 when it holds none."""
    balances = snapshot.holdings.value.spot
    if balances is None:
        raise LookupError("The balances were not read.")
    return next((each.free for each in balances if each.asset == asset), Decimal(0))
