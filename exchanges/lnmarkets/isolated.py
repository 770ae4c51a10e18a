"""Isolated margin: the routes under `/futures/isolated`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from exchanges.client import Signature
from exchanges.guard import Call
from exchanges.lnmarkets.channel import Act, Body, Channel, require
from exchanges.lnmarkets.parse import isolated as parse
from exchanges.lnmarkets.parse import lists
from exchanges.market import CLOCKS_DIFFER_BY
from exchanges.types import FundingFee, NewTrade, Trade, TradeStatus

_TRADE: Final = "/futures/isolated/trade"
_TRADES: Final = "/futures/isolated/trades"
_LIVE: Final = (TradeStatus.OPEN, TradeStatus.RUNNING)


class LNMarketsIsolated:
    """Trades with a margin of their own. See the port for the errors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def open_trades(self) -> Sequence[Trade]:
        return self._live(Call("isolated.open_trades"), TradeStatus.OPEN)

    def running_trades(self) -> Sequence[Trade]:
        return self._live(Call("isolated.running_trades"), TradeStatus.RUNNING)

    def closed_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every closed trade that was created at or after `since`, and perhaps others.

        The specification leaves open whether the exchange filters by creation or by close.
        """
        return self._past(Call("isolated.closed_trades"), TradeStatus.CLOSED, since)

    def canceled_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every canceled trade that was created at or after `since`, and perhaps others."""
        return self._past(Call("isolated.canceled_trades"), TradeStatus.CANCELED, since)

    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]:
        path = "/futures/isolated/funding-fees"
        return self._channel.pages(
            Call("isolated.funding_fees"), path, parse.FUNDING_FEES, since=since
        )

    def new_trade(self, order: NewTrade, *, signature: Signature) -> Trade:
        def read(answer: bytes) -> Trade:
            trade = parse.trade(answer)
            require(trade.side is order.side and trade.type is order.type, "side and type")
            require(trade.client_id == order.client_id, "client id")
            require(order.quantity in (None, trade.quantity), "quantity")
            return trade

        act = Act("isolated.new_trade", "POST", _TRADE, _new_trade(order))
        return self._channel.act(act, read, signature=signature)

    def close_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        act = Act("isolated.close_trade", "POST", f"{_TRADE}/close", {"id": trade_id})
        read = _about(trade_id, TradeStatus.CLOSED)
        return self._channel.act(act, read, signature=signature)

    def cancel_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        act = Act("isolated.cancel_trade", "POST", f"{_TRADE}/cancel", {"id": trade_id})
        read = _about(trade_id, TradeStatus.CANCELED)
        return self._channel.act(act, read, signature=signature)

    def cancel_all_trades(self, *, signature: Signature) -> Sequence[Trade]:
        act = Act("isolated.cancel_all_trades", "POST", f"{_TRADES}/cancel-all")
        kind = self._trades(TradeStatus.CANCELED)
        return self._channel.act(act, lambda body: lists.whole(body, kind), signature=signature)

    def add_margin(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "amount": amount}
        act = Act("isolated.add_margin", "POST", f"{_TRADE}/add-margin", body)
        read = _about(trade_id, TradeStatus.RUNNING)
        return self._channel.act(act, read, signature=signature)

    def cash_in(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "amount": amount}
        act = Act("isolated.cash_in", "POST", f"{_TRADE}/cash-in", body)
        read = _about(trade_id, TradeStatus.RUNNING)
        return self._channel.act(act, read, signature=signature)

    def set_stop_loss(self, trade_id: str, *, price: Decimal | None, signature: Signature) -> Trade:
        act = _setting("isolated.set_stop_loss", f"{_TRADE}/stoploss", trade_id, price)
        read = _about(trade_id, *_LIVE, has=lambda trade: trade.stop_loss == price)
        return self._channel.act(act, read, signature=signature)

    def set_trailing_stop(self, trade_id: str, *, distance: Decimal, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "value": distance, "mode": "trailing"}
        act = Act("isolated.set_trailing_stop", "PUT", f"{_TRADE}/stoploss", body)
        return self._channel.act(act, _about(trade_id, *_LIVE), signature=signature)

    def set_take_profit(
        self, trade_id: str, *, price: Decimal | None, signature: Signature
    ) -> Trade:
        act = _setting("isolated.set_take_profit", f"{_TRADE}/takeprofit", trade_id, price)
        read = _about(trade_id, *_LIVE, has=lambda trade: trade.take_profit == price)
        return self._channel.act(act, read, signature=signature)

    def _live(self, call: Call, status: TradeStatus) -> Sequence[Trade]:
        path, kind = f"{_TRADES}/{status}", self._trades(status)
        return self._channel.read(call, path, lambda answer: lists.whole(answer, kind))

    def _past(self, call: Call, status: TradeStatus, since: datetime) -> Sequence[Trade]:
        path = f"{_TRADES}/{status}"
        return self._channel.pages(call, path, self._trades(status), since=since)

    def _trades(self, status: TradeStatus) -> lists.Kind[Trade]:
        return parse.trades(status, created_by=self._channel.clock() + CLOCKS_DIFFER_BY)


def _setting(operation: str, path: str, trade_id: str, price: Decimal | None) -> Act:
    """Sets a level, or removes it."""
    if price is None:
        return Act(operation, "DELETE", path, query={"id": trade_id})
    return Act(operation, "PUT", path, {"id": trade_id, "value": price})


def _as_answered(_trade: Trade) -> bool:
    return True


def _about(
    trade_id: str, *statuses: TradeStatus, has: Callable[[Trade], bool] = _as_answered
) -> Callable[[bytes], Trade]:
    """Reads a trade which must be this one, in one of these states, with what was set."""

    def read(answer: bytes) -> Trade:
        trade = parse.trade(answer)
        require(trade.id == trade_id, "id")
        require(trade.status in statuses, "status")
        require(has(trade), "level")
        return trade

    return read


def _new_trade(order: NewTrade) -> Body:
    body: dict[str, str | int | Decimal | None] = {
        "side": order.side,
        "type": order.type,
        "leverage": order.leverage,
        "margin": order.margin,
        "quantity": order.quantity,
        "price": order.price,
        "stoploss": order.stop_loss,
        "takeprofit": order.take_profit,
        "clientId": order.client_id,
    }
    return {name: value for name, value in body.items() if value is not None}
