"""The part of the control API that moves the market: price, scenarios, candles, clock, terms."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper.answers import answer, json_body
from exchanges.paper.commands_market import (
    MoveClock,
    PlayCandles,
    PlayPrices,
    PlayScenario,
    SetPrice,
    SetTerms,
)
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.player import Playlist, PricePlayer
from exchanges.paper.prices import BadCandles, path_of, read_candles, scenario_prices
from exchanges.paper.refusals import Refusal


class MarketControl:
    """Routes under `/control`."""

    def __init__(self, exchange: PaperExchange, player: PricePlayer) -> None:
        self._exchange = exchange
        self._player = player

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        return [
            Route("/price", self._read_price),
            Route("/price", self._set_price, methods=["POST"]),
            Route("/prices", self._read_prices),
            Route("/prices", self._play_prices, methods=["POST"]),
            Route("/prices", self._stop_prices, methods=["DELETE"]),
            Route("/scenario", self._play_scenario, methods=["POST"]),
            Route("/candles", self._load_candles, methods=["POST"]),
            Route("/clock", self._read_clock),
            Route("/clock", self._move_clock, methods=["POST"]),
            Route("/terms", self._read_terms),
            Route("/terms", self._set_terms, methods=["POST"]),
        ]

    async def _read_price(self, _request: Request) -> Response:
        return answer({"price": self._exchange.book.price})

    async def _set_price(self, request: Request) -> Response:
        price = SetPrice.read(await json_body(request)).price
        self._exchange.move_price(price)
        return answer({"price": price})

    async def _read_prices(self, _request: Request) -> Response:
        return answer(self._player.progress())

    async def _play_prices(self, request: Request) -> Response:
        command = PlayPrices.read(await json_body(request))
        return self._played(Playlist("prices", command.prices, command.interval_ms))

    async def _stop_prices(self, _request: Request) -> Response:
        self._player.stop()
        return Response(status_code=204)

    async def _play_scenario(self, request: Request) -> Response:
        command = PlayScenario.read(await json_body(request))
        prices = scenario_prices(
            command.name, start=self._exchange.book.price, seed=command.seed, steps=command.steps
        )
        return self._played(Playlist(command.name, list(prices), command.interval_ms))

    async def _load_candles(self, request: Request) -> Response:
        interval_ms = PlayCandles.read(dict(request.query_params)).interval_ms
        try:
            candles = read_candles(await _csv(request))
        except BadCandles as error:
            raise Refusal(str(error)) from None
        self._exchange.load_candles(candles)
        if interval_ms is None:
            return answer({"candles": len(candles)}, 201)
        return self._played(Playlist("candles", path_of(candles), interval_ms))

    async def _read_clock(self, _request: Request) -> Response:
        return answer(self._clock_json())

    async def _move_clock(self, request: Request) -> Response:
        self._exchange.move_clock(MoveClock.read(await json_body(request)))
        return answer(self._clock_json())

    async def _read_terms(self, _request: Request) -> Response:
        return answer(self._terms_json())

    async def _set_terms(self, request: Request) -> Response:
        self._exchange.set_terms(SetTerms.read(await json_body(request)))
        return answer(self._terms_json())

    def _played(self, playlist: Playlist) -> Response:
        self._player.play(playlist)
        return answer(self._player.progress(), 202)

    def _clock_json(self) -> dict[str, Any]:
        return {"at": self._exchange.now(), "speed": self._exchange.book.market.clock.speed}

    def _terms_json(self) -> dict[str, Any]:
        terms = self._exchange.book.market.terms
        depths = [depth._asdict() for depth in terms.depths]
        return asdict(terms) | {"depths": depths}


async def _csv(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Refusal("content-type: must be text/csv")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise Refusal("The body is not UTF-8") from None
