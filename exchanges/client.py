"""The port: what an exchange adapter offers to the rest of the platform.

What every exchange has stands in `ExchangeClient` itself; what only some have in parts of it:

    client.isolated    IsolatedMargin    trades with a margin of their own
    client.cross       CrossMargin       one position, one collateral
    client.swaps       Swaps             bitcoin to synthetic dollars and back
    client.spot        Spot              balances and orders on spot markets

An adapter says in `capabilities` which it has; asking for another raises `NotSupported`, before
anything is sent. What lies in the past comes newest first, but candles oldest first.

Reads may be repeated freely and raise `TransientError` or `PermanentError`. Calls that act take
the `Signature` their intent has recorded; they are tried exactly once, and besides the errors of
a read they raise `NotSent` (no byte left this machine) and `UnknownOutcome` (it was sent, and no
definite answer came).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from exchanges.types import (
    AccountInfo,
    BestPrice,
    Candle,
    CandleRange,
    Capability,
    CrossOrder,
    CrossPosition,
    FundingFee,
    FundingSettlement,
    NewCrossOrder,
    NewSpotOrder,
    NewSwap,
    NewTrade,
    Permission,
    SpotBalance,
    SpotOrder,
    Swap,
    Ticker,
    Trade,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """When an acting request is signed, and until when its first byte may leave.

    Both come from the committed intent: a process that froze and woke up signs nothing anew.
    """

    signed_at: datetime
    deadline: datetime


class ExchangeClient(Protocol):
    """One account at one exchange; without credentials only the public reads answer."""

    capabilities: frozenset[Capability]

    request_window: timedelta | None
    """How long the exchange accepts a signed request; None when it has no such limit."""

    @property
    def isolated(self) -> "IsolatedMargin": ...
    @property
    def cross(self) -> "CrossMargin": ...
    @property
    def swaps(self) -> "Swaps": ...
    @property
    def spot(self) -> "Spot": ...

    def refuses_stale_signature(self) -> bool:
        """Whether a harmless read, signed just longer ago than `request_window`, is refused."""
        ...

    def permissions(self) -> frozenset[Permission] | None:
        """What the key may do; None when the exchange does not say."""
        ...

    def ping(self) -> None: ...
    def time(self) -> datetime: ...
    def ticker(self) -> Ticker: ...
    def account(self) -> AccountInfo: ...

    def candles(
        self, length: CandleRange, *, since: datetime, until: datetime
    ) -> Sequence[Candle]: ...
    def funding_settlements(self, *, since: datetime) -> Sequence[FundingSettlement]: ...


class IsolatedMargin(Protocol):
    """Trades that each have a margin of their own."""

    def open_trades(self) -> Sequence[Trade]: ...
    def running_trades(self) -> Sequence[Trade]: ...
    def closed_trades(self, *, since: datetime) -> Sequence[Trade]: ...
    def canceled_trades(self, *, since: datetime) -> Sequence[Trade]: ...
    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]: ...

    def new_trade(self, order: NewTrade, *, signature: Signature) -> Trade: ...
    def close_trade(self, trade_id: str, *, signature: Signature) -> Trade: ...
    def cancel_trade(self, trade_id: str, *, signature: Signature) -> Trade: ...
    def cancel_all_trades(self, *, signature: Signature) -> Sequence[Trade]: ...
    def add_margin(self, trade_id: str, *, amount: int, signature: Signature) -> Trade: ...
    def cash_in(self, trade_id: str, *, amount: int, signature: Signature) -> Trade: ...

    def set_stop_loss(self, trade_id: str, *, price: Decimal | None, signature: Signature) -> Trade:
        """Set the stop loss, or with None remove it."""
        ...

    def set_trailing_stop(self, trade_id: str, *, distance: Decimal, signature: Signature) -> Trade:
        """Let the stop loss follow the price at `distance`, a fraction of it."""
        ...

    def set_take_profit(
        self, trade_id: str, *, price: Decimal | None, signature: Signature
    ) -> Trade:
        """Set the take profit, or with None remove it."""
        ...


class CrossMargin(Protocol):
    """One position per account, whose collateral is deposited for it."""

    def position(self) -> CrossPosition: ...
    def open_orders(self) -> Sequence[CrossOrder]: ...
    def filled_orders(self, *, since: datetime) -> Sequence[CrossOrder]: ...
    def transfers(self, *, since: datetime) -> Sequence[Transfer]: ...
    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]: ...

    def new_order(self, order: NewCrossOrder, *, signature: Signature) -> CrossOrder: ...
    def cancel_order(self, order_id: str, *, signature: Signature) -> CrossOrder: ...
    def cancel_all_orders(self, *, signature: Signature) -> Sequence[CrossOrder]: ...
    def close_position(self, *, signature: Signature) -> CrossOrder: ...
    def set_leverage(self, leverage: int, *, signature: Signature) -> CrossPosition: ...
    def deposit(self, amount: int, *, signature: Signature) -> CrossPosition: ...
    def withdraw(self, amount: int, *, signature: Signature) -> CrossPosition: ...


class Swaps(Protocol):
    """Bitcoin against synthetic dollars, at the price of the moment."""

    def best_price(self) -> BestPrice: ...
    def history(self, *, since: datetime) -> Sequence[Swap]: ...
    def swap(self, order: NewSwap, *, signature: Signature) -> Swap: ...


class Spot(Protocol):
    """Balances and orders; `symbol` is a market such as `BTC/USD`."""

    def best_price(self, symbol: str) -> BestPrice: ...
    def balances(self) -> Sequence[SpotBalance]: ...
    def open_orders(self, symbol: str) -> Sequence[SpotOrder]: ...
    def closed_orders(self, symbol: str, *, since: datetime) -> Sequence[SpotOrder]: ...
    def order(self, order_id: str, symbol: str) -> SpotOrder: ...

    def new_order(self, order: NewSpotOrder, *, signature: Signature) -> SpotOrder: ...
    def cancel_order(self, order_id: str, symbol: str, *, signature: Signature) -> SpotOrder: ...
