"""The adapters that are tried, each against an exchange of its own."""

from collections.abc import Callable, Iterator

import pytest

from exchanges import registry
from exchanges.client import ExchangeClient
from exchanges.types import Credentials
from tests.exchanges.conformance.world import BALANCE, World
from tests.paper_server import PaperServer, serving

ADAPTERS: dict[str, Callable[[PaperServer, Credentials | None], ExchangeClient]] = {
    "lnmarkets": lambda paper, credentials: registry.connect(
        "lnmarkets", base_url=paper.url, credentials=credentials
    ),
}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory) -> Iterator[PaperServer]:
    with serving(tmp_path_factory.mktemp("paper") / "ledger.jsonl") as server:
        yield server


@pytest.fixture(params=ADAPTERS.values(), ids=ADAPTERS)
def world(request, exchange) -> World:
    """An account of its own for the test, at an exchange that its module shares."""
    exchange.control.clear_faults()
    account = exchange.control.create_account(balance=BALANCE, username="satoshi")
    return World(exchange, request.param, account.credentials, account.id)
