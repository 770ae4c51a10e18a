"""What an operator sees of an exchange: its market, its stream, and what it announces."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings
from django.urls import reverse

from accounts.models import User
from exchanges import feed
from exchanges.feed import Health
from exchanges.models import Exchange
from exchanges.types import Aged
from tests.accounts.builders import the_paper_exchange
from tests.builders import ticker

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client):
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()
    client.force_login(User.objects.create_superuser("operator"))
    address = reverse("admin:exchanges_exchange_change", args=[the_paper_exchange().pk])
    return lambda: client.get(address).content.decode()


def test_an_exchange_that_nobody_watches(page):
    assert "not known" in page()
    assert "not watched" in page()


@pytest.mark.parametrize(
    ("source", "health", "expected"),
    [
        ("stream", Health(is_up=True, since=datetime(2026, 1, 2, tzinfo=UTC)),
         ["by its stream", "up since 2026-01-02 00:00:00 UTC."]),
        ("rest", Health(is_up=False, since=datetime(2026, 1, 2, tzinfo=UTC), reason="It fell."),
         ["by HTTP", "down since 2026-01-02 00:00:00 UTC. It fell."]),
    ],
    ids=["up", "down"],
)  # fmt: skip
def test_where_its_market_is_from(page, source, health, expected):
    now = datetime.now(UTC)
    feed.put_ticker("paper", Aged(ticker(91_234, at=now), now - timedelta(seconds=2), source))
    feed.put_health("paper", health)
    content = page()
    assert [text for text in ["91,234 USD, 2.", *expected] if text not in content] == []


def test_what_it_announces(page):
    said_at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    Exchange.objects.update(announcement="Maintenance <at noon>", announced_at=said_at)
    assert "2026-01-02 03:04 UTC: Maintenance &lt;at noon&gt;" in page()
