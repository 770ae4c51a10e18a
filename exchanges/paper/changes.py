"""One step of the book: what happened, who made it happen, and what is true after it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from exchanges.paper.records import Record
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import Credentials

R = TypeVar("R", bound=Record)


class Kind(StrEnum):
    """What happened. A stop loss or take profit is set by someone, and hit by the market."""

    ACCOUNT = "account"
    PRICE = "price"
    NEW_TRADE = "new_trade"
    CLOSE = "close"
    CANCEL = "cancel"
    ADD_MARGIN = "add_margin"
    CASH_IN = "cash_in"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    FILLED = "filled"
    LIQUIDATION = "liquidation"
    TRAILED = "trailed"
    FUNDING = "funding"
    SETTLEMENT = "settlement"
    CLOCK = "clock"
    TERMS = "terms"
    CANDLES = "candles"
    CROSS_ORDER = "cross_order"
    CROSS_CANCEL = "cross_cancel"
    CROSS_CLOSE = "cross_close"
    CROSS_LEVERAGE = "cross_leverage"
    CROSS_DEPOSIT = "cross_deposit"
    CROSS_WITHDRAWAL = "cross_withdrawal"
    CROSS_FILLED = "cross_filled"
    CROSS_LIQUIDATION = "cross_liquidation"
    SWAP = "swap"
    ADDRESS = "address"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    NOTIFICATION = "notification"
    NOTIFICATIONS_READ = "notifications_read"
    KEY = "key"


class By(StrEnum):
    """Who made it happen: a client, the control API, or a move of the price."""

    API = "api"
    CONTROL = "control"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the book: what was asked, and what is true after it.

    `price` is the last price after the step. `trade`, `balance` (sats), `usd` (cents) and
    `records` are those of the account the step concerns, as far as it changes them; `signed_at`
    is the time a client signed its request with; `credentials` come with a new API key only.
    """

    at: datetime
    kind: Kind
    by: By
    price: Decimal
    request: Mapping[str, Any] = field(default_factory=dict)
    account_id: str | None = None
    trade: IsolatedTrade | None = None
    balance: int | None = None
    signed_at: datetime | None = None
    credentials: Credentials | None = None
    usd: int | None = None
    records: tuple[Record, ...] = ()

    def the(self, kind: type[R]) -> R:
        """Its one record of this kind. Raises `ValueError` when there is none, or more."""
        [record] = (record for record in self.records if isinstance(record, kind))
        return record
