"""Where an action leaves its traces at the exchange, and reading them there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

from automations.perform import Answer
from automations.rules.actions import (
    Action,
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    OrderSpot,
    ReopenTrade,
    SetStopLoss,
    SetTakeProfit,
    SwapAsset,
)
from exchanges.client import ExchangeClient
from exchanges.types import CrossOrder, SpotOrder, Trade

CLOCKS_DIFFER_BY = timedelta(seconds=30)
"""How far before its signing, by the exchange's clock, an effect may be dated."""

Order = TypeVar("Order", Trade, CrossOrder, SpotOrder)


def traces_of(
    client: ExchangeClient,
    action: Action,
    *,
    seen: Trade | None,
    client_id: str,
    signed_at: datetime,
) -> tuple[Answer, ...]:
    """Everything at the exchange that may be the work of `action`. Raises `ExchangeError`."""
    since = signed_at - CLOCKS_DIFFER_BY
    match action:
        case AddMargin() | CashIn() | CloseTrade() | SetStopLoss() | SetTakeProfit():
            return _trade(client, seen)
        case OpenTrade() | ReopenTrade():
            return _own(_trades(client, since), client_id)
        case OrderCross():
            cross = client.cross
            return _own([*cross.open_orders(), *cross.filled_orders(since=since)], client_id)
        case OrderSpot(symbol):
            spot = client.spot
            orders = [*spot.open_orders(symbol), *spot.closed_orders(symbol, since=since)]
            return _own(orders, client_id)
        case SwapAsset(asset, amount):
            swaps = client.swaps.history(since=since)
            return tuple(s for s in swaps if (s.in_asset, s.in_amount) == (asset, amount))
        case DepositCross(amount):
            transfers = client.cross.transfers(since=since)
            return tuple(transfer for transfer in transfers if transfer.amount == amount)
        case _:
            assert_never(action)


def _trade(client: ExchangeClient, seen: Trade | None) -> tuple[Trade, ...]:
    """The trade as it is now, wherever it stands."""
    if seen is None:
        return ()
    listed = {trade.id: trade for trade in client.isolated.running_trades()}
    if seen.id not in listed:
        closed = client.isolated.closed_trades(since=seen.created_at)
        listed |= {trade.id: trade for trade in closed}
    return (listed[seen.id],) if seen.id in listed else ()


def _trades(client: ExchangeClient, since: datetime) -> Iterable[Trade]:
    isolated = client.isolated
    yield from isolated.open_trades()
    yield from isolated.running_trades()
    yield from isolated.closed_trades(since=since)
    yield from isolated.canceled_trades(since=since)


def _own(orders: Iterable[Order], client_id: str) -> tuple[Order, ...]:
    return tuple(order for order in orders if order.client_id == client_id)
