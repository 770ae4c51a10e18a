"""What every exchange is understood to say: frozen values, checked before they get here.

Prices are `Decimal` US dollars per bitcoin. Margins, fees, balances and P&L are integer
satoshis. Quantities of inverse futures are integer US dollars. Times are aware, in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Aged(Generic[T]):
    """A value, the moment it was read and where from (`rest`: asked, `answer`: of an action)."""

    value: T
    at: datetime
    source: str


class Side(StrEnum):
    """The direction of an order; a running trade is long after `BUY`, short after `SELL`."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """`MARKET` fills at once at bid or ask, `LIMIT` when the price touches its level."""

    MARKET = "market"
    LIMIT = "limit"


class TradeStatus(StrEnum):
    """Life of an isolated trade: `OPEN` waits for its limit, then `RUNNING`, then over."""

    OPEN = "open"
    RUNNING = "running"
    CLOSED = "closed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of one exchange account. Its `repr` shows nothing secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ticker:
    """The market at `at`; `funding_rate` is a fraction per funding period, longs pay when > 0."""

    at: datetime
    last_price: Decimal
    index: Decimal
    funding_rate: Decimal
    funding_at: datetime


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """The account as the exchange sees it; `balance` is what is free, margins are outside it."""

    id: str
    username: str
    balance: int
    fee_tier: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One isolated-margin trade.

    `price` is the basis of the P&L (it moves when profit is cashed in), `entry_price` the fill.
    `margin` can grow and shrink, and `leverage` and `liquidation_price` with it. An unset stop
    loss or take profit is None. `pl` is as marked by the exchange when it answered.
    """

    id: str
    type: OrderType
    side: Side
    status: TradeStatus
    quantity: int
    margin: int
    leverage: Decimal
    price: Decimal
    entry_price: Decimal | None
    liquidation_price: Decimal
    maintenance_margin: int
    opening_fee: int
    closing_fee: int
    pl: int
    sum_funding_fees: int
    sum_cash_in_pl: int
    sum_cash_in_margin: int
    stop_loss: Decimal | None
    take_profit: Decimal | None
    exit_price: Decimal | None
    created_at: datetime
    filled_at: datetime | None
    closed_at: datetime | None
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account holds: `balance` free sats, and its running isolated trades."""

    balance: int
    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True)
class NewTrade:
    """An order for an isolated trade: exactly one of `margin` (sats) and `quantity` (USD).

    `price` belongs to limit orders, and only to them. `client_id` (at most 64 characters) is a
    label the exchange echoes, not an idempotency key.
    """

    side: Side
    type: OrderType
    leverage: Decimal
    margin: int | None = None
    quantity: int | None = None
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        if (self.margin is None) == (self.quantity is None):
            raise ValueError("margin, quantity: give exactly one of the two")
        if (self.price is not None) != (self.type is OrderType.LIMIT):
            raise ValueError("price: required for a limit order, forbidden for a market order")
