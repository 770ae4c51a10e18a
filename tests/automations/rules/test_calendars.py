"""When a calendar is due, also where clocks are put forward and back."""

from datetime import UTC, datetime

import pytest

from automations.rules.calendars import Calendar, Dates
from automations.rules.registry import KINDS


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


def dates_between(calendar, first, last):
    moment, dates = utc(first), []
    while (moment := calendar.next_after(moment)) and moment <= utc(last):
        dates.append(f"{moment:%d %H:%M}")
    return dates


@pytest.mark.parametrize(
    ("zone", "line", "first", "last", "dates"),
    [
        # Berlin: 02:00 to 03:00 on 29 March 2026 is left out, and comes twice on 25 October
        ("Europe/Berlin", "0 * * * *", "2026-03-28 23:30", "2026-03-29 03:00",
         ["29 00:00", "29 01:00", "29 02:00", "29 03:00"]),
        ("Europe/Berlin", "0 * * * *", "2026-10-24 23:30", "2026-10-25 03:00",
         ["25 00:00", "25 01:00", "25 02:00", "25 03:00"]),
        ("Europe/Berlin", "30 1,2,3 * * *", "2026-03-29 00:00", "2026-03-29 12:00",
         ["29 00:30", "29 01:00", "29 01:30"]),
        ("Europe/Berlin", "0 2 * * *", "2026-03-28 12:00", "2026-03-30 12:00",
         ["29 01:00", "30 00:00"]),
        # New York: 8 March and 1 November
        ("America/New_York", "30 2 * * *", "2026-03-07 12:00", "2026-03-09 12:00",
         ["08 07:00", "09 06:30"]),
        ("America/New_York", "30 1 * * *", "2026-10-31 12:00", "2026-11-02 12:00",
         ["01 05:30", "02 06:30"]),
        # Lord Howe: by half an hour, on 4 October (02:00 to 02:30) and 5 April (01:30 to 02:00)
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-02 18:00", "2026-10-04 18:00",
         ["03 15:30", "04 15:15"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-03 18:00", "2026-04-05 18:00",
         ["04 14:45", "05 15:15"]),
        # Sao Paulo has had no daylight saving since 2019
        ("America/Sao_Paulo", "0 0 * * *", "2026-10-17 12:00", "2026-10-19 12:00",
         ["18 03:00", "19 03:00"]),
        # Beirut: midnight itself is left out on 29 March 2026
        ("Asia/Beirut", "0 0 * * *", "2026-03-27 23:00", "2026-03-29 23:00",
         ["28 22:00", "29 21:00"]),
        ("Asia/Beirut", "30 0 * * *", "2026-03-28 12:00", "2026-03-30 12:00",
         ["28 22:00", "29 21:30"]),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)  # fmt: skip
def test_across_daylight_saving_each_date_comes_once(zone, line, first, last, dates):
    assert dates_between(Calendar(line=line, zone=zone), first, last) == dates


@pytest.mark.parametrize("line", ["30 2 * * *", "0 9 * * *", "59 23 * * *", "0 0 * * *"])
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]
)
def test_a_daily_date_comes_once_on_every_day_of_the_year(zone, line):
    calendar = Calendar(line=line, zone=zone)
    assert len(dates_between(calendar, "2026-01-01 12:00", "2027-01-01 12:00")) == 365


@pytest.mark.parametrize(
    ("given", "users", "zone"),
    [
        ({}, None, "UTC"),
        ({}, "Asia/Tokyo", "Asia/Tokyo"),
        ({"zone": "Europe/Berlin"}, "Asia/Tokyo", "Europe/Berlin"),
    ],
    ids=["nobody's", "the user's", "its own"],
)
def test_a_calendar_without_a_zone_is_in_its_users(given, users, zone):
    config = {
        "market": {"type": "swap"},
        "amount": 25,
        "max_total_amount": 100,
        "calendar": {"line": "0 9 * * *", **given},
    }
    assert KINDS["auto_invest"].parse(config, zone=users).calendar.zone == zone


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
