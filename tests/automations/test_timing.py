"""Due times: on a grid that nothing moves, and on the dates of a calendar."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.rules.calendars import Calendar
from automations.timing import Timing, second_of, slot_of

IDS = st.uuids()
PERIODS = st.integers(1, 3600)
NOWS = st.floats(1_700_000_000, 2_000_000_000)
AN_ID = UUID("6f1c7a52-0d6e-4b0e-9a3b-0a7f2b1f9c11")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def said(moment):
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


@given(IDS, PERIODS, NOWS)
def test_the_latest_and_the_following_are_one_period_apart_around_now(id_, period, now):
    timing = Timing.of(id_, period=period)
    latest, following = timing.latest(now), timing.following(now)
    assert latest <= now + 1e-3
    assert following > now - 1e-3
    assert following - latest == pytest.approx(period)


@given(IDS, PERIODS, NOWS)
def test_a_due_time_is_its_own_latest_and_leads_to_the_next(id_, period, now):
    timing = Timing.of(id_, period=period)
    due = timing.following(now)
    assert timing.latest(due) == due
    assert timing.following(due) - due == pytest.approx(period, abs=1e-3)


@given(IDS, PERIODS, NOWS, st.integers(0, 500))
def test_what_went_by_is_counted_exactly(id_, period, now, count):
    timing = Timing.of(id_, period=period)
    due = timing.latest(now)
    assert timing.missed(due, timing.latest(due + count * period)) == count


@given(IDS, PERIODS, NOWS)
def test_no_two_due_times_share_a_slot(id_, period, now):
    timing = Timing.of(id_, period=period)
    assert slot_of(timing.latest(now)) != slot_of(timing.following(now))
    assert second_of(slot_of(timing.latest(now))) == int(timing.latest(now))


def test_many_automations_are_spread_over_the_period():
    phases = [Timing.of(uuid4(), period=10).phase // 1000 for _ in range(10_000)]
    counts = [phases.count(second) for second in range(10)]
    assert max(counts) < 1.2 * min(counts)


@pytest.mark.parametrize(
    ("slot", "second"), [("tick:1795177339", 1795177339), ("manual:x", 0), ("", 0)]
)
def test_only_ticks_have_a_second(slot, second):
    assert second_of(slot) == second


@pytest.mark.parametrize(
    ("zone", "line", "now", "expected"),
    [
        ("UTC", "0 9 * * *", "2026-11-28 08:59:59", "2026-11-28 09:00"),
        ("Europe/Berlin", "0 9 * * *", "2026-03-28 09:00", "2026-03-29 07:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-03-29 00:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-24 23:00", "2026-10-25 00:30"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25 00:30", "2026-10-26 01:30"),
        ("America/New_York", "0 9 * * 1", "2026-11-01 12:00", "2026-11-02 14:00"),
        ("America/New_York", "0 9 * * 1", "2026-03-08 12:00", "2026-03-09 13:00"),
        ("Australia/Lord_Howe", "0 9 * * *", "2026-10-03 12:00", "2026-10-03 22:00"),
        ("Australia/Lord_Howe", "0 9 * * *", "2026-04-04 12:00", "2026-04-04 22:30"),
    ],
    ids=[
        "UTC", "spring forward", "in the gap: at its end", "twice: the first one", "not again",
        "back to winter", "on to summer", "half an hour on", "half an hour back",
    ],
)  # fmt: skip
def test_a_calendar_is_due_at_its_dates_across_daylight_saving(zone, line, now, expected):
    calendar = Calendar(line=line, zone=zone)
    timing = Timing.of(AN_ID, period=100_000_000, calendar=calendar)
    due = timing.following(at(now))
    assert said(due) == expected
    assert timing.latest(due) == due


def test_between_its_dates_a_calendar_is_looked_at_every_period():
    timing = Timing.of(AN_ID, period=3600, calendar=Calendar(line="0 9 * * *"))
    nine, moment, dues = at("2026-11-28 09:00"), at("2026-11-28 00:00"), []
    while (moment := timing.following(moment)) < at("2026-11-29 00:00"):
        dues.append(moment)
    assert nine in dues
    assert len(dues) == 24 + 1
