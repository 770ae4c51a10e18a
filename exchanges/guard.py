"""What stands around every request of a client: the contract, without any protection yet.

An adapter hands each request it makes to its guard, and says what kind it is. A guard lets it
through, makes it wait, or raises a `TransientError` instead, before anything is sent; it never
repeats one. Guards are composed, one around the other: see `exchanges.protection`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its name in the port, such as `isolated.add_margin`, and what it is.

    A public one carries no key. One that acts may change something at the exchange.
    """

    operation: str
    is_public: bool = False
    is_act: bool = False


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the exchange says is left: requests, until `resets_in` seconds from now."""

    remaining: int
    resets_in: float


class Guard(Protocol):
    """Stands around the requests of one client."""

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request, once at most, and return what it returns.

        Raises what it raises, and `TransientError` (`NotSent` or `RateLimited`) without making
        it.
        """
        ...

    def learn(self, call: Call, allowance: Allowance) -> None:
        """Take notice of what an answer says is left."""
        ...


class Unguarded:
    """Lets everything through."""

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request."""
        return request()

    def learn(self, call: Call, allowance: Allowance) -> None:
        """Take no notice."""


UNGUARDED = Unguarded()
