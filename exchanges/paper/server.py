"""The paper exchange as a server: `/v3` and the stream `/v1` for clients, `/control` to steer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from uvicorn.protocols.http.h11_impl import H11Protocol

from exchanges.paper.announcements import Announcements
from exchanges.paper.answers import explain
from exchanges.paper.api import Api
from exchanges.paper.api_account import AccountApi
from exchanges.paper.api_cross import CrossApi
from exchanges.paper.api_market import MarketApi
from exchanges.paper.conditions import Conditions
from exchanges.paper.control import Control
from exchanges.paper.control_account import AccountControl
from exchanges.paper.control_faults import FaultControl
from exchanges.paper.control_market import MarketControl
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.faulty_network import FaultyNetwork
from exchanges.paper.ledger import LedgerNotWritten
from exchanges.paper.limits import Limits, Profile, RateLimited
from exchanges.paper.player import Playlist, PricePlayer
from exchanges.paper.refusals import Refusal
from exchanges.paper.routing import Routing
from exchanges.paper.stream import Streams
from exchanges.paper.strikes import Faults
from exchanges.paper.timekeeper import keep_time

HOST = "127.0.0.1"
LOOPBACK = [HOST, "localhost"]
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024
SHUTDOWN_SECONDS = 2
KEEP_ALIVE_SECONDS = 75
"""How long an unused connection stays open, like at a big exchange. A client that trusted one for
longer would lose an order in the very moment in which the server closes it."""
EXPLAINED = (Refusal, HTTPException, LedgerNotWritten, Exception)


class OpenProtocol(H11Protocol):
    """Shows the application its connection: `transport` in the scope's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Offer the transport to all requests of this connection, and to its WebSocket."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def create_app(
    exchange: PaperExchange, limits: Limits, *, opening: Playlist | None = None
) -> Starlette:
    """The ASGI application, which plays `opening` at first; it closes only what it started."""
    faults = Faults()
    player = PricePlayer(exchange)
    streams = Streams(exchange, faults)
    conditions = Conditions()
    routing = Routing(exchange, conditions)
    parts = (MarketApi(routing), Api(routing), CrossApi(routing), AccountApi(routing))
    served = [route for part in parts for route in part.routes()]
    paths = {f"/v3{route.path}" for route in served}
    steered = (
        Control(exchange),
        MarketControl(exchange, player),
        AccountControl(exchange, conditions),
        FaultControl(faults, limits, book=exchange.book, paths=paths),
        Announcements(streams),
    )

    def heed_skew() -> None:
        exchange.skew = faults.skew()

    faults.watch(heed_skew)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each) for each in (streams.pulse(), keep_time(exchange))]
        if opening is not None:
            player.play(opening)
        yield
        for task in tasks:
            task.cancel()
        player.stop()

    crowded = Middleware(RateLimited, limits=limits, book=exchange.book)
    network = Middleware(FaultyNetwork, faults=faults, book=exchange.book)
    loopback = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)
    return Starlette(
        routes=[
            Mount("/v3", routes=served, middleware=[crowded, network]),
            Mount(
                "/control",
                routes=[route for part in steered for route in part.routes()],
                middleware=[loopback],
            ),
            streams.route(),
        ],
        exception_handlers=dict.fromkeys(EXPLAINED, explain),
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
    )


def bind(port: int) -> socket.socket:
    """A listening socket on this machine's loopback address. Raises `OSError`."""
    # asyncio switches Nagle's delay off (40 ms per answer) only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def create_server(
    exchange: PaperExchange, *, limits: Profile = Profile.NONE, opening: Playlist | None = None
) -> uvicorn.Server:
    """The HTTP and WebSocket server; run it with the socket of `bind`."""
    config = uvicorn.Config(
        create_app(exchange, Limits(limits), opening=opening),
        http=OpenProtocol,
        loop="asyncio",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=None,  # a silent stream must send nothing at all
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
