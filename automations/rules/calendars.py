"""When a calendar is due: crontab lines in a time zone, with daylight saving. Pure.

A line is five fields as in cron: minute, hour, day of month, month, day of week. Where a clock is
put forward, a time that does not exist is due at once after the gap; where it is put back, a time
that comes twice is due once (`cronsim` follows Debian's cron).
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, StrictStr, ValidationInfo, model_validator

from accounts.zones import check_zone
from automations.rules.base import RuleConfig, RuleMemory

FIELDS = 5


def _line(value: str) -> str:
    if len(value.split()) != FIELDS:
        raise ValueError("must be a crontab line of five fields, such as `0 9 * * 1`")
    try:
        CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"must be a crontab line such as `0 9 * * 1`: {error}") from None
    return value


class Calendar(RuleConfig):
    """Due times."""

    line: Annotated[StrictStr, Field(max_length=100), AfterValidator(_line)]
    """A crontab line: minute, hour, day of month, month, day of week, such as `0 9 * * 1`."""
    zone: Annotated[StrictStr, AfterValidator(check_zone)] = "UTC"
    """The time zone of the line, such as Europe/Berlin; the user's own unless it is given."""

    @model_validator(mode="before")
    @classmethod
    def _in_the_users_zone(cls, given: Any, info: ValidationInfo) -> Any:
        zone = (info.context or {}).get("zone")
        if zone and isinstance(given, dict):
            return {"zone": zone, **given}
        return given

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time after `moment`, in UTC; None when there is none for 50 years."""
        due = next(CronSim(self.line, moment.astimezone(ZoneInfo(self.zone))), None)
        return due and due.astimezone(UTC)

    def last_until(self, moment: datetime) -> datetime | None:
        """The last due time up to and including `moment`, in UTC."""
        after = moment.astimezone(ZoneInfo(self.zone)) + timedelta(seconds=1)
        due = next(CronSim(self.line, after, reverse=True), None)
        return due and due.astimezone(UTC)


class Dates(RuleMemory):
    """What became of the dates of a calendar.

    A date that comes at or before `begun_at`, when the rule began to look, never was due.
    `done_at` is the last date that was dealt with. One that was acted on waits in `tried_at`: it
    is dealt with as soon as more than `count_before` actions were sent, or may have been. So
    what never left is tried again, and no clock decides whether it did.
    """

    begun_at: datetime | None = None
    done_at: datetime | None = None
    tried_at: datetime | None = None
    count_before: int = 0

    def begun(self, now: datetime) -> Self:
        """The same, with a beginning."""
        return self if self.begun_at else self.model_copy(update={"begun_at": now})

    def done(self, date: datetime) -> Self:
        """With a date that is dealt with."""
        return self.model_copy(update={"done_at": date})

    def tried(self, date: datetime, *, count: int) -> Self:
        """With a date that is acted on now, after `count` actions so far."""
        return self.model_copy(update={"tried_at": date, "count_before": count})

    def due(self, calendar: Calendar | None, *, now: datetime, count: int) -> datetime | None:
        """The latest date that has come and is not dealt with; `count` actions were sent so far."""
        date = calendar.last_until(now) if calendar else None
        tried = self.tried_at if count > self.count_before else None
        past = [moment for moment in (self.begun_at, self.done_at, tried) if moment]
        return date if date and all(date > moment for moment in past) else None
