"""Isolated margin: the routes under `/futures/isolated`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from exchanges.client import Signature
from exchanges.guard import Call
from exchanges.lnmarkets.channel import Body, Channel, Query, require
from exchanges.lnmarkets.parse import isolated as parse
from exchanges.lnmarkets.parse import lists
from exchanges.types import FundingFee, NewTrade, Trade, TradeStatus

_TRADE: Final = "/futures/isolated/trade"
_TRADES: Final = "/futures/isolated/trades"


class LNMarketsIsolated:
    """Trades with a margin of their own. See the port for the errors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def open_trades(self) -> Sequence[Trade]:
        return self._live(Call("open_trades"), TradeStatus.OPEN)

    def running_trades(self) -> Sequence[Trade]:
        return self._live(Call("running_trades"), TradeStatus.RUNNING)

    def closed_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every closed trade that was created at or after `since`, and perhaps others.

        The specification leaves open whether the exchange filters by creation or by close.
        """
        return self._past(Call("closed_trades"), TradeStatus.CLOSED, since)

    def canceled_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every canceled trade that was created at or after `since`, and perhaps others."""
        return self._past(Call("canceled_trades"), TradeStatus.CANCELED, since)

    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]:
        path = "/futures/isolated/funding-fees"
        return self._channel.pages(Call("funding_fees"), path, parse.FUNDING_FEES, since=since)

    def new_trade(self, order: NewTrade, *, signature: Signature) -> Trade:
        def read(answer: bytes) -> Trade:
            trade = parse.trade(answer)
            require(trade.side is order.side and trade.type is order.type, "side and type")
            require(trade.client_id == order.client_id, "client id")
            return trade

        call = Call("new_trade", is_act=True)
        body = _new_trade(order)
        return self._channel.act(call, "POST", _TRADE, read, signature=signature, body=body)

    def close_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        read = _about(trade_id, TradeStatus.CLOSED)
        return self._post("close_trade", "/close", {"id": trade_id}, read, signature)

    def cancel_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        read = _about(trade_id, TradeStatus.CANCELED)
        return self._post("cancel_trade", "/cancel", {"id": trade_id}, read, signature)

    def cancel_all_trades(self, *, signature: Signature) -> Sequence[Trade]:
        return self._channel.act(
            Call("cancel_all_trades", is_act=True),
            "POST",
            f"{_TRADES}/cancel-all",
            lambda answer: lists.whole(answer, parse.trades(TradeStatus.CANCELED)),
            signature=signature,
        )

    def add_margin(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "amount": amount}
        read = _about(trade_id, TradeStatus.RUNNING)
        return self._post("add_margin", "/add-margin", body, read, signature)

    def cash_in(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "amount": amount}
        read = _about(trade_id, TradeStatus.RUNNING)
        return self._post("cash_in", "/cash-in", body, read, signature)

    def set_stop_loss(self, trade_id: str, *, price: Decimal | None, signature: Signature) -> Trade:
        return self._set_level("set_stop_loss", "/stoploss", trade_id, price, signature)

    def set_trailing_stop(self, trade_id: str, *, distance: Decimal, signature: Signature) -> Trade:
        body: Body = {"id": trade_id, "value": distance, "mode": "trailing"}
        call = Call("set_trailing_stop", is_act=True)
        return self._level(call, "PUT", "/stoploss", trade_id, signature, body=body)

    def set_take_profit(
        self, trade_id: str, *, price: Decimal | None, signature: Signature
    ) -> Trade:
        return self._set_level("set_take_profit", "/takeprofit", trade_id, price, signature)

    def _live(self, call: Call, status: TradeStatus) -> Sequence[Trade]:
        kind = parse.trades(status)
        return self._channel.read(
            call, f"{_TRADES}/{status}", lambda answer: lists.whole(answer, kind)
        )

    def _past(self, call: Call, status: TradeStatus, since: datetime) -> Sequence[Trade]:
        return self._channel.pages(call, f"{_TRADES}/{status}", parse.trades(status), since=since)

    def _post(
        self,
        operation: str,
        path: str,
        body: Body,
        read: Callable[[bytes], Trade],
        signature: Signature,
    ) -> Trade:
        call = Call(operation, is_act=True)
        return self._channel.act(
            call, "POST", f"{_TRADE}{path}", read, signature=signature, body=body
        )

    def _set_level(
        self, operation: str, path: str, trade_id: str, price: Decimal | None, signature: Signature
    ) -> Trade:
        call = Call(operation, is_act=True)
        if price is None:
            query = {"id": trade_id}
            return self._level(call, "DELETE", path, trade_id, signature, query=query)
        body: Body = {"id": trade_id, "value": price}
        return self._level(call, "PUT", path, trade_id, signature, body=body)

    def _level(
        self,
        call: Call,
        method: str,
        path: str,
        trade_id: str,
        signature: Signature,
        *,
        body: Body | None = None,
        query: Query | None = None,
    ) -> Trade:
        return self._channel.act(
            call,
            method,
            f"{_TRADE}{path}",
            _about(trade_id, TradeStatus.OPEN, TradeStatus.RUNNING),
            signature=signature,
            body=body,
            query=query,
        )


def _about(trade_id: str, *statuses: TradeStatus) -> Callable[[bytes], Trade]:
    """Reads a trade which must be this one, in one of these states."""

    def read(answer: bytes) -> Trade:
        trade = parse.trade(answer)
        require(trade.id == trade_id, "id")
        require(trade.status in statuses, "status")
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
