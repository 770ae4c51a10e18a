"""Candles of every range, from what was played and what was loaded."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.paper.candles import Candles, begin_of
from exchanges.types import Candle, CandleRange

NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=400)


def at(text):
    return datetime.fromisoformat(f"{text}Z")


def played(*ticks):
    """Candles after (seconds since noon, price)."""
    candles = Candles()
    for seconds, price in ticks:
        candles.play(NOON + timedelta(seconds=seconds), Decimal(price))
    return candles


def shown(candles, span="1m", **wanted):
    """As (seconds since noon, open, high, low, close), newest first."""
    wanted = {"now": LATER, "limit": 1000} | wanted
    return [
        ((candle.at - NOON) / timedelta(seconds=1), *map(int, (candle.open, candle.high)),
         *map(int, (candle.low, candle.close)))
        for candle in candles.newest_first(CandleRange(span), **wanted)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("span", "begin"),
    [
        pytest.param("1m", "2026-05-14T13:47:00", id="1m"),
        pytest.param("3m", "2026-05-14T13:45:00", id="3m"),
        pytest.param("5m", "2026-05-14T13:45:00", id="5m"),
        pytest.param("10m", "2026-05-14T13:40:00", id="10m"),
        pytest.param("15m", "2026-05-14T13:45:00", id="15m"),
        pytest.param("30m", "2026-05-14T13:30:00", id="30m"),
        pytest.param("45m", "2026-05-14T13:30:00", id="45m"),
        pytest.param("1h", "2026-05-14T13:00:00", id="1h"),
        pytest.param("2h", "2026-05-14T12:00:00", id="2h"),
        pytest.param("3h", "2026-05-14T12:00:00", id="3h"),
        pytest.param("4h", "2026-05-14T12:00:00", id="4h"),
        pytest.param("1d", "2026-05-14T00:00:00", id="1d"),
        pytest.param("1w", "2026-05-11T00:00:00", id="1w, Monday"),
        pytest.param("1month", "2026-05-01T00:00:00", id="1month"),
        pytest.param("3months", "2026-04-01T00:00:00", id="3months, the quarter"),
    ],
)
def test_when_a_candle_begins(span, begin):
    assert begin_of(at("2026-05-14T13:47:12.345"), CandleRange(span)) == at(begin)
    assert begin_of(at(begin), CandleRange(span)) == at(begin)


def test_ticks_become_candles():
    candles = played((0, 100), (20, 105), (40, 95), (59, 101), (60, 102), (200, 90))
    assert shown(candles) == [
        (180, 90, 90, 90, 90),
        (60, 102, 102, 102, 102),
        (0, 100, 105, 95, 101),
    ]
    assert shown(candles, "3m") == [(180, 90, 90, 90, 90), (0, 100, 105, 95, 102)]
    assert shown(candles, "1h") == [(0, 100, 105, 90, 90)]


@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [
        pytest.param({}, [4, 3, 2, 1, 0], id="all"),
        pytest.param({"limit": 2}, [4, 3], id="the newest two"),
        pytest.param({"since": 2}, [4, 3, 2], id="from"),
        pytest.param({"until": 2}, [2, 1, 0], id="to"),
        pytest.param({"since": 1, "until": 3}, [3, 2, 1], id="from and to"),
        pytest.param({"before": 3, "limit": 2}, [2, 1], id="the page after"),
        pytest.param({"now": 2}, [2, 1, 0], id="nothing of the future"),
        pytest.param({"since": 9}, [], id="none"),
    ],
)
def test_which_are_wanted(wanted, minutes):
    candles = played(*((60 * minute, 100) for minute in range(5)))
    times = {
        name: value if name == "limit" else NOON + timedelta(minutes=value)
        for name, value in wanted.items()
    }
    assert [int(row[0] / 60) for row in shown(candles, **times)] == minutes


def hourly(hour, price, volume=1):
    price = Decimal(price)
    return Candle(NOON + timedelta(hours=hour), price, price, price, price, Decimal(volume))


def test_what_was_loaded_is_history_and_what_was_played_counts_more():
    candles = played((0, 100), (30, 101))
    for hour, price in ((-2, 80), (-1, 90), (0, 999), (5, 120)):
        candles.load(hourly(hour, price))
    assert [row[0] / 3600 for row in shown(candles, "1h", now=NOON)] == [0, -1, -2]
    assert shown(candles, "1h", now=NOON)[0] == (0, 100, 101, 100, 101)
    assert shown(candles, "1d") == [(-43200, 80, 120, 80, 120)]
    [day] = candles.newest_first(CandleRange.D1, now=LATER, limit=1)
    assert day.volume == 3, "what is played has none"


def test_a_candle_loaded_again_is_not_new():
    candles = Candles()
    candles.load(hourly(0, 100))
    assert candles.unknown([hourly(0, 100), hourly(0, 101), hourly(1, 100)]) == [
        hourly(0, 101),
        hourly(1, 100),
    ]


@pytest.mark.parametrize(
    ("seconds", "price"),
    [
        pytest.param(-60, 100, id="before all: the first"),
        pytest.param(30, 101, id="of its own minute"),
        pytest.param(90, 101, id="nothing since"),
        pytest.param(500, 103, id="the last"),
    ],
)
def test_the_price_at_a_moment(seconds, price):
    candles = played((0, 100), (20, 101), (300, 103))
    assert candles.price_at(NOON + timedelta(seconds=seconds)) == price


@given(
    ticks=st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(1, 10**6)), min_size=1, max_size=60
    ),
    span=st.sampled_from(CandleRange),
    limit=st.integers(1, 5),
)
def test_pages_together_are_the_whole_whatever_happened(ticks, span, limit):
    ticks.sort(key=lambda tick: tick[0])
    candles = played(*ticks)
    pages, before = [], None
    while page := candles.newest_first(span, now=LATER, before=before, limit=limit):
        pages += page
        before = page[-1].at
    expected = {}
    for seconds, price in ticks:
        begin = begin_of(NOON + timedelta(seconds=seconds), span)
        expected.setdefault(begin, []).append(price)
    assert [(c.at, c.open, c.high, c.low, c.close) for c in reversed(pages)] == [
        (begin, prices[0], max(prices), min(prices), prices[-1])
        for begin, prices in expected.items()
    ]
