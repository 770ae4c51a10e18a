"""A paper exchange over real HTTP, in a thread of the test process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.paper.control_client import ControlClient
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.server import HOST, bind, create_server

START_PRICE = Decimal(100_000)
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class PaperServer:
    """`url` is what an adapter needs, `origin` the same without `/v3`."""

    origin: str
    ledger_path: Path
    control: ControlClient

    @property
    def url(self) -> str:
        return f"{self.origin}/v3"


@contextmanager
def serving(ledger_path: Path) -> Iterator[PaperServer]:
    """The exchange of this ledger on a free port, until the end of the block."""
    listener = bind(0)
    exchange = PaperExchange(ledger_path, price=START_PRICE)
    server = create_server(exchange)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    origin = f"http://{HOST}:{listener.getsockname()[1]}"
    try:
        yield PaperServer(origin, ledger_path, ControlClient(origin))
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        exchange.close()


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[PaperServer]:
    """A paper exchange of its own for the test, at 100,000 USD."""
    with serving(tmp_path / "paper.jsonl") as server:
        yield server
