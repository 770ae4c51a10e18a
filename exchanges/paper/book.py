"""The book: every account with its balance and trades, and the last price. Pure.

Nothing changes the book but a `Change`. Decisions (`exchanges.paper.decisions`) look at the book
and answer with the changes that follow; `Book.apply` makes them so. The ledger is the list of
all changes, so that applying it from the start gives the same book again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from exchanges import inverse_futures as futures
from exchanges.paper.commands import Page
from exchanges.paper.refusals import NotFound, Refusal
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import Credentials, TradeStatus

FEE_PERIOD = timedelta(days=30)
LIVE = (TradeStatus.OPEN, TradeStatus.RUNNING)


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


class By(StrEnum):
    """Who made it happen: a client, the control API, or a move of the price."""

    API = "api"
    CONTROL = "control"
    MARKET = "market"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the book: what was asked, and what is true after it.

    `price` is the last price after the step. `trade` and `balance` are those of the account the
    step concerns; `signed_at` is the time a client signed its request with; `credentials` come
    with a new account only.
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


@dataclass(slots=True)
class Account:
    """One trader; `balance` is what is free, in sats: what live trades hold is outside it."""

    id: str
    username: str
    credentials: Credentials
    balance: int
    live: dict[str, IsolatedTrade] = field(default_factory=dict)
    history: dict[str, IsolatedTrade] = field(default_factory=dict)

    def trades(self, status: TradeStatus) -> Iterator[IsolatedTrade]:
        """Those of one status: live ones newest first, finished ones last finished first."""
        trades = self.live if status in LIVE else self.history
        return (trade for trade in reversed(trades.values()) if trade.status is status)

    def trade(self, trade_id: str, *statuses: TradeStatus) -> IsolatedTrade:
        """The trade, which must be of one of `statuses`. Raises `Refusal`."""
        trade = self.live.get(trade_id) or self.history.get(trade_id)
        if trade is None:
            raise Refusal("You do not own this trade")
        if trade.status not in statuses:
            raise Refusal(f"Trade is {trade.status}, not {' or '.join(statuses)}")
        return trade

    def page(self, status: TradeStatus, page: Page) -> tuple[list[IsolatedTrade], bool]:
        """Finished trades of one page, last finished first, and whether there are more."""
        trades = list(self.trades(status))
        if page.cursor is not None:
            ids = [trade.id for trade in trades]
            if page.cursor not in ids:
                raise Refusal("cursor: must be the nextCursor of an earlier answer")
            trades = trades[ids.index(page.cursor) + 1 :]
        matching = [trade for trade in trades if trade.closed_at and page.covers(trade.closed_at)]
        return matching[: page.limit], len(matching) > page.limit

    def fee_rate(self, at: datetime) -> Decimal:
        """What it pays at opening and at closing, as a fraction of the notional."""
        return futures.FEE_RATES[self.fee_tier(at)]

    def fee_tier(self, at: datetime) -> int:
        """0 to 3, from the USD filled and closed in the 30 days before `at`."""
        since = at - FEE_PERIOD
        volume = 0
        for trade in (*self.live.values(), *self.history.values()):
            if trade.filled_at is not None:
                fills = (trade.filled_at, trade.closed_at or since)
                volume += trade.quantity * sum(fill > since for fill in fills)
        return futures.fee_tier(volume)

    def put(self, trade: IsolatedTrade) -> None:
        """Keep the trade as it is now, among the live or the finished ones."""
        if trade.status in LIVE:
            self.live[trade.id] = trade
        else:
            self.live.pop(trade.id, None)
            self.history[trade.id] = trade


class Book:
    """All accounts, and the price of the last trade in USD."""

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.accounts: dict[str, Account] = {}
        self._by_key: dict[str, Account] = {}

    def account(self, account_id: str) -> Account:
        """Raises `NotFound`."""
        try:
            return self.accounts[account_id]
        except KeyError:
            raise NotFound("account: unknown") from None

    def account_of(self, key: str) -> Account | None:
        """The account an API key belongs to."""
        return self._by_key.get(key)

    def apply(self, change: Change) -> None:
        """Make the change so. Raises `KeyError` for an account that is not in the book."""
        self.price = change.price
        if change.credentials is not None:
            self._enter(change, change.credentials)
        elif change.account_id is not None:
            account = self.accounts[change.account_id]
            account.balance = change.balance if change.balance is not None else account.balance
            if change.trade is not None:
                account.put(change.trade)

    def _enter(self, change: Change, credentials: Credentials) -> None:
        account = Account(
            id=change.account_id or "",
            username=change.request["username"],
            credentials=credentials,
            balance=change.balance or 0,
        )
        self.accounts[account.id] = account
        self._by_key[credentials.key] = account
