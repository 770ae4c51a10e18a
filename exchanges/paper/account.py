"""One trader's account: balances, trades, the cross position, orders, keys, and histories. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from exchanges import inverse_futures as futures
from exchanges.paper.cross import Position
from exchanges.paper.records import Kept, key_of
from exchanges.paper.refusals import NotFound, Refusal
from exchanges.paper.scopes import ApiKey
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import Credentials, CrossOrder, OrderStatus, TradeStatus

FEE_PERIOD = timedelta(days=30)
LIVE = (TradeStatus.OPEN, TradeStatus.RUNNING)
K = TypeVar("K", bound=Kept)


@dataclass(slots=True)
class Account:
    """One trader. `balance` is what is free, in sats: what live trades hold and the margin of
    the cross position are outside it; `usd` is the synthetic balance, in cents.

    `credentials` and `keys` are by the id of the API key.
    """

    id: str
    username: str
    balance: int
    cross: Position
    usd: int = 0
    live: dict[str, IsolatedTrade] = field(default_factory=dict)
    history: dict[str, IsolatedTrade] = field(default_factory=dict)
    open_orders: dict[str, CrossOrder] = field(default_factory=dict)
    orders: dict[str, CrossOrder] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    credentials: dict[str, Credentials] = field(default_factory=dict)
    _kept: dict[type, dict[str, Kept]] = field(default_factory=dict)

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

    def all(self, kind: type[K]) -> list[K]:
        """Its records of one kind that only grows, newest first."""
        records = self._kept.get(kind, {})
        return [record for record in reversed(records.values()) if isinstance(record, kind)]

    def one(self, kind: type[K], record_id: str) -> K:
        """The record of one kind by its id. Raises `NotFound`."""
        record = self._kept.get(kind, {}).get(record_id)
        if not isinstance(record, kind):
            raise NotFound("id: unknown")
        return record

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
        for order in self.orders.values():
            if order.filled_at is not None and order.filled_at > since:
                volume += order.quantity
        return futures.fee_tier(volume)

    def put(self, trade: IsolatedTrade) -> None:
        """Keep the trade as it is now, among the live or the finished ones."""
        if trade.status in LIVE:
            self.live[trade.id] = trade
        else:
            self.live.pop(trade.id, None)
            self.history[trade.id] = trade

    def keep(self, record: Kept) -> None:
        """Keep the record in place of the one with its id."""
        self._kept.setdefault(type(record), {})[key_of(record)] = record

    def put_order(self, order: CrossOrder) -> None:
        """Keep the order as it is now, among the open or the finished ones."""
        if order.status is OrderStatus.OPEN:
            self.open_orders[order.id] = order
        else:
            self.open_orders.pop(order.id, None)
            self.orders[order.id] = order


@dataclass(frozen=True, slots=True)
class Signer:
    """An API key at work: whose it is, and which."""

    account: Account
    key_id: str

    @property
    def key(self) -> ApiKey:
        """What it may do now."""
        return self.account.keys[self.key_id]

    @property
    def credentials(self) -> Credentials:
        """Its secrets."""
        return self.account.credentials[self.key_id]
