"""The time zones that a person may be in."""

from functools import cache
from zoneinfo import available_timezones


@cache
def known_zones() -> frozenset[str]:
    """The names of all zones; found by walking through files."""
    return frozenset(available_timezones())


def check_zone(name: str) -> str:
    """Return the name of a time zone; `ValueError` says what is allowed."""
    if name not in known_zones():
        raise ValueError("must be the name of a time zone, such as Europe/Berlin or UTC")
    return name
