"""What anybody may ask about the market."""

from datetime import UTC, datetime, timedelta

import pytest

from exchanges.errors import Unavailable
from exchanges.types import CandleRange, Capability
from tests.exchanges.conformance.calls import (
    MARKET,
    PUBLIC_READS,
    each_adapter,
    each_call,
    long_ago,
)

A_MOMENT = timedelta(seconds=5)
each_public_read = each_call("read", PUBLIC_READS)


@each_adapter()
def test_the_clock_and_the_market(world):
    anybody = world.connect(None)

    anybody.ping()
    assert abs(anybody.time() - datetime.now(UTC)) < A_MOMENT
    ticker = anybody.ticker()
    assert ticker.last_price == world.venue.price()
    assert abs(ticker.at - datetime.now(UTC)) < A_MOMENT


@each_adapter()
def test_buckets_go_up_in_size_and_ask_no_less_than_they_bid(world):
    buckets = world.connect(None).ticker().buckets

    assert [bucket.min_size for bucket in buckets] == sorted(b.min_size for b in buckets)
    for bucket in buckets:
        assert bucket.min_size <= bucket.max_size
        assert bucket.ask is None or bucket.bid is None or bucket.ask >= bucket.bid


@each_adapter()
def test_candles_are_of_the_time_asked_for_and_come_oldest_first(world):
    since, until = long_ago(), datetime.now(UTC)

    candles = world.connect(None).candles(CandleRange.M1, since=since, until=until)

    times = [candle.at for candle in candles]
    assert times == sorted(set(times))
    assert all(since - timedelta(minutes=1) <= at <= until for at in times)
    assert all(candle.low <= world.venue.price() <= candle.high for candle in candles[-1:])


@each_adapter(Capability.SWAPS)
def test_the_best_price_is_around_the_last(world):
    best = world.connect(None).swaps.best_price()

    assert best.bid <= world.venue.price() <= best.ask


@each_adapter(Capability.SPOT)
def test_the_best_price_of_a_spot_market_is_around_the_last(world):
    best = world.connect(None).spot.best_price(MARKET)

    assert best.bid <= world.venue.price() <= best.ask


@each_public_read
def test_anybody_may_ask(world, read):
    read.ask(world.connect(None))


@each_public_read
def test_a_question_that_gets_no_answer(world, read):
    world.venue.cut(executed=False)

    with pytest.raises(Unavailable):
        read.ask(world.connect(None))
    read.ask(world.connect(None))
