"""When a calendar is due: crontab lines in a time zone, with daylight saving. Pure.

A line is five fields as in cron: minute, hour, day of month, month, day of week. Where a clock is
put forward, a time that does not exist is due at once after the gap; where it is put back, a time
that comes twice is due once (`cronsim` follows Debian's cron).
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, StrictStr

from automations.rules.base import RuleConfig

FIELDS = 5


def _line(value: str) -> str:
    if len(value.split()) != FIELDS:
        raise ValueError("must be a crontab line of five fields, such as `0 9 * * 1`")
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"must be a crontab line such as `0 9 * * 1`: {error}") from None
    return value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be the name of a time zone, such as Europe/Berlin or UTC")
    return value


class Calendar(RuleConfig):
    """Due times: a crontab line, in a time zone."""

    line: Annotated[StrictStr, Field(max_length=100), AfterValidator(_line)]
    zone: Annotated[StrictStr, AfterValidator(_zone)] = "UTC"

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time after `moment`, in UTC; None when there is none for 50 years."""
        due = next(CronSim(self.line, moment.astimezone(ZoneInfo(self.zone))), None)
        return due and due.astimezone(UTC)

    def last_until(self, moment: datetime) -> datetime | None:
        """The last due time up to and including `moment`, in UTC."""
        after = moment.astimezone(ZoneInfo(self.zone)) + timedelta(seconds=1)
        due = next(CronSim(self.line, after, reverse=True), None)
        return due and due.astimezone(UTC)
