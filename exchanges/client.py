"""The port: what an exchange adapter offers to the rest of the platform.

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

from exchanges.types import AccountInfo, NewTrade, Ticker, Trade


@dataclass(frozen=True, slots=True)
class Signature:
    """When an acting request is signed, and until when its first byte may leave.

    Both come from the committed intent: a process that froze and woke up signs nothing anew.
    """

    signed_at: datetime
    deadline: datetime


class ExchangeClient(Protocol):
    """One account at one exchange; without credentials only the public reads answer."""

    request_window: timedelta | None
    """How long the exchange accepts a signed request; None when it has no such limit."""

    def refuses_stale_signature(self) -> bool:
        """Whether a harmless read, signed just longer ago than `request_window`, is refused."""
        ...

    def ping(self) -> None: ...
    def time(self) -> datetime: ...
    def ticker(self) -> Ticker: ...
    def account(self) -> AccountInfo: ...

    def open_trades(self) -> Sequence[Trade]: ...
    def running_trades(self) -> Sequence[Trade]: ...
    def closed_trades(self, *, since: datetime) -> Sequence[Trade]: ...
    def canceled_trades(self, *, since: datetime) -> Sequence[Trade]: ...

    def new_trade(self, order: NewTrade, *, signature: Signature) -> Trade: ...
    def close_trade(self, trade_id: str, *, signature: Signature) -> Trade: ...
    def cancel_trade(self, trade_id: str, *, signature: Signature) -> Trade: ...
    def add_margin(self, trade_id: str, *, amount: int, signature: Signature) -> Trade: ...
    def cash_in(self, trade_id: str, *, amount: int, signature: Signature) -> Trade: ...
    def set_stop_loss(self, trade_id: str, *, price: Decimal, signature: Signature) -> Trade: ...
    def set_take_profit(self, trade_id: str, *, price: Decimal, signature: Signature) -> Trade: ...
