"""Something happens at a place on an order's way: in this process, by the platform's failpoints."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from exchanges import failpoints
from exchanges.failpoints import Place


class Killed(BaseException):
    """The process is gone."""


def kill() -> None:
    """What a strike may do."""
    raise Killed


@contextmanager
def strike(place: Place, do: Callable[[], object], *, time: int = 1) -> Iterator[None]:
    """Do something when `place` is reached for the given time, and never again."""
    reached = 0

    def at(reached_place: Place) -> None:
        nonlocal reached
        reached += reached_place == place
        if reached_place == place and reached == time:
            do()

    failpoints.arm(at)
    try:
        yield
    finally:
        failpoints.arm(lambda _: None)
