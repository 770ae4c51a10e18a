"""The port for streams: what an exchange tells by itself, and how it reaches whoever listens.

A stream is one connection that is kept up until it is stopped: it comes back by itself, however
often it breaks, and has authenticated and subscribed again before it says `Up`. Nothing is told of
what happened while it was down, so `Up` means: read everything anew. News may come twice, and what
comes is only ever a hint to look, except for the market, which it tells in full.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from exchanges.types import Bucket


@dataclass(frozen=True, slots=True)
class MarketNews:
    """What the market is like at `at`, by the exchange's clock; None is not known or not told.

    `known_at` is the same moment by our clock, never later than it was heard: news that were held
    up on their way are as old as they are.
    """

    at: datetime
    known_at: datetime
    last_price: Decimal | None = None
    index: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_at: datetime | None = None
    buckets: tuple[Bucket, ...] | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something the exchange says to everybody, in its own words."""

    text: str
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class AccountNews:
    """Something changed on the account; `what` says it in the exchange's words."""

    what: str


@dataclass(frozen=True, slots=True)
class Up:
    """Connected, authenticated and subscribed; whatever happened before was not told."""


@dataclass(frozen=True, slots=True)
class Down:
    """Not connected any more, or still not; it is tried again by itself."""

    reason: str


News = MarketNews | Announcement | AccountNews | Up | Down
Listener = Callable[[News], None]
"""Called in the stream's own thread; while it works, nothing else is heard."""


class Stream(Protocol):
    """One connection to one exchange: for the market, or with credentials for one account."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often something went wrong or was dropped, by its name."""
        ...

    def start(self) -> None:
        """Connect, and stay connected until `stop`; answers at once."""
        ...

    def renew(self) -> None:
        """Drop the connection, whatever it seems to be, and make a new one."""
        ...

    def stop(self) -> None:
        """End for good; what is just being told may still be."""
        ...
