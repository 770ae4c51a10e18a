"""LN Markets' REST API v3: utilities, market data and isolated trades.

The table in `Api.routes` is the whole of it. Cross margin is in `exchanges.paper.api_cross`,
the account and its synthetic dollars in `exchanges.paper.api_account`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import decisions, javascript, wire
from exchanges.paper.account import Account
from exchanges.paper.changes import Change
from exchanges.paper.commands import (
    MoveMargin,
    Nothing,
    OnTrade,
    OpenTrade,
    SetStopLoss,
    SetTakeProfit,
)
from exchanges.paper.records import Scope
from exchanges.paper.routing import Routing
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import TradeStatus


class Api:
    """Utilities, market data and isolated trades."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._exchange = routing.exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        return [*self._public(), *self._reads(), *self._acts()]

    def _public(self) -> list[Route]:
        public = self._routing.public
        return [
            public("/ping", lambda _request: "pong"),
            public("/time", lambda _request: {"time": javascript.iso(self._exchange.now())}),
            public("/futures/ticker", self._ticker),
        ]

    def _reads(self) -> list[Route]:
        trades = "/futures/isolated/trades"
        read = partial(self._routing.private, scope=Scope.ISOLATED_READ)
        return [
            read(f"{trades}/open", read=self._live(TradeStatus.OPEN)),
            read(f"{trades}/running", read=self._live(TradeStatus.RUNNING)),
            self._history(f"{trades}/closed", TradeStatus.CLOSED),
            self._history(f"{trades}/canceled", TradeStatus.CANCELED),
        ]

    def _acts(self) -> list[Route]:
        trade, trades, write = (
            "/futures/isolated/trade",
            "/futures/isolated/trades",
            Scope.ISOLATED_WRITE,
        )
        act, one, all_ = self._routing.act, self._one, self._all
        return [
            act("POST", trade, write, OpenTrade, decisions.open_trade, one, limited=True),
            act("POST", f"{trade}/close", write, OnTrade, decisions.close_trade, one),
            act("POST", f"{trade}/cancel", write, OnTrade, decisions.cancel_trade, one),
            act("POST", f"{trades}/cancel-all", write, Nothing, decisions.cancel_all, all_),
            act("POST", f"{trade}/add-margin", write, MoveMargin, decisions.add_margin, one),
            act("POST", f"{trade}/cash-in", write, MoveMargin, decisions.cash_in, one),
            act("PUT", f"{trade}/stoploss", write, SetStopLoss, decisions.set_stop_loss, one),
            act("PUT", f"{trade}/takeprofit", write, SetTakeProfit, decisions.set_take_profit, one),
            act("DELETE", f"{trade}/stoploss", write, OnTrade, decisions.remove_stop_loss, one),
            act("DELETE", f"{trade}/takeprofit", write, OnTrade, decisions.remove_take_profit, one),
        ]

    def _ticker(self, _request: Request) -> dict[str, Any]:
        return wire.ticker_json(self._exchange.book.price, at=self._exchange.now())

    def _live(self, status: TradeStatus) -> Callable[[Account, Request], list[dict[str, Any]]]:
        return lambda account, _request: [self._shown(trade) for trade in account.trades(status)]

    def _history(self, path: str, status: TradeStatus) -> Route:
        return self._routing.history(
            path,
            Scope.ISOLATED_READ,
            lambda account, _request: list(account.trades(status)),
            key=lambda trade: trade.id,
            at=lambda trade: trade.closed_at or trade.created_at,
            show=self._shown,
        )

    def _one(self, account: Account, changes: list[Change]) -> dict[str, Any]:
        return self._all(account, changes)[0]

    def _all(self, _account: Account, changes: list[Change]) -> list[dict[str, Any]]:
        return [self._shown(change.trade) for change in changes if change.trade is not None]

    def _shown(self, trade: IsolatedTrade) -> dict[str, Any]:
        return wire.trade_json(trade, mark=self._exchange.book.price)
