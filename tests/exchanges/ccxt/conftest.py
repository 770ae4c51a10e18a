"""A Kraken of its own for each test."""

from collections.abc import Iterator

import pytest

from exchanges import registry
from exchanges.ccxt.markets import markets_of
from exchanges.client import ExchangeClient
from tests.exchanges.ccxt.fake_kraken import Account, FakeKraken, fake_kraken


@pytest.fixture
def kraken() -> Iterator[FakeKraken]:
    markets_of.cache_clear()  # a port may be met again
    with fake_kraken() as kraken:
        yield kraken


@pytest.fixture
def account(kraken) -> Account:
    return kraken.open_account(usd="100000")


@pytest.fixture
def client(kraken, account) -> ExchangeClient:
    client = registry.connect("ccxt-kraken", base_url=kraken.url, credentials=account.credentials)
    client.ticker()
    return client
