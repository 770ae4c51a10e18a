"""The paper exchange as a server: how it treats connections."""

import pytest

from exchanges.paper.exchange import PaperExchange
from exchanges.paper.server import create_server
from exchanges.transport import MAX_IDLE
from tests.paper_server import START_PRICE

COMMON_KEEP_ALIVE = 5
"""Seconds after which many HTTP servers close an unused connection."""


@pytest.fixture
def exchange(tmp_path):
    exchange = PaperExchange(tmp_path / "paper.jsonl", price=START_PRICE)
    yield exchange
    exchange.close()


def test_no_connection_closes_while_a_client_may_still_write_to_it(exchange):
    assert create_server(exchange).config.timeout_keep_alive > 2 * MAX_IDLE


def test_the_client_lets_go_of_a_connection_before_a_common_server_does():
    assert MAX_IDLE < COMMON_KEEP_ALIVE
