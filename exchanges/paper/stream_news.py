"""What the stream tells of the market, and of each change to an account. Pure.

Times are integers, in milliseconds since 1970. As on LN Markets nothing is said of margin that is
added or cashed in, nor of a stop loss or take profit that somebody sets.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from exchanges.paper.account import Account
from exchanges.paper.changes import Change, Kind
from exchanges.paper.clock import EPOCH
from exchanges.paper.records import (
    LightningDeposit,
    LightningWithdrawal,
    OnChainDeposit,
    OnChainWithdrawal,
)
from exchanges.paper.stream_topics import (
    CROSS_ORDERS,
    CROSS_POSITION,
    DEPOSIT,
    ISOLATED_TRADES,
    WITHDRAWAL,
)
from exchanges.paper.trades import IsolatedTrade
from exchanges.paper.wire_cross import position_json
from exchanges.types import CrossOrder, FundingFee, TradeStatus

PAIR = "btc_usd"
ENDS = {
    Kind.CLOSE: "closed",
    Kind.STOP_LOSS: "stoploss",
    Kind.TAKE_PROFIT: "takeprofit",
}
"""The events of a trade that ends with a profit or loss, by what happened."""

ORDER_EVENTS = {
    Kind.CROSS_ORDER: "new",
    Kind.CROSS_CLOSE: "new",
    Kind.CROSS_LIQUIDATION: "new",
    Kind.CROSS_FILLED: "limit",
    Kind.CROSS_CANCEL: "canceled",
}
POSITION_EVENTS = {
    Kind.CROSS_ORDER: "new",
    Kind.CROSS_CLOSE: "new",
    Kind.CROSS_FILLED: "limit",
    Kind.CROSS_CANCEL: "cancel",
    Kind.CROSS_LEVERAGE: "leverage",
    Kind.CROSS_DEPOSIT: "deposit",
    Kind.CROSS_WITHDRAWAL: "withdraw",
    Kind.CROSS_LIQUIDATION: "liquidation",
    Kind.FUNDING: "funding",
}
"""What happened to cross margin, in the words of the topic of its orders and of its position."""


class News(NamedTuple):
    """What a private topic tells, for the account it is about."""

    topic: str
    account_id: str
    data: dict[str, Any]


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def news_of(change: Change, account: Account) -> Iterator[News]:
    """What the change, which the account has just undergone, is worth telling."""
    if change.trade is not None:
        yield from _trade_news(change, change.trade, account.id)
    else:
        yield from _cross_news(change, account)
    yield from _wallet_news(change, account)


def _trade_news(change: Change, trade: IsolatedTrade, account_id: str) -> Iterator[News]:
    event = _trade_event(change, trade)
    if event is not None:
        name, shown = event
        yield News(ISOLATED_TRADES, account_id, {"pair": PAIR, "event": name, "trade": shown})


def _trade_event(change: Change, trade: IsolatedTrade) -> tuple[str, dict[str, Any]] | None:
    match change.kind, trade.status:
        case Kind.NEW_TRADE, TradeStatus.OPEN:
            return "open", _placed(trade)
        case ((Kind.NEW_TRADE | Kind.FILLED), TradeStatus.RUNNING):
            return "filled", _placed(trade)
        case Kind.CANCEL, _:
            return "canceled", _gone(trade)
        case Kind.LIQUIDATION, _:
            return "liquidation", _ended(trade)
        case ((Kind.CLOSE | Kind.STOP_LOSS | Kind.TAKE_PROFIT), TradeStatus.CLOSED):
            return ENDS[change.kind], _ended(trade) | {"pl": trade.pl}
        case Kind.FUNDING, _:
            return "funding", _funded(change, trade)
    return None


def _placed(trade: IsolatedTrade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "side": trade.side,
        "type": trade.type,
        "quantity": trade.quantity,
        "margin": trade.margin,
        "leverage": trade.leverage,
        "price": trade.price,
        "openingFee": trade.opening_fee,
        "createdAt": milliseconds(trade.created_at),
        "clientId": trade.client_id,
    }


def _gone(trade: IsolatedTrade) -> dict[str, Any]:
    closed_at = trade.closed_at and milliseconds(trade.closed_at)
    return {"id": trade.id, "closedAt": closed_at, "clientId": trade.client_id}


def _ended(trade: IsolatedTrade) -> dict[str, Any]:
    return _gone(trade) | {"closingFee": trade.closing_fee, "exitPrice": trade.exit_price}


def _funded(change: Change, trade: IsolatedTrade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "margin": trade.margin,
        "liquidationPrice": trade.liquidation,
        "fundingFee": change.the(FundingFee).fee,
        "fundedAt": milliseconds(change.at),
        "clientId": trade.client_id,
    }


def _cross_news(change: Change, account: Account) -> Iterator[News]:
    if change.kind in ORDER_EVENTS:
        event, order = ORDER_EVENTS[change.kind], _order(change.the(CrossOrder))
        yield News(CROSS_ORDERS, account.id, {"pair": PAIR, "event": event, "order": order})
    if change.kind in POSITION_EVENTS:
        event, position = POSITION_EVENTS[change.kind], _position(account, mark=change.price)
        yield News(CROSS_POSITION, account.id, {"pair": PAIR, "event": event, "position": position})


def _order(order: CrossOrder) -> dict[str, Any]:
    shown = {
        "id": order.id,
        "side": order.side,
        "type": order.type,
        "quantity": order.quantity,
        "price": order.price,
        "clientId": order.client_id,
        "createdAt": milliseconds(order.created_at),
    }
    if order.canceled_at is not None:
        return shown | {"canceledAt": milliseconds(order.canceled_at)}
    if order.filled_at is not None:
        shown["filledAt"] = milliseconds(order.filled_at)
    return shown | {"tradingFee": order.trading_fee}


def _position(account: Account, *, mark: Decimal) -> dict[str, Any]:
    shown = position_json(account, mark=mark) | {
        "updatedAt": milliseconds(account.cross.updated_at)
    }
    del shown["id"]
    return shown


def _wallet_news(change: Change, account: Account) -> Iterator[News]:
    for record in change.records:
        match record:
            case LightningDeposit(settled_at=datetime()):
                payment = _payment("lightning", record.id, record.amount, record.payment_hash)
                told = payment | {"balance": account.balance, "status": "settled"}
                yield News(DEPOSIT, account.id, told)
            case OnChainDeposit():
                payment = _payment("bitcoin", record.id, record.amount, record.tx_id)
                told = payment | {"balance": account.balance, "status": record.status}
                yield News(DEPOSIT, account.id, told)
            case LightningWithdrawal():
                payment = _payment("lightning", record.id, record.amount, record.payment_hash)
                yield News(WITHDRAWAL, account.id, payment | _spent(record, account))
            case OnChainWithdrawal():
                payment = _payment("bitcoin", record.id, record.amount, record.tx_id or "")
                yield News(WITHDRAWAL, account.id, payment | _spent(record, account))


def _payment(network: str, payment_id: str, amount: int, tx_id: str) -> dict[str, Any]:
    return {
        "currency": "btc",
        "network": network,
        "id": payment_id,
        "amount": amount,
        "txId": tx_id,
    }


def _spent(record: LightningWithdrawal | OnChainWithdrawal, account: Account) -> dict[str, Any]:
    return {"fee": record.fee, "balance": account.balance, "status": record.status}
