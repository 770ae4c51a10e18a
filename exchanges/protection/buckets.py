"""Token buckets: how many requests may leave, and who waits how long.

A bucket holds up to `burst` tokens and gains `rate` of them a second, so that in any `t` seconds
at most `rate · t + burst` requests leave. It is kept as one number, the generic cell rate
algorithm's theoretical arrival time (ITU-T I.371): `due`, the moment at which the bucket will be
full again. Redis' own clock counts, so that processes need not agree on theirs.

A part of the burst is kept for protective requests. Those which wait for an ordinary token
therefore never take the one that a protective request waits for.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from time import monotonic_ns
from typing import Final, Protocol

import redis

from exchanges.protection.shared import shared_redis

RESERVE: Final = 0.4
"""The part of the burst that protective requests alone may use."""

PROTECTIVE_PAUSE: Final = 5_000_000
"""Microseconds after which a protective request may leave during a longer pause: the exchange may
refuse it once more, which never executes it, but a position may be lost by waiting."""

SHARE_ALONE: Final = 0.25
"""The part of the rate that a process takes for itself while it cannot ask the others."""

KEEP_SECONDS: Final = 7200
"""Longer than any pause; a bucket that was not used for so long is full."""

_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function at(field) return tonumber(redis.call('HGET', KEYS[1], field)) or 0 end
local function keep(field, moment)
    redis.call('HSET', KEYS[1], field, string.format('%.0f', moment))
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
"""
# ARGV after the first: period, burst and room in µs, and until which pause to wait. A bucket that
# is due later than an empty one is from before the clock was set back, or the rate was raised.
_TAKE: Final = f"""{_NOW}
local due, latest = math.max(at('due'), now), now + ARGV[3]
if due > latest then
    due = latest
    keep('due', due)
end
local wait = math.max(due + ARGV[2] - ARGV[4], at(ARGV[5])) - now
if wait <= 0 then
    keep('due', due + ARGV[2])
    return 0
end
return math.ceil(wait)
"""
# ARGV after the first: µs for all, µs for protective requests.
_PAUSE: Final = f"""{_NOW}
keep('all_until', math.max(at('all_until'), now + ARGV[2]))
keep('protective_until', math.max(at('protective_until'), now + ARGV[3]))
"""
# ARGV after the first: how far ahead of now the bucket is due at least, in µs.
_TIGHTEN: Final = f"""{_NOW}
keep('due', math.max(at('due'), now + ARGV[2]))
"""


@dataclass(frozen=True, slots=True)
class Size:
    """What a bucket holds, in µs: a token is worth its `period`."""

    period: int
    burst: int

    @classmethod
    def of(cls, rate: float) -> "Size":
        """The bucket for `rate` requests a second: a second's worth, and one at least."""
        period = ceil(1_000_000 / rate)
        return cls(period, int(max(rate, 1) * period))

    def room(self, *, is_protective: bool) -> int:
        """How much of the burst such a request may use. Of one token nothing can be kept."""
        return self.burst if is_protective else max(int(self.burst * (1 - RESERVE)), self.period)

    def used(self, tokens: int) -> int:
        """In how long a bucket that holds `tokens` is full."""
        return max(self.burst - tokens * self.period, 0)


class _State(Protocol):
    """Where a bucket is kept. All times in µs."""

    def take(self, *, is_protective: bool) -> int: ...
    def pause(self, length: int) -> None: ...
    def leave(self, tokens: int) -> None: ...


class _Shared:
    """In Redis. Raises `redis.RedisError`."""

    def __init__(self, name: str, size: Size) -> None:
        self._key = f"protection:bucket:{name}"
        self._size = size

    def take(self, *, is_protective: bool) -> int:
        room = self._size.room(is_protective=is_protective)
        pause = "protective_until" if is_protective else "all_until"
        return int(_script(_TAKE)(self._key, self._size.period, self._size.burst, room, pause))

    def pause(self, length: int) -> None:
        _script(_PAUSE)(self._key, length, min(length, PROTECTIVE_PAUSE))

    def leave(self, tokens: int) -> None:
        _script(_TIGHTEN)(self._key, self._size.used(tokens))


@lru_cache
def _script(source: str) -> Callable[..., int]:
    script = shared_redis().register_script(source)
    return lambda key, *args: int(script(keys=[key], args=[KEEP_SECONDS, *args]) or 0)


class _Local:
    """In this process, by its own clock: the same arithmetic."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._due = self._all_until = self._protective_until = 0

    def take(self, *, is_protective: bool) -> int:
        now, room = _now(), self._size.room(is_protective=is_protective)
        with self._lock:
            due = max(self._due, now)
            until = self._protective_until if is_protective else self._all_until
            wait = max(due + self._size.period - room, until) - now
            if wait <= 0:
                self._due = due + self._size.period
            return max(wait, 0)

    def pause(self, length: int) -> None:
        now = _now()
        with self._lock:
            self._all_until = max(self._all_until, now + length)
            spared = now + min(length, PROTECTIVE_PAUSE)
            self._protective_until = max(self._protective_until, spared)

    def leave(self, tokens: int) -> None:
        with self._lock:
            self._due = max(self._due, _now() + self._size.used(tokens))


def _now() -> int:
    return monotonic_ns() // 1000


@lru_cache(maxsize=10_000)
def _local(name: str, rate: float) -> _Local:
    return _Local(Size.of(rate * SHARE_ALONE))


class Bucket:
    """The bucket called `name`, of `rate` requests a second. Times are in seconds."""

    def __init__(self, name: str, *, rate: float) -> None:
        self._shared = _Shared(name, Size.of(rate))
        self._alone = _local(name, rate)

    def take(self, *, is_protective: bool) -> float:
        """Take a token and return 0, or return after how long there may be one."""
        try:
            wait = self._shared.take(is_protective=is_protective)
        except redis.RedisError:
            wait = self._alone.take(is_protective=is_protective)
        return wait / 1_000_000

    def pause(self, seconds: float) -> None:
        """Give no token for a while: the exchange said so."""
        length = int(seconds * 1_000_000)
        self._tell(lambda state: state.pause(length))

    def leave(self, tokens: int) -> None:
        """Hold no more than `tokens`: the exchange counts fewer than we do."""
        self._tell(lambda state: state.leave(tokens))

    def _tell(self, news: Callable[[_State], None]) -> None:
        news(self._alone)
        try:
            news(self._shared)
        except redis.RedisError:
            return  # it was logged, and this process knows
