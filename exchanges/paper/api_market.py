"""LN Markets' REST API v3: what it tells everybody, of time and market."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import wire_market
from exchanges.paper.commands import CandlePage, Page
from exchanges.paper.javascript import iso
from exchanges.paper.routing import Routing


class MarketApi:
    """Utilities and market data."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._exchange = routing.exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        public = self._routing.public
        return [
            public("/ping", lambda _request: "pong"),
            public("/time", lambda _request: {"time": self._exchange.now()}),
            public("/futures/ticker", self._ticker),
            public("/futures/candles", self._candles),
            public("/futures/funding-settlements", self._settlements),
            public("/futures/leaderboard", self._leaderboard),
        ]

    def _ticker(self, _request: Request) -> dict[str, Any]:
        return wire_market.ticker_json(self._exchange.book.market, at=self._exchange.now())

    def _candles(self, request: Request) -> dict[str, Any]:
        page = CandlePage.read(dict(request.query_params))
        candles = self._exchange.book.market.candles.newest_first(
            page.span,
            now=self._exchange.now(),
            since=page.since,
            until=page.until,
            before=page.cursor,
            limit=page.limit + 1,
        )
        shown = candles[: page.limit]
        return {
            "data": [wire_market.candle_json(candle) for candle in shown],
            "nextCursor": iso(shown[-1].at) if len(candles) > page.limit else None,
        }

    def _settlements(self, request: Request) -> dict[str, Any]:
        settlements = list(self._exchange.book.market.settlements.values())
        page = Page.read(dict(request.query_params))
        shown, more = page.of(
            settlements[::-1],
            key=lambda settlement: settlement.id,
            at=lambda settlement: settlement.at,
        )
        return {
            "data": [wire_market.settlement_json(settlement) for settlement in shown],
            "nextCursor": shown[-1].id if more else None,
        }

    def _leaderboard(self, _request: Request) -> dict[str, Any]:
        accounts = self._exchange.book.accounts.values()
        return wire_market.leaderboard_json(accounts, at=self._exchange.now())
