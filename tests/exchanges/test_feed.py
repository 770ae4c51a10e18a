"""The feed, in a real Valkey: an older value never overwrites a newer one, whatever comes when."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings as configured
from hypothesis import given
from hypothesis import strategies as st

from exchanges import feed
from exchanges.types import Aged, Holdings
from tests.builders import NOW, ticker, trade


@pytest.fixture
def account() -> UUID:
    return uuid4()


@pytest.fixture
def exchange() -> str:
    return f"exchange-{uuid4()}"


def later(seconds: float):
    return NOW + timedelta(seconds=seconds)


def market(price: int, *, dated: float = 0, read: float = 0):
    return Aged(ticker(price, at=later(dated)), later(read), "rest")


def held(balance: int, *trades, read: float = 0):
    return Aged(Holdings(balance, trades), later(read), "rest")


def test_market_and_account_are_seen_together(exchange, account):
    assert feed.seen(exchange, account) == feed.Seen(None, None)
    price, holdings = market(100), held(5, trade())
    feed.put_ticker(exchange, price)
    feed.put_holdings(account, holdings)
    assert feed.seen(exchange, account) == feed.Seen(price, holdings)
    assert (feed.ticker(exchange), feed.holdings(account)) == (price, holdings)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_readings_may_come_in_any_order(account, order):
    for seconds in order:
        assert feed.put_holdings(account, held(seconds, read=seconds)) is (
            seconds == max(order[: order.index(seconds) + 1])
        )
    assert feed.holdings(account).value.balance == 2


@pytest.mark.parametrize(
    ("dated", "read", "is_stored"),
    [(1, 0, True), (1, -1, True), (0, 1, True), (0, 0, True), (0, -1, False), (-1, 1, False)],
)
def test_of_markets_the_exchanges_own_time_decides(exchange, dated, read, is_stored):
    feed.put_ticker(exchange, market(100))
    assert feed.put_ticker(exchange, market(101, dated=dated, read=read)) is is_stored


def test_a_reading_begun_before_an_action_is_refused_after_it(account):
    feed.put_holdings(account, held(1))
    feed.invalidate_holdings(account, at=later(1))
    assert feed.holdings(account) is None
    assert not feed.put_holdings(account, held(1, read=0.5))
    assert feed.put_holdings(account, held(2, read=1.5))


def spend_all(holdings):
    return replace(holdings, balance=0)


def test_an_answer_enters_and_the_rest_stays_as_old_as_it_is(account):
    feed.put_holdings(account, held(5, trade()))
    feed.amend_holdings(account, spend_all, at=later(2))
    assert feed.holdings(account) == Aged(Holdings(0, (trade(),)), NOW, "answer")
    assert not feed.put_holdings(account, held(5, read=1))
    assert feed.put_holdings(account, held(6, read=3))


@pytest.mark.parametrize("amend", [spend_all, lambda holdings: None], ids=["known", "not said"])
def test_what_cannot_be_entered_is_forgotten(account, amend):
    if amend is not spend_all:
        feed.put_holdings(account, held(5))
    feed.amend_holdings(account, amend, at=later(1))
    assert feed.holdings(account) is None
    assert not feed.put_holdings(account, held(5, read=0.5))


def test_an_answer_does_not_undo_what_was_read_meanwhile(account):
    feed.put_holdings(account, held(5))

    def somebody_reads(holdings):
        feed.put_holdings(account, held(7, read=0.5))
        return spend_all(holdings)

    feed.amend_holdings(account, somebody_reads, at=later(1))
    assert feed.holdings(account) is None


def test_when_things_were_read(exchange, account):
    forgotten, unknown = uuid4(), uuid4()
    feed.put_ticker(exchange, market(100, dated=5, read=1))
    feed.put_holdings(account, held(1, read=2))
    feed.invalidate_holdings(forgotten, at=NOW)
    keys = [feed.ticker_key(exchange), *map(feed.holdings_key, (account, forgotten, unknown))]
    assert feed.read_at(keys) == [later(1), later(2), None, None]


def test_a_feed_that_is_away_says_so(account, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    feed._redis.cache_clear()
    try:
        assert feed.read_at([feed.holdings_key(account)]) is None
        assert feed.seen("paper", account) == feed.Seen(None, None)
        assert not feed.put_holdings(account, held(1))
    finally:
        feed._redis.cache_clear()


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("pia")), max_size=12))
def test_nothing_ever_goes_back(steps):
    """Whatever is read, forgotten and answered: what is seen is never older than what was."""
    account, versions = uuid4(), []
    for seconds, step in steps:
        match step:
            case "p":
                feed.put_holdings(account, held(seconds, read=seconds))
            case "i":
                feed.invalidate_holdings(account, at=later(seconds))
            case "a":
                feed.amend_holdings(account, lambda holdings: holdings, at=later(seconds))
        with redis.Redis.from_url(configured.REDIS_URL) as client:
            versions.append(int(client.get(feed.holdings_key(account)).split(b" ")[0]))
        known = feed.holdings(account)
        assert known is None or known.at == later(known.value.balance)
    assert versions == sorted(versions)
