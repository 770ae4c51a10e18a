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
    """A value, the moment at which it was so by our clock, and where it is from.

    `stream`: told by itself, `rest`: asked for, `answer`: entered from the answer to an action.
    """

    value: T
    at: datetime
    source: str


class Side(StrEnum):
    """The direction of an order; a running trade is long after `BUY`, short after `SELL`."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """`MARKET` fills at once at bid or ask, `LIMIT` when the price touches its level.

    `LIQUIDATION` is an order of the exchange's own, met in histories only.
    """

    MARKET = "market"
    LIMIT = "limit"
    LIQUIDATION = "liquidation"


class TradeStatus(StrEnum):
    """Life of an isolated trade: `OPEN` waits for its limit, then `RUNNING`, then over."""

    OPEN = "open"
    RUNNING = "running"
    CLOSED = "closed"
    CANCELED = "canceled"


class OrderStatus(StrEnum):
    """Life of an order: `OPEN` until it is filled or taken back, whole or in part."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"


class Asset(StrEnum):
    """What LN Markets swaps."""

    BTC = "BTC"
    USD = "USD"


class Capability(StrEnum):
    """A part of the port that an adapter may offer, named like the attribute that holds it."""

    ISOLATED = "isolated"
    CROSS = "cross"
    SWAPS = "swaps"
    SPOT = "spot"


class Permission(StrEnum):
    """What an API key may do, in the words of no particular exchange."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"


class CandleRange(StrEnum):
    """How long a candle lasts."""

    M1, M3, M5, M10, M15, M30, M45 = "1m", "3m", "5m", "10m", "15m", "30m", "45m"
    H1, H2, H3, H4 = "1h", "2h", "3h", "4h"
    D1, W1, MONTH1, MONTH3 = "1d", "1w", "1month", "3months"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of one exchange account. Its `repr` shows nothing secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Bid and ask for orders of `min_size` to `max_size` USD; None where nobody quotes."""

    min_size: int
    max_size: int
    ask: Decimal | None
    bid: Decimal | None


@dataclass(frozen=True, slots=True)
class Ticker:
    """The market at `at`; `funding_rate` is a fraction per funding period, longs pay when > 0.

    A spot market has neither index nor funding.
    """

    at: datetime
    last_price: Decimal
    index: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_at: datetime | None = None
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices in USD from `at` on, for the length of its range; `volume` in USD."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class FundingSettlement:
    """A funding of the whole market: the rate, and the price that fixed the sats."""

    id: str
    at: datetime
    rate: Decimal
    fixing_price: Decimal


@dataclass(frozen=True, slots=True)
class FundingFee:
    """What one funding cost, in sats; negative was received. `trade_id` None is cross margin."""

    fee: int
    settlement_id: str
    at: datetime
    trade_id: str | None


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """The account as the exchange sees it; `balance` is what is free, margins are outside it.

    `usd` is the balance in synthetic dollars.
    """

    id: str
    username: str
    balance: int
    fee_tier: int
    usd: Decimal = Decimal(0)


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
    """What an account holds: `balance` free sats, and its running isolated trades.

    `cross`, `usd` (synthetic dollars) and `spot` are None where they were not read: what was not
    read is not empty.
    """

    balance: int
    trades: tuple[Trade, ...]
    cross: "CrossPosition | None" = None
    usd: Decimal | None = None
    spot: "tuple[SpotBalance, ...] | None" = None


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


@dataclass(frozen=True, slots=True)
class CrossOrder:
    """One order on the cross-margin position; `quantity` in USD, `trading_fee` in sats."""

    id: str
    type: OrderType
    side: Side
    status: OrderStatus
    quantity: int
    price: Decimal
    trading_fee: int
    created_at: datetime
    filled_at: datetime | None
    canceled_at: datetime | None
    client_id: str | None


@dataclass(frozen=True, slots=True)
class CrossPosition:
    """The one cross-margin position of an account, there even when flat.

    `quantity` in USD is positive when long, negative when short. `margin` is its collateral;
    all sats. Entry and liquidation price are None when it is flat; a liquidation price of None
    is also that of a position which no price can liquidate.
    """

    id: str
    quantity: int
    margin: int
    leverage: int
    entry_price: Decimal | None
    liquidation_price: Decimal | None
    initial_margin: int
    running_margin: int
    maintenance_margin: int
    total_pl: int
    delta_pl: int
    funding_fees: int
    trading_fees: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewCrossOrder:
    """An order on the cross-margin position; `price` belongs to limit orders, and only to them."""

    side: Side
    type: OrderType
    quantity: int
    price: Decimal | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        if (self.price is not None) != (self.type is OrderType.LIMIT):
            raise ValueError("price: required for a limit order, forbidden for a market order")


@dataclass(frozen=True, slots=True)
class Transfer:
    """Sats moved to (+) or from (−) the collateral of the cross-margin position."""

    id: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class BestPrice:
    """At which bitcoin, or the base asset of a spot market, are bought (`ask`) and sold (`bid`)."""

    ask: Decimal
    bid: Decimal


@dataclass(frozen=True, slots=True)
class NewSwap:
    """What is given, and for what; bitcoin in whole sats, dollars in whole cents."""

    amount: int
    asset: Asset

    @property
    def into(self) -> Asset:
        """The other asset."""
        return Asset.USD if self.asset is Asset.BTC else Asset.BTC


@dataclass(frozen=True, slots=True)
class Swap:
    """A swap that was done; amounts of bitcoin in whole sats, of dollars in whole cents."""

    id: str
    in_amount: int
    in_asset: Asset
    out_amount: int
    out_asset: Asset
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class SpotBalance:
    """One asset of a spot account, in its own unit: what may be spent, and all there is."""

    asset: str
    free: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class SpotOrder:
    """An order on a spot market such as `BTC/USD`.

    `amount` and `filled` are in the base asset, `price` and `average` in the quote asset;
    `average` is what the filled part cost per unit.
    """

    id: str
    symbol: str
    type: OrderType
    side: Side
    status: OrderStatus
    amount: Decimal
    filled: Decimal
    price: Decimal | None
    average: Decimal | None
    created_at: datetime
    client_id: str | None


@dataclass(frozen=True, slots=True)
class NewSpotOrder:
    """An order on a spot market; `price` belongs to limit orders, and only to them."""

    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        if (self.price is not None) != (self.type is OrderType.LIMIT):
            raise ValueError("price: required for a limit order, forbidden for a market order")
