"""Cross margin: the routes under `/futures/cross`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from exchanges.client import Signature
from exchanges.guard import Call
from exchanges.lnmarkets.channel import Body, Channel, require
from exchanges.lnmarkets.parse import cross as parse
from exchanges.lnmarkets.parse import lists
from exchanges.types import (
    CrossOrder,
    CrossPosition,
    FundingFee,
    NewCrossOrder,
    OrderStatus,
    Transfer,
)

_CROSS: Final = "/futures/cross"


class LNMarketsCross:
    """The one cross-margin position of an account. See the port for the errors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def position(self) -> CrossPosition:
        return self._channel.read(Call("position"), f"{_CROSS}/position", parse.position)

    def open_orders(self) -> Sequence[CrossOrder]:
        kind = parse.orders(OrderStatus.OPEN)
        path = f"{_CROSS}/orders/open"
        return self._channel.read(Call("open_orders"), path, lambda body: lists.whole(body, kind))

    def filled_orders(self, *, since: datetime) -> Sequence[CrossOrder]:
        kind = parse.orders(OrderStatus.FILLED)
        path = f"{_CROSS}/orders/filled"
        return self._channel.pages(Call("filled_orders"), path, kind, since=since)

    def transfers(self, *, since: datetime) -> Sequence[Transfer]:
        path = f"{_CROSS}/transfers"
        return self._channel.pages(Call("transfers"), path, parse.TRANSFERS, since=since)

    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]:
        path = f"{_CROSS}/funding-fees"
        return self._channel.pages(Call("funding_fees"), path, parse.FUNDING_FEES, since=since)

    def new_order(self, order: NewCrossOrder, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            given = parse.order(answer)
            require(given.side is order.side and given.type is order.type, "side and type")
            require(given.quantity == order.quantity, "quantity")
            require(given.client_id == order.client_id, "client id")
            return given

        return self._channel.act(
            Call("new_order", is_act=True),
            "POST",
            f"{_CROSS}/order",
            read,
            signature=signature,
            body=_new_order(order),
        )

    def cancel_order(self, order_id: str, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            order = parse.order(answer)
            require(order.id == order_id, "id")
            require(order.status is OrderStatus.CANCELED, "status")
            return order

        return self._channel.act(
            Call("cancel_order", is_act=True),
            "POST",
            f"{_CROSS}/order/cancel",
            read,
            signature=signature,
            body={"id": order_id},
        )

    def cancel_all_orders(self, *, signature: Signature) -> Sequence[CrossOrder]:
        kind = parse.orders(OrderStatus.CANCELED)
        return self._channel.act(
            Call("cancel_all_orders", is_act=True),
            "POST",
            f"{_CROSS}/orders/cancel-all",
            lambda answer: lists.whole(answer, kind),
            signature=signature,
        )

    def close_position(self, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            order = parse.order(answer)
            require(order.status is OrderStatus.FILLED, "status")
            return order

        return self._channel.act(
            Call("close_position", is_act=True),
            "POST",
            f"{_CROSS}/position/close",
            read,
            signature=signature,
        )

    def set_leverage(self, leverage: int, *, signature: Signature) -> CrossPosition:
        def read(answer: bytes) -> CrossPosition:
            position = parse.position(answer)
            require(position.leverage == leverage, "leverage")
            return position

        body = {"leverage": leverage}
        return self._on_position("set_leverage", "PUT", "/leverage", body, read, signature)

    def deposit(self, amount: int, *, signature: Signature) -> CrossPosition:
        body = {"amount": amount}
        return self._on_position("deposit", "POST", "/deposit", body, parse.position, signature)

    def withdraw(self, amount: int, *, signature: Signature) -> CrossPosition:
        body = {"amount": amount}
        return self._on_position("withdraw", "POST", "/withdraw", body, parse.position, signature)

    def _on_position(
        self,
        operation: str,
        method: str,
        path: str,
        body: Body,
        read: Callable[[bytes], CrossPosition],
        signature: Signature,
    ) -> CrossPosition:
        call = Call(operation, is_act=True)
        return self._channel.act(
            call, method, f"{_CROSS}{path}", read, signature=signature, body=body
        )


def _new_order(order: NewCrossOrder) -> Body:
    body: dict[str, str | int | Decimal | None] = {
        "side": order.side,
        "quantity": order.quantity,
        "type": order.type,
        "price": order.price,
        "clientId": order.client_id,
    }
    return {name: value for name, value in body.items() if value is not None}
