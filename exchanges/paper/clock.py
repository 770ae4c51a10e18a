"""The exchange's clock: real time, or one that stands, jumps ahead or runs fast. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_SPEED = 3600
MAX_ADVANCE = timedelta(days=31)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """It stood at `at` when real time was `real_at`; since then it goes `speed` times as fast.

    A speed of 0 is a clock that stands. It goes on, or stands, also while no exchange runs.
    """

    at: datetime
    real_at: datetime
    speed: Decimal = Decimal(1)

    def read(self, real: datetime) -> datetime:
        """What it shows when real time is `real`, in whole milliseconds."""
        passed = (real - self.real_at) // _MICROSECOND
        return self.at + timedelta(milliseconds=int(passed * self.speed) // 1000)


REAL_TIME = Clock(at=EPOCH, real_at=EPOCH)


def whole_milliseconds(at: datetime) -> datetime:
    """The same time in UTC, as exact as the exchange is."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)
