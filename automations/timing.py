"""When an automation is due: on a grid of its own, and on the dates of its calendar. Pure.

The grid's lines are one period apart. Where they lie follows from the automation's id, which
spreads the work and makes its slots the same whoever reckons them, whenever: nothing that happens
to an entry can move them. Times are seconds since 1970, in whole milliseconds.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID
from zlib import crc32

from automations.rules.calendars import Calendar

TICK = "tick:"


@dataclass(frozen=True, slots=True)
class Timing:
    """The due times of one automation: `period` and `phase` in milliseconds."""

    period: int
    phase: int
    calendar: Calendar | None = None

    @classmethod
    def of(cls, automation_id: UUID, *, period: int, calendar: Calendar | None = None) -> Self:
        """The timing of an automation with a `period` in seconds."""
        milliseconds = 1000 * period
        return cls(milliseconds, crc32(automation_id.bytes) % milliseconds, calendar)

    def latest(self, now: float) -> float:
        """The last due time up to and including `now`."""
        date = self.calendar.last_until(_moment(now)) if self.calendar else None
        return max(self._line_until(now), date.timestamp() if date else 0)

    def following(self, now: float) -> float:
        """The first due time after `now`."""
        date = self.calendar.next_after(_moment(now)) if self.calendar else None
        line = self._line_until(now) + self.period / 1000
        return min(line, date.timestamp()) if date else line

    def missed(self, due: float, taken: float) -> int:
        """How many lines of the grid, from `due` on, come before the due time `taken`."""
        return max(0, math.ceil((taken - due) * 1000 / self.period - 1e-6))

    def _line_until(self, now: float) -> float:
        milliseconds = math.floor(1000 * now + 1e-3)
        return (milliseconds - (milliseconds - self.phase) % self.period) / 1000


def slot_of(due: float) -> str:
    """`tick:<epoch>`, the second in which a tick is due."""
    return f"{TICK}{math.floor(due)}"


def second_of(slot: str) -> int:
    """The second that `tick:<epoch>` names; 0 for a slot of another kind."""
    return int(slot.removeprefix(TICK)) if slot.startswith(TICK) else 0


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
