"""LN Markets' REST API v3: cross margin, under `/futures/cross`."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import decisions_cross as decisions
from exchanges.paper import wire_cross as wire
from exchanges.paper.account import Account
from exchanges.paper.changes import Change
from exchanges.paper.commands import Nothing, OnTrade
from exchanges.paper.commands_cross import MoveSats, PlaceOrder, SetLeverage
from exchanges.paper.records import key_of
from exchanges.paper.routing import Routing
from exchanges.paper.scopes import Scope
from exchanges.types import CrossOrder, FundingFee, OrderStatus, Transfer

CROSS = "/futures/cross"
READ, WRITE = Scope.CROSS_READ, Scope.CROSS_WRITE


class CrossApi:
    """The position, its orders, its margin."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._book = routing.exchange.book

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        return [*self._reads(), *self._histories(), *self._acts()]

    def _reads(self) -> list[Route]:
        private = self._routing.private
        return [
            private(f"{CROSS}/position", READ, self._position),
            private(f"{CROSS}/orders/open", READ, _open_orders),
        ]

    def _histories(self) -> list[Route]:
        history = self._routing.history
        return [
            history(
                f"{CROSS}/orders/filled",
                READ,
                _filled_orders,
                key=lambda order: order.id,
                at=lambda order: order.filled_at or order.created_at,
                show=wire.order_json,
            ),
            history(
                f"{CROSS}/transfers",
                READ,
                lambda account, _request: account.all(Transfer),
                key=key_of,
                at=lambda transfer: transfer.at,
                show=wire.transfer_json,
            ),
            history(
                f"{CROSS}/funding-fees",
                READ,
                _funding_fees,
                key=key_of,
                at=lambda fee: fee.at,
                show=wire.funding_fee_json,
            ),
        ]

    def _acts(self) -> list[Route]:
        act, position = self._routing.act, self._position
        place = partial(act, limited=True)
        cancel_all = decisions.cancel_all_orders
        return [
            place("POST", f"{CROSS}/order", WRITE, PlaceOrder, decisions.place_order, _one),
            act("POST", f"{CROSS}/order/cancel", WRITE, OnTrade, decisions.cancel_order, _one),
            act("POST", f"{CROSS}/orders/cancel-all", WRITE, Nothing, cancel_all, _all),
            act("POST", f"{CROSS}/position/close", WRITE, Nothing, decisions.close_position, _one),
            act("PUT", f"{CROSS}/leverage", WRITE, SetLeverage, decisions.set_leverage, position),
            act("POST", f"{CROSS}/deposit", WRITE, MoveSats, decisions.deposit, position),
            act("POST", f"{CROSS}/withdraw", WRITE, MoveSats, decisions.withdraw, position),
        ]

    def _position(self, account: Account, _cause: Request | list[Change]) -> dict[str, Any]:
        return wire.position_json(account, mark=self._book.price)


def _open_orders(account: Account, _request: Request) -> list[dict[str, Any]]:
    return [wire.order_json(order) for order in reversed(account.open_orders.values())]


def _filled_orders(account: Account, _request: Request) -> list[CrossOrder]:
    orders = reversed(account.orders.values())
    return [order for order in orders if order.status is OrderStatus.FILLED]


def _funding_fees(account: Account, _request: Request) -> list[FundingFee]:
    return [fee for fee in account.all(FundingFee) if fee.trade_id is None]


def _one(account: Account, changes: list[Change]) -> dict[str, Any]:
    return _all(account, changes)[0]


def _all(_account: Account, changes: list[Change]) -> list[dict[str, Any]]:
    return [wire.order_json(change.the(CrossOrder)) for change in changes]
