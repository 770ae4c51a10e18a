"""LN Markets' REST API v3, as far as it is built: market, account, isolated trades.

The tables in `Api.routes` are the whole API. A line of `acts` names the method, the path, the
body or query it takes, and the decision it leads to.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper import decisions, javascript, wire
from exchanges.paper.account import Account
from exchanges.paper.answers import answer, canonical_body
from exchanges.paper.auth import TIMESTAMP_HEADER, authenticate, signed_at
from exchanges.paper.changes import By
from exchanges.paper.commands import (
    MoveMargin,
    Nothing,
    OnTrade,
    OpenTrade,
    Page,
    SetStopLoss,
    SetTakeProfit,
)
from exchanges.paper.exchange import C, Decision, PaperExchange
from exchanges.types import TradeStatus

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """The routes under `/v3`."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        trade, trades = "/futures/isolated/trade", "/futures/isolated/trades"
        public = [
            Route("/ping", self._public(lambda: "pong")),
            Route("/time", self._public(lambda: {"time": javascript.iso(self._exchange.now())})),
            Route("/futures/ticker", self._public(self._ticker)),
        ]
        private = [
            Route("/account", self._private(self._account)),
            Route(f"{trades}/open", self._private(self._live(TradeStatus.OPEN))),
            Route(f"{trades}/running", self._private(self._live(TradeStatus.RUNNING))),
            Route(f"{trades}/closed", self._private(self._history(TradeStatus.CLOSED))),
            Route(f"{trades}/canceled", self._private(self._history(TradeStatus.CANCELED))),
        ]
        acts = [
            self._act("POST", trade, OpenTrade, decisions.open_trade),
            self._act("POST", f"{trade}/close", OnTrade, decisions.close_trade),
            self._act("POST", f"{trade}/cancel", OnTrade, decisions.cancel_trade),
            self._act("POST", f"{trades}/cancel-all", Nothing, decisions.cancel_all, many=True),
            self._act("POST", f"{trade}/add-margin", MoveMargin, decisions.add_margin),
            self._act("POST", f"{trade}/cash-in", MoveMargin, decisions.cash_in),
            self._act("PUT", f"{trade}/stoploss", SetStopLoss, decisions.set_stop_loss),
            self._act("PUT", f"{trade}/takeprofit", SetTakeProfit, decisions.set_take_profit),
            self._act("DELETE", f"{trade}/stoploss", OnTrade, decisions.remove_stop_loss),
            self._act("DELETE", f"{trade}/takeprofit", OnTrade, decisions.remove_take_profit),
        ]
        return [*public, *private, *acts]

    def _public(self, read: Callable[[], Any]) -> Endpoint:
        async def endpoint(_request: Request) -> Response:
            return answer(read())

        return endpoint

    def _private(self, read: Callable[[Account, Request], Any]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            account = self._authenticate(request, data=_query(request))
            return answer(read(account, request))

        return endpoint

    def _act(
        self,
        method: str,
        path: str,
        command: type[C],
        decision: Decision[C],
        *,
        many: bool = False,
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await canonical_body(request)
            account = self._authenticate(request, data=body or _query(request))
            given = javascript.parse_exactly(body) if body else dict(request.query_params)
            trades = self._exchange.act(
                decision,
                account,
                command.read(given),
                by=By.API,
                signed_at=signed_at(request.headers[TIMESTAMP_HEADER]),
            )
            shown = [wire.trade_json(trade, mark=self._exchange.book.price) for trade in trades]
            return answer(shown if many else shown[0])

        return Route(path, endpoint, methods=[method])

    def _authenticate(self, request: Request, *, data: str) -> Account:
        signer = authenticate(
            request.headers,
            method=request.method,
            path=request.scope["raw_path"].decode("ascii", "replace"),
            data=data,
            book=self._exchange.book,
            now=self._exchange.now(),
        )
        return signer.account

    def _ticker(self) -> dict[str, Any]:
        return wire.ticker_json(self._exchange.book.price, at=self._exchange.now())

    def _account(self, account: Account, _request: Request) -> dict[str, Any]:
        return wire.account_json(account, at=self._exchange.now())

    def _live(self, status: TradeStatus) -> Callable[[Account, Request], list[dict[str, Any]]]:
        def read(account: Account, _request: Request) -> list[dict[str, Any]]:
            mark = self._exchange.book.price
            return [wire.trade_json(trade, mark=mark) for trade in account.trades(status)]

        return read

    def _history(self, status: TradeStatus) -> Callable[[Account, Request], dict[str, Any]]:
        def read(account: Account, request: Request) -> dict[str, Any]:
            page = Page.read(dict(request.query_params))
            trades, more = account.page(status, page)
            return wire.page_json(trades, mark=self._exchange.book.price, more=more)

        return read


def _query(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return f"?{query}" if query else ""
