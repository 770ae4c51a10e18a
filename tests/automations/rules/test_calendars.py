"""When a calendar is due, also where clocks are put forward and back."""

from datetime import UTC, datetime

import pytest

from automations.rules.calendars import Calendar, Dates


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "zone", "after", "due"),
    [
        ("0 9 * * 1", "UTC", "2026-11-20 12:00", "2026-11-23 09:00"),
        ("0 9 * * 1", "Europe/Berlin", "2026-11-20 12:00", "2026-11-23 08:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-07-01 12:00", "2026-07-02 07:00"),
        ("0 9 * * *", "America/New_York", "2026-11-20 12:00", "2026-11-20 14:00"),
        ("0 9 * * *", "UTC", "2026-11-20 09:00", "2026-11-21 09:00"),
        ("0 9 29 2 *", "UTC", "2026-11-20 09:00", "2028-02-29 09:00"),
        # 02:30 does not exist in Berlin on 29 March 2026, and comes twice on 25 October
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", "2026-03-29 01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29 01:00", "2026-03-30 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30", "2026-10-26 01:30"),
    ],
)
def test_the_next_date(line, zone, after, due):
    calendar = Calendar(line=line, zone=zone)
    assert calendar.next_after(utc(after)) == utc(due)
    assert calendar.last_until(utc(due)) == utc(due)


@pytest.mark.parametrize(
    ("line", "zone", "until", "due"),
    [
        ("0 9 * * *", "UTC", "2026-11-20 09:00", "2026-11-20 09:00"),
        ("0 9 * * *", "UTC", "2026-11-20 08:59", "2026-11-19 09:00"),
        ("0 9 * * 1", "Europe/Berlin", "2026-11-23 07:59", "2026-11-16 08:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-03-29 08:00", "2026-03-29 07:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29 12:00", "2026-03-29 01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 12:00", "2026-10-25 00:30"),
    ],
)
def test_the_last_date(line, zone, until, due):
    assert Calendar(line=line, zone=zone).last_until(utc(until)) == utc(due)


DAILY = Calendar(line="0 9 * * *")
BEGUN = utc("2026-11-01 00:00")
TODAY, YESTERDAY = utc("2026-11-20 09:00"), utc("2026-11-19 09:00")


@pytest.mark.parametrize(
    ("dates", "count", "due"),
    [
        (Dates(begun_at=BEGUN), 0, TODAY),
        (Dates(begun_at=TODAY), 0, None),
        (Dates(begun_at=BEGUN, done_at=YESTERDAY), 5, TODAY),
        (Dates(begun_at=BEGUN, done_at=TODAY), 0, None),
        (Dates(begun_at=BEGUN).tried(TODAY, count=5), 5, TODAY),
        (Dates(begun_at=BEGUN).tried(TODAY, count=5), 6, None),
        (Dates(begun_at=BEGUN).tried(YESTERDAY, count=5), 6, TODAY),
    ],
    ids=["never", "begun then", "other", "done", "nothing left", "sent", "sent the day before"],
)
def test_which_date_is_due(dates, count, due):
    assert dates.due(DAILY, now=utc("2026-11-20 12:00"), count=count) == due


def test_without_a_calendar_nothing_is_due():
    assert Dates(begun_at=BEGUN).due(None, now=TODAY, count=0) is None
