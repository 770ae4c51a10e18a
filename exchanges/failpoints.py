"""Named places on the way of an order at which a crash test may kill or freeze the process.

In production nothing is armed and nothing can be: no setting reaches this module, and the
environment refuses variables it does not know. A test's own settings module calls `arm`.
"""

from collections.abc import Callable
from typing import Literal, get_args

Place = Literal[
    "accepted",  # the errand is committed
    "planned",  # execution and intents are committed
    "claimed",  # the intent is committed as sending, with its signature's time
    "signed",  # the connection stands, the deadline is about to be looked at
    "leaving",  # it was looked at, the first byte is about to leave
    "sent",  # the last byte has left, no answer has been read
    "answered",  # the answer is read, nothing of it is committed
    "settled",  # the intent's outcome is committed
]
PLACES: tuple[Place, ...] = get_args(Place)

_strike: Callable[[Place], None] | None = None


def arm(strike: Callable[[Place], None]) -> None:
    """Have `strike` called at every place, in the process and thread that gets there."""
    global _strike
    _strike = strike


def failpoint(place: Place) -> None:
    """Mark a place; does nothing unless armed."""
    if _strike is not None:
        _strike(place)
