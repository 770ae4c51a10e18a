"""The stream: JSON-RPC 2.0 over WebSocket at `/v1`, news of the same exchange as `/v3`.

The market is told of whenever it changes, and once a second in between; everything else
when it happens. What happens while a client is away it never hears: nothing is repeated.
"""

import asyncio
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from exchanges.paper.changes import Change
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.stream_market import MARKET_TOPICS, market_data
from exchanges.paper.stream_news import news_of
from exchanges.paper.stream_session import Nonces, Session
from exchanges.paper.stream_socket import Socket
from exchanges.paper.strikes import Faults

PULSE_SECONDS: Final = 1


class Streams:
    """All connections of the stream."""

    def __init__(self, exchange: PaperExchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._nonces = Nonces()
        self._sockets: set[Socket] = set()
        self._told: dict[str, dict[str, Any]] = {}
        exchange.listen(self._hear)
        faults.watch(self._heed_faults)

    def route(self) -> WebSocketRoute:
        """The one route there is."""
        return WebSocketRoute("/v1", self._connect)

    def tell(self, topic: str, data: dict[str, Any], *, account_id: str | None = None) -> None:
        """Send news to all who hear the topic; private news to their account alone."""
        for socket in self._sockets:
            if socket.session.hears(topic, account_id):
                socket.tell(topic, data)

    async def pulse(self) -> None:
        """Tell of the market every second, until cancelled."""
        while True:
            self._tell_market()
            await asyncio.sleep(PULSE_SECONDS)

    async def _connect(self, websocket: WebSocket) -> None:
        refused = self._faults.refuses_streams()
        if refused is not None:
            await websocket.send_denial_response(PlainTextResponse(status_code=refused))
            return
        socket = Socket(websocket, Session(self._exchange, self._nonces), self._faults)
        self._sockets.add(socket)
        try:
            await socket.serve()
        finally:
            self._sockets.remove(socket)

    def _hear(self, change: Change) -> None:
        if change.account_id is None:
            self._tell_market()
            return
        account = self._exchange.book.account(change.account_id)
        for news in news_of(change, account):
            self.tell(news.topic, news.data, account_id=account.id)

    def _tell_market(self) -> None:
        now = self._exchange.now()
        for topic in MARKET_TOPICS:
            if not any(socket.session.hears(topic, None) for socket in self._sockets):
                continue
            data = market_data(topic, self._exchange.book.market, now=now)
            if data is not None and data != self._told.get(topic):
                self._told[topic] = data
                self.tell(topic, data)

    def _heed_faults(self) -> None:
        for socket in self._sockets:
            socket.heed_silence()
