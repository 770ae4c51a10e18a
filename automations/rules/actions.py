"""What a rule can want: the closed union of actions, each a frozen value.

To add one, add it to `Action`; the type checker then names every place that has to handle it:
`automations.perform` (how it is sent), `traces` and `evidence` (how it is found again).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from exchanges.types import Asset, OrderType, Side


@dataclass(frozen=True, slots=True)
class AddMargin:
    """Move `amount` sats from the free balance to the margin of a running trade."""

    trade_id: str
    amount: int
    kind: Literal["add_margin"] = "add_margin"


@dataclass(frozen=True, slots=True)
class CashIn:
    """Move `amount` sats from a running trade, its profit first, back to the free balance."""

    trade_id: str
    amount: int
    kind: Literal["cash_in"] = "cash_in"


@dataclass(frozen=True, slots=True)
class CloseTrade:
    """Close the whole of a running trade at the market."""

    trade_id: str
    kind: Literal["close_position"] = "close_position"


@dataclass(frozen=True, slots=True)
class ReopenTrade:
    """Open at the market what shall be left of a trade that the action before it closes.

    Done only when that close is confirmed to be ours, within the time for a claim, and while the
    market is not worse than `worst_price` (USD); otherwise the position stays closed, and a
    person is told. `quantity` in USD.
    """

    trade_id: str
    side: Side
    quantity: int
    leverage: Decimal
    worst_price: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    kind: Literal["reopen_position"] = "reopen_position"


@dataclass(frozen=True, slots=True)
class SetStopLoss:
    """Set the stop loss of a running trade to `price`, in USD."""

    trade_id: str
    price: Decimal
    kind: Literal["update_sl"] = "update_sl"


@dataclass(frozen=True, slots=True)
class SetTakeProfit:
    """Set the take profit of a running trade to `price`, in USD."""

    trade_id: str
    price: Decimal
    kind: Literal["update_tp"] = "update_tp"


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """Open an isolated trade of `quantity` USD; `price` belongs to limit orders only."""

    side: Side
    type: OrderType
    quantity: int
    leverage: Decimal
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    kind: Literal["open_position"] = "open_position"


@dataclass(frozen=True, slots=True)
class OrderCross:
    """A market order of `quantity` USD on the cross-margin position.

    One that `reduces` goes against the position and is not larger than it.
    """

    side: Side
    quantity: int
    reduces: bool
    kind: Literal["cross_order"] = "cross_order"


@dataclass(frozen=True, slots=True)
class DepositCross:
    """Move `amount` sats from the free balance to the collateral of the cross position."""

    amount: int
    kind: Literal["cross_deposit"] = "cross_deposit"


@dataclass(frozen=True, slots=True)
class SwapAsset:
    """Give `amount` of `asset` for the other one: sats of bitcoin, or cents of dollars."""

    asset: Asset
    amount: int
    kind: Literal["swap"] = "swap"


@dataclass(frozen=True, slots=True)
class OrderSpot:
    """A market order of `amount` of the base asset of `symbol`; `cost` is about what it takes
    of (buy) or gives in (sell) the quote asset."""

    symbol: str
    side: Side
    amount: Decimal
    cost: Decimal
    kind: Literal["spot_order"] = "spot_order"


Action = (
    AddMargin
    | CashIn
    | CloseTrade
    | ReopenTrade
    | SetStopLoss
    | SetTakeProfit
    | OpenTrade
    | OrderCross
    | DepositCross
    | SwapAsset
    | OrderSpot
)
