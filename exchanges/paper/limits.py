"""How many requests the exchange takes: token buckets, per API key and, unsigned, per address.

LN Markets' sources disagree about its limits, so there are two profiles, and one that lets
everything pass. Where there is a limit, every answer says what is left of it, in the fields of
the IETF draft "RateLimit header fields for HTTP"; one request too many is answered with 429, the
code TOO_MANY_REQUESTS and Retry-After, and is never executed.
"""

import math
import time
from dataclasses import dataclass
from enum import StrEnum

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchanges.paper.answers import error_answer
from exchanges.paper.auth import KEY_HEADER
from exchanges.paper.book import Book


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests per second in the long run, and how many at once after a rest."""

    name: str
    rate: int
    burst: int

    @property
    def policy(self) -> str:
        """The field `RateLimit-Policy`: quota and window in seconds."""
        return f'"{self.name}";q={self.burst};w={math.ceil(self.burst / self.rate)}'


class Profile(StrEnum):
    """`STRICT` is LN Markets' documentation for version 3, `BURST` its policy as clients quote it.

    A client that keeps to the first never meets the second.
    """

    NONE = "none"
    STRICT = "strict"
    BURST = "burst"


SIGNED, UNSIGNED = "authenticated", "public"
ALLOWANCES = {
    Profile.STRICT: (Allowance(SIGNED, 5, 5), Allowance(UNSIGNED, 1, 1)),
    Profile.BURST: (Allowance(SIGNED, 20, 40), Allowance(UNSIGNED, 4, 5)),
}


class Bucket:
    """Tokens that come back with time; `now` is in seconds on any clock that only advances."""

    def __init__(self, allowance: Allowance, *, now: float) -> None:
        self.allowance = allowance
        self._tokens = float(allowance.burst)
        self._at = now

    def take(self, *, now: float) -> bool:
        """Take a token, if there is one."""
        gained = (now - self._at) * self.allowance.rate
        self._tokens = min(self._tokens + gained, float(self.allowance.burst))
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def remaining(self) -> int:
        """Whole tokens that were left at the last `take`."""
        return int(self._tokens)

    @property
    def wait(self) -> float:
        """Seconds from the last `take` until there is a whole token."""
        return max(1 - self._tokens, 0) / self.allowance.rate

    @property
    def state(self) -> str:
        """The field `RateLimit`: what is left, and in how many seconds all of it is there."""
        missing = self.allowance.burst - self._tokens
        return (
            f'"{self.allowance.name}";r={self.remaining};'
            f"t={math.ceil(missing / self.allowance.rate)}"
        )


class Limits:
    """The buckets of everybody, under the profile that holds now."""

    def __init__(self, profile: Profile = Profile.NONE) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.profile = profile

    def hold(self, profile: Profile) -> None:
        """Begin with the profile, all buckets full."""
        self.profile = profile
        self._buckets.clear()

    def bucket(self, *, key: str | None, address: str, now: float) -> Bucket | None:
        """What a request by this API key, or else from this address, draws on."""
        if self.profile is Profile.NONE:
            return None
        signed, unsigned = ALLOWANCES[self.profile]
        allowance, whose = (unsigned, address) if key is None else (signed, key)
        place = (allowance.name, whose)
        if place not in self._buckets:
            self._buckets[place] = Bucket(allowance, now=now)
        return self._buckets[place]


class RateLimited:
    """ASGI middleware that refuses one request too many, and tells all what is left."""

    def __init__(self, app: ASGIApp, *, limits: Limits, book: Book) -> None:
        self._app = app
        self._limits = limits
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        bucket = self._bucket(scope)
        if bucket is None:
            await self._app(scope, receive, send)
        elif bucket.take(now=time.monotonic()):
            await self._app(scope, receive, _telling(bucket, send))
        else:
            await too_many_requests(bucket.wait)(scope, receive, _telling(bucket, send))

    def _bucket(self, scope: Scope) -> Bucket | None:
        key = Headers(scope=scope).get(KEY_HEADER, "")
        known = key if self._book.account_of(key) else None
        return self._limits.bucket(key=known, address=scope["client"][0], now=time.monotonic())


def too_many_requests(seconds: float) -> Response:
    """429, with when to come again, rounded up to whole seconds."""
    refused = error_answer(429, "TOO_MANY_REQUESTS", "Too many requests")
    refused.headers["Retry-After"] = str(math.ceil(seconds))
    return refused


def _telling(bucket: Bucket, send: Send) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["RateLimit-Policy"] = bucket.allowance.policy
            headers["RateLimit"] = bucket.state
        await send(message)

    return tell
