"""Where the market of a decision to act is from: shared as far as it may be, else asked for."""

from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.conf import settings as configured

from accounts.gateway import open_client, open_market
from automations import reading
from automations.reading import utc_now
from exchanges import feed
from exchanges.errors import RateLimited
from exchanges.types import Aged
from tests.builders import ticker

pytestmark = pytest.mark.django_db

TOLD, ASKED = Decimal(92_400), Decimal(100_000)
LIVE, SHARED = timedelta(seconds=60), timedelta(seconds=120)
SHORT = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _slow_machines_are_welcome(monkeypatch):
    monkeypatch.setattr(reading, "LIVE", LIVE)
    monkeypatch.setattr(reading, "SHARED", SHARED)


@pytest.fixture(autouse=True)
def _redis_of_its_own(db):
    with redis.Redis.from_url(configured.REDIS_URL) as client:
        client.flushdb()
        yield
        client.flushdb()


def tell(source, *, ago):
    """Let the feed know a market which the exchange itself does not have."""
    at = utc_now() - ago
    assert feed.put_ticker("paper", Aged(ticker(TOLD, at=at), at, source))


def acted_on(guarded):
    """The last price that a decision to act would rest on, and where it is from."""
    market = reading.from_exchange(guarded.account, open_client(guarded.account)).ticker
    return market.value.last_price, market.source


@pytest.mark.parametrize(
    ("source", "ago", "expected"),
    [
        ("stream", LIVE - SHORT, (TOLD, "stream")),
        ("stream", LIVE + SHORT, (ASKED, "rest")),
        ("rest", SHORT, (ASKED, "rest")),
    ],
    ids=["told just now", "told too long ago", "an answer to somebody"],
)
def test_a_live_stream_spares_the_question(guarded, source, ago, expected):
    tell(source, ago=ago)
    assert acted_on(guarded) == expected


@pytest.fixture
def no_request_is_left(guarded, settings):
    """The public limit, which all accounts share, is used up for now."""
    settings.EXCHANGE_LIMITS = {"paper": {"private": 100, "public": 0.01}}
    open_market(guarded.account.exchange).ticker()


def test_what_another_was_answered_does_where_no_request_is_left(guarded, no_request_is_left):
    tell("rest", ago=SHARED - SHORT)
    assert acted_on(guarded) == (TOLD, "rest")


def test_what_is_too_old_to_act_on_does_not(guarded, no_request_is_left):
    tell("rest", ago=SHARED + SHORT)
    with pytest.raises(RateLimited):
        acted_on(guarded)
