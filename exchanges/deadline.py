"""How long the present work may go on asking exchanges.

Whoever runs something that has a limit says so with `within`, and all that the same thread asks
meanwhile keeps to it, however far below. No request begins when the time is over, and a read waits
no longer than what is left of it. An act that has begun keeps the time that its transport gives
it: to stop waiting for its answer would not undo it, and make its outcome unknown.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Final, TypeVar

from exchanges.errors import OutOfTime
from exchanges.guard import Call

T = TypeVar("T")

_MOMENT: Final = 0.001

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let the block ask exchanges for so long, and no longer than what it stands in may."""
    with _until(min(monotonic() + seconds, _ends_at.get())):
        yield


def seconds_left() -> float:
    """Infinite where there is no limit, and not above 0 when the time is over."""
    return _ends_at.get() - monotonic()


def is_over() -> bool:
    """Whether the time is over."""
    return seconds_left() <= 0


def at_most(seconds: float) -> float:
    """So many seconds, or what is left where that is less; always more than nothing."""
    return min(seconds, max(seconds_left(), _MOMENT))


class Timely:
    """The layer that begins nothing past the limit, and lifts it from acts that have begun."""

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request; raises `OutOfTime` when the time is over."""
        if is_over():
            raise OutOfTime("Not sent: the time of the run was over.")
        if not call.is_act:
            return request()
        with _until(math.inf):
            return request()


@contextmanager
def _until(ends_at: float) -> Iterator[None]:
    token = _ends_at.set(ends_at)
    try:
        yield
    finally:
        _ends_at.reset(token)
