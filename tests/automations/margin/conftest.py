"""A monitor over a guarded position, whose looks the test asks for."""

from threading import Event

import pytest
import redis
from django.conf import settings

from accounts.gateway import open_client
from automations import reading
from automations.margin import rounds
from automations.margin.monitoring import Monitor


@pytest.fixture(autouse=True)
def empty_redis():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


@pytest.fixture
def impatient(monkeypatch):
    """What cannot be read is tried again at once, and only once: no breaker opens over it."""
    monkeypatch.setattr(rounds, "PAUSES", (0.01,))


class Looking:
    """A monitor: each look is waited for, and what it reads beside it as well."""

    def __init__(self):
        self.monitor = Monitor(Event())

    def look(self, *, at=(), price=None):
        """Look, after these accounts, and the market at `price`, were read into the feed."""
        for guarded in at:
            read_into_feed(guarded, price)
        self.monitor.look()
        self.await_rounds()
        for each in self.monitor._rounds.values():
            for found in list(each._readings.values()):
                found.work.result()

    def await_rounds(self):
        """Wait for the rounds alone."""
        for each in self.monitor._rounds.values():
            each._round.result()


@pytest.fixture
def looking(transactional_db):
    return Looking()


def read_into_feed(guarded, price=None):
    """What `watch` does."""
    if price is not None:
        guarded.fall(price)
    account = type(guarded.account).objects.get(pk=guarded.account.pk)
    client = open_client(account)
    reading.read_ticker(account.exchange.slug, client)
    reading.read_holdings(account, client, reading.watched_of(account))


def told(guarded, prefix="margin_"):
    """The kinds of what the monitor told the owner, oldest first."""
    events = guarded.user.events.filter(kind__startswith=prefix)
    by_others = {"margin_guard_executed"}
    return list(events.exclude(kind__in=by_others).order_by("id").values_list("kind", flat=True))
