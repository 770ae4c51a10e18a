"""The calls that are measured, by a clock around each of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

import redis
from django.conf import settings

from exchanges import feed, registry
from exchanges.client import ExchangeClient
from exchanges.paper.control_client import ControlClient
from exchanges.types import Aged, Holdings, Ticker

FEED_PER_HTTP = 10
"""Samples of the feed between two of HTTP, so that whatever else the machine does hits both."""

POSITIONS = 3


@dataclass
class Samples:
    """Seconds, by what was measured."""

    new: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    http: list[float] = field(default_factory=list)


class Bench:
    """An account with positions at the exchange of `origin`, and its place in the feed."""

    def __init__(self, origin: str) -> None:
        control = ControlClient(origin)
        account = control.create_account(balance=10_000_000)
        for _ in range(POSITIONS):
            control.open_trade(account.id, side="buy", leverage=10, quantity=1_000)
        self._credentials = account.credentials
        self._account_id = uuid4()
        self._redis = redis.Redis.from_url(settings.REDIS_URL)

    def measure(self, base_url: str, *, samples: int) -> Samples:
        """So many samples of HTTP, and more of the feed, one after the other."""
        client = registry.connect("lnmarkets", base_url=base_url, credentials=self._credentials)
        holdings, ticker = ask(client)
        taken = Samples()
        for _ in range(samples):
            taken.http.append(seconds(lambda: ask(client)))
            for _ in range(FEED_PER_HTTP):
                self._write(holdings, ticker)
                taken.new.append(seconds(self._see))
                taken.known.append(seconds(self._see))
                taken.floor.append(seconds(self._redis.ping))
        return taken

    def _see(self) -> None:
        seen = feed.seen("bench", self._account_id)
        assert seen.ticker
        assert seen.holdings
        assert len(seen.holdings.value.trades) == POSITIONS

    def _write(self, holdings: Holdings, ticker: Ticker) -> None:
        """Let the feed have values that nobody has read yet."""
        now = datetime.now(UTC)
        market = Aged(replace(ticker, at=now), now, "stream")
        assert feed.put_ticker("bench", market)
        assert feed.put_holdings(self._account_id, Aged(holdings, now, "rest"))


def ask(client: ExchangeClient) -> tuple[Holdings, Ticker]:
    """What a decision needs, signed and over HTTP, as it is read for one that acts."""
    balance, trades = client.account().balance, client.isolated.running_trades()
    return Holdings(balance, tuple(trades)), client.ticker()


def seconds(call: Callable[[], object]) -> float:
    """How long it takes."""
    begun = perf_counter()
    call()
    return perf_counter() - begun
