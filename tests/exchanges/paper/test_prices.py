"""Where prices come from: scenarios keep to their formulas, a CSV of candles to its rules."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.prices import (
    BadCandles,
    Scenario,
    path_of,
    read_candles,
    scenario_prices,
)

START = Decimal(100_000)
TICK_SLACK = Decimal(1)
"""Two rounded prices are at most this far from the difference of the exact ones."""


def steps_of(scenario, *, seed=1, steps=2000):
    """What each step added, as a fraction of the starting price."""
    prices = [START, *scenario_prices(scenario, start=START, seed=seed, steps=steps)]
    return [(after - before) / START for before, after in pairwise(prices)]


@pytest.mark.parametrize(
    ("scenario", "least", "most", "mean"),
    [
        pytest.param("bull", "0.001", "0.003", "0.002", id="bull"),
        pytest.param("bear", "-0.002", "0.001", "-0.0005", id="bear"),
        pytest.param("sideways", "-0.0025", "0.0025", "0", id="sideways"),
        pytest.param("volatile", "-0.025", "0.025", "0", id="volatile"),
    ],
)
def test_every_step_keeps_to_the_formula(scenario, least, most, mean):
    steps = steps_of(Scenario(scenario), steps=300)
    slack = TICK_SLACK / START
    assert all(Decimal(least) - slack <= step <= Decimal(most) + slack for step in steps)
    assert abs(sum(steps) / len(steps) - Decimal(mean)) < Decimal("0.0005")


def test_a_volatile_market_has_extreme_events():
    extreme = [step for step in steps_of(Scenario.VOLATILE) if abs(step) > Decimal("0.00501")]
    assert 40 <= len(extreme) <= 120, "a twentieth of 2,000, of which four fifths are that far"


@pytest.mark.parametrize("scenario", Scenario)
def test_the_same_seed_gives_the_same_prices(scenario):
    one, again, other = (
        list(scenario_prices(scenario, start=START, seed=seed, steps=50)) for seed in (7, 7, 8)
    )
    assert one == again
    assert one != other


def test_what_a_seed_gave_it_gives_for_ever():
    prices = scenario_prices(Scenario.BULL, start=START, seed=1, steps=3)
    assert list(prices) == [Decimal(100127), Decimal("100396.5"), Decimal("100649.0")]


@given(
    scenario=st.sampled_from(Scenario),
    ticks=st.integers(1, 400_000) | st.integers(199_000_000, 200_000_000),
    seed=st.integers(0, 2**63 - 1),
)
def test_prices_are_ones_that_a_market_can_have(scenario, ticks, seed):
    for price in scenario_prices(scenario, start=ticks * PRICE_TICK, seed=seed, steps=30):
        assert PRICE_TICK <= price <= MAX_PRICE
        assert price % PRICE_TICK == 0


GOOD = """time,open,high,low,close,volume
2026-01-01T00:00:00Z,100,110.2,95,105,12.5
1767225660000,105,105,105,105
2026-01-01T02:02:00+02:00,105,106,100,101,0
"""


def test_a_csv_of_candles():
    first, second, third = read_candles(GOOD)
    assert first.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (first.open, first.high, first.low, first.close) == (100, 110, 95, 105)
    assert (first.volume, second.volume) == (Decimal("12.5"), 0)
    assert second.at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert third.at == datetime(2026, 1, 1, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.partition("\n")[2], id="no heading"),
        pytest.param(lambda text: "\ufeff" + text, id="a byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="lines of another system"),
        pytest.param(lambda text: text.replace(",", " , "), id="spaces"),
        pytest.param(lambda text: text + "\n\n", id="blank lines"),
    ],
)
def test_what_makes_no_difference(change):
    assert read_candles(change(GOOD)) == read_candles(GOOD)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("2026-01-01T00:00:00,1,1,1,1", "time: must be ISO 8601", id="no zone"),
        pytest.param("yesterday,1,1,1,1", "time: must be ISO 8601", id="no time"),
        pytest.param("9" * 5000 + ",1,1,1,1", "time: must be ISO 8601", id="time absurd"),
        pytest.param("2025-12-31T23:59:00Z,1,1,1,1", "time: must be later", id="time goes back"),
        pytest.param("2026-02-01T00:00:00Z,1,1,1", "columns: ", id="a cell missing"),
        pytest.param("2026-02-01T00:00:00Z,1,1,1,1,1,1", "columns: ", id="a cell too many"),
        pytest.param("2026-02-01T00:00:00Z,x,1,1,1", "open: must be a number", id="a word"),
        pytest.param("2026-02-01T00:00:00Z,NaN,1,1,1", "open: must be finite", id="not a number"),
        pytest.param("2026-02-01T00:00:00Z,1,1e999,1,1", "high: more than 0, up to", id="vast"),
        pytest.param(f"2026-02-01T00:00:00Z,1,1,1,{'1' * 41}", "close: ", id="many digits"),
        pytest.param("2026-02-01T00:00:00Z,1,1,0,1", "low: more than 0", id="nothing"),
        pytest.param("2026-02-01T00:00:00Z,5,4,3,3", "high: must not be below", id="high too low"),
        pytest.param("2026-02-01T00:00:00Z,5,6,4,3", "low: must not be above", id="low too high"),
        pytest.param("2026-02-01T00:00:00Z,5,6,4,5,-1", "volume: 0 to", id="volume negative"),
    ],
)
def test_a_bad_line_is_told_by_number_and_field(line, told):
    with pytest.raises(BadCandles, match=f"^line 5, {told}"):
        read_candles(GOOD + line + "\n")


def test_every_bad_line_is_told_up_to_ten():
    with pytest.raises(BadCandles) as error:
        read_candles(GOOD + "x\n" * 13)
    told = str(error.value).split("; ")
    assert [part[:7] for part in told[:10]] == [f"line {n},"[:7] for n in range(5, 15)]
    assert told[10:] == ["and 3 more"]


@pytest.mark.parametrize("text", ["", "\n\n", "time,open,high,low,close\n"])
def test_no_candles_at_all(text):
    with pytest.raises(BadCandles, match="no candles"):
        read_candles(text)


@pytest.mark.parametrize(
    ("candle", "path"),
    [
        pytest.param("10,12,9,11", [10, 9, 12, 11], id="low is nearer"),
        pytest.param("10,11,8,9", [10, 11, 8, 9], id="high is nearer"),
        pytest.param("10,12,8,9", [10, 8, 12, 9], id="as far"),
        pytest.param("10,10,10,10", [10, 10, 10, 10], id="nothing moved"),
    ],
)
def test_how_a_candle_is_played(candle, path):
    assert path_of(read_candles(f"2026-01-01T00:00:00Z,{candle}")) == path
