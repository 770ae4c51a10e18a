"""A clock that is wrong for a while: ahead of the exchange's and the database's, or behind."""

from datetime import datetime, timedelta, tzinfo
from time import monotonic
from types import ModuleType

_shift = timedelta(0)
_until = 0.0


class WrongClock(datetime):
    """Tells the time as the present shift has it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        """The right time once the shift is over."""
        shift = _shift if monotonic() < _until else timedelta(0)
        return datetime.now(tz) + shift


def shift_clock(seconds: float, *, lasting: float) -> None:
    """Let this process take the time to be `seconds` later than it is (negative: earlier)."""
    global _shift, _until
    _shift, _until = timedelta(seconds=seconds), monotonic() + lasting
    for module in _asking():
        module.__dict__["datetime"] = WrongClock


def _asking() -> tuple[ModuleType, ...]:
    """Where the platform asks for the time, to decide and to sign."""
    from automations import sensing
    from exchanges.lnmarkets import rest

    return sensing, rest
