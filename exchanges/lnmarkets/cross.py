"""Cross margin: the routes under `/futures/cross`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from exchanges.client import Signature
from exchanges.guard import Call
from exchanges.lnmarkets.channel import Act, Body, Channel, require
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
        return self._channel.read(Call("cross.position"), f"{_CROSS}/position", parse.position)

    def open_orders(self) -> Sequence[CrossOrder]:
        kind = parse.orders(OrderStatus.OPEN)
        path = f"{_CROSS}/orders/open"
        return self._channel.read(
            Call("cross.open_orders"), path, lambda body: lists.whole(body, kind)
        )

    def filled_orders(self, *, since: datetime) -> Sequence[CrossOrder]:
        kind = parse.orders(OrderStatus.FILLED)
        path = f"{_CROSS}/orders/filled"
        return self._channel.pages(Call("cross.filled_orders"), path, kind, since=since)

    def transfers(self, *, since: datetime) -> Sequence[Transfer]:
        path = f"{_CROSS}/transfers"
        return self._channel.pages(Call("cross.transfers"), path, parse.TRANSFERS, since=since)

    def funding_fees(self, *, since: datetime) -> Sequence[FundingFee]:
        path = f"{_CROSS}/funding-fees"
        return self._channel.pages(
            Call("cross.funding_fees"), path, parse.FUNDING_FEES, since=since
        )

    def new_order(self, order: NewCrossOrder, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            given = parse.order(answer)
            require(given.side is order.side and given.type is order.type, "side and type")
            require(given.quantity == order.quantity, "quantity")
            require(given.client_id == order.client_id, "client id")
            return given

        act = Act("cross.new_order", "POST", f"{_CROSS}/order", _new_order(order))
        return self._channel.act(act, read, signature=signature)

    def cancel_order(self, order_id: str, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            order = parse.order(answer)
            require(order.id == order_id, "id")
            require(order.status is OrderStatus.CANCELED, "status")
            return order

        act = Act("cross.cancel_order", "POST", f"{_CROSS}/order/cancel", {"id": order_id})
        return self._channel.act(act, read, signature=signature)

    def cancel_all_orders(self, *, signature: Signature) -> Sequence[CrossOrder]:
        act = Act("cross.cancel_all_orders", "POST", f"{_CROSS}/orders/cancel-all")
        kind = parse.orders(OrderStatus.CANCELED)
        return self._channel.act(act, lambda body: lists.whole(body, kind), signature=signature)

    def close_position(self, *, signature: Signature) -> CrossOrder:
        def read(answer: bytes) -> CrossOrder:
            order = parse.order(answer)
            require(order.status is OrderStatus.FILLED, "status")
            return order

        act = Act("cross.close_position", "POST", f"{_CROSS}/position/close")
        return self._channel.act(act, read, signature=signature)

    def set_leverage(self, leverage: int, *, signature: Signature) -> CrossPosition:
        def read(answer: bytes) -> CrossPosition:
            position = parse.position(answer)
            require(position.leverage == leverage, "leverage")
            return position

        act = Act("cross.set_leverage", "PUT", f"{_CROSS}/leverage", {"leverage": leverage})
        return self._channel.act(act, read, signature=signature)

    def deposit(self, amount: int, *, signature: Signature) -> CrossPosition:
        act = Act("cross.deposit", "POST", f"{_CROSS}/deposit", {"amount": amount})
        return self._channel.act(act, parse.position, signature=signature)

    def withdraw(self, amount: int, *, signature: Signature) -> CrossPosition:
        act = Act("cross.withdraw", "POST", f"{_CROSS}/withdraw", {"amount": amount})
        return self._channel.act(act, parse.position, signature=signature)


def _new_order(order: NewCrossOrder) -> Body:
    body: dict[str, str | int | Decimal | None] = {
        "side": order.side,
        "quantity": order.quantity,
        "type": order.type,
        "price": order.price,
        "clientId": order.client_id,
    }
    return {name: value for name, value in body.items() if value is not None}
