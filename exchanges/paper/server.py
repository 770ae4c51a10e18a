"""The paper exchange as a server: `/v3` for clients, `/control` for whoever steers the market."""

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

from exchanges.paper.answers import explain
from exchanges.paper.api import Api
from exchanges.paper.api_account import AccountApi
from exchanges.paper.api_cross import CrossApi
from exchanges.paper.conditions import Conditions
from exchanges.paper.control import Control
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.faults import Faults, FaultyNetwork
from exchanges.paper.ledger import LedgerNotWritten
from exchanges.paper.player import PricePlayer
from exchanges.paper.refusals import Refusal
from exchanges.paper.routing import Routing

HOST = "127.0.0.1"
LOOPBACK = [HOST, "localhost"]
MAX_BODY_BYTES = 16 * 1024 * 1024
SHUTDOWN_SECONDS = 2
KEEP_ALIVE_SECONDS = 75
"""How long an unused connection stays open, like at a big exchange. A client that trusted one for
longer would lose an order in the very moment in which the server closes it."""
EXPLAINED = (Refusal, HTTPException, LedgerNotWritten, Exception)


class CuttableProtocol(H11Protocol):
    """Lets the application close a connection without an answer: `cut` in the scope's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Offer this connection's `cut` to its requests."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}


def create_app(exchange: PaperExchange) -> Starlette:
    """The ASGI application; it closes nothing but what it started itself."""
    faults = Faults()
    player = PricePlayer(exchange)
    conditions = Conditions()
    routing = Routing(exchange, conditions)
    parts = (Api(routing), CrossApi(routing), AccountApi(routing))
    served = [route for part in parts for route in part.routes()]
    control = Control(exchange, faults, player, paths={f"/v3{route.path}" for route in served})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        player.stop()

    network = Middleware(FaultyNetwork, faults=faults, book=exchange.book)
    loopback = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)
    return Starlette(
        routes=[
            Mount("/v3", routes=served, middleware=[network]),
            Mount("/control", routes=control.routes(), middleware=[loopback]),
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


def create_server(exchange: PaperExchange) -> uvicorn.Server:
    """The HTTP server; run it with the socket of `bind`."""
    config = uvicorn.Config(
        create_app(exchange),
        http=CuttableProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
