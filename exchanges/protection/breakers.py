"""Circuit breakers that all processes share.

The machine is pybreaker's: closed, open after so many failures in a row, and when its rest is over
half open for a probe, which closes or opens it. What is ours:

- Outcomes are told to it when they are there. Its own way, making the request inside `call`, holds
  a lock meanwhile, and knows no outcome that is neither good nor bad.
- The probe is one among all processes, by a key in Redis.
- Its storage for Redis cannot be made while Redis is away, logs a traceback for each command then,
  and keeps its keys for ever. Ours raises, and nothing is held back while Redis is away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import redis
from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError, CircuitBreakerStorage

from exchanges.protection.metrics import breaker_changed
from exchanges.protection.shared import shared_redis

T = TypeVar("T")

PROBE_SECONDS: Final = 15
"""How long nobody else probes: longer than a request takes, in case its process dies."""

KEEP_SECONDS: Final = 86_400
"""What a breaker remembers, it forgets a day after the last change."""


@dataclass(frozen=True, slots=True)
class Kind:
    """When breakers of a kind open, how many seconds they rest before a
    probe, and what a person is told meanwhile."""

    name: str
    failures: int
    rest: float
    reason: str


ACCOUNT: Final = Kind(
    "account", 5, 30, "the exchange gave this account no answer several times in a row."
)
"""Five requests of one key in a row without an answer are no hiccup: each may have taken ten
seconds, which its automations spent waiting. Half a minute lets a small outage pass."""

PUBLIC: Final = Kind("public", 5, 15, "the exchange gave no public answer several times in a row.")
"""As for a key; but the rest is shorter, since everybody needs the market."""

REFUSALS: Final = Kind("refusals", 3, 60, "the exchange refused this key several times in a row.")
"""A key that was refused three times in a row is not the victim of a typing mistake at the other
end. Exchanges ban addresses that collect refusals, which would hit all accounts."""

EXCHANGE: Final = Kind("exchange", 3, 15, "the exchange gave nobody an answer of late.")
"""Counts breakers that open, of keys or of the public requests, not requests: three in a row,
without an answer to anybody in between, are not one account's trouble."""


class Breaker:
    """The breaker of one kind for one `subject`."""

    def __init__(self, kind: Kind, subject: str) -> None:
        self.kind = kind
        self._exchange = subject.partition(":")[0]
        self._storage = _Storage(f"protection:breaker:{kind.name}:{subject}")

    def is_open(self) -> bool:
        """Whether it is not closed; False while Redis is away."""
        return self._unless_away(lambda: self._storage.state != STATE_CLOSED, otherwise=False)

    def takes_probe(self) -> bool:
        """Whether the one who asks may try again: its rest is over, and nobody else does."""
        return self._unless_away(self._takes_probe, otherwise=True)

    def end_probe(self) -> None:
        """The probe was not made after all: let somebody else."""
        self._unless_away(self._storage.end_probe, otherwise=None)

    def succeeded(self) -> None:
        """An answer came: close it, whatever it was."""
        self._unless_away(self._succeeded, otherwise=None)

    def failed(self) -> bool:
        """No answer came. True when that made a closed breaker open."""
        return self._unless_away(self._failed, otherwise=False)

    def _takes_probe(self) -> bool:
        opened_at = self._storage.opened_at
        if opened_at and datetime.now(UTC) < opened_at + timedelta(seconds=self.kind.rest):
            return False
        return self._storage.takes_probe()

    def _succeeded(self) -> None:
        if self._storage.is_untouched():
            return
        was_open = self._storage.state != STATE_CLOSED
        self._storage.forget()
        if was_open:
            breaker_changed(self._exchange, self.kind.name, "closed")

    def _failed(self) -> bool:
        was_closed = self._storage.state == STATE_CLOSED
        circuit = CircuitBreaker(
            fail_max=self.kind.failures,
            reset_timeout=self.kind.rest,
            state_storage=self._storage,
        )
        try:
            circuit.call(_fail)
        except _Failure:
            return False
        except CircuitBreakerError:
            self._storage.end_probe()
        if was_closed:
            breaker_changed(self._exchange, self.kind.name, "open")
        return was_closed

    def _unless_away(self, act: Callable[[], T], *, otherwise: T) -> T:
        try:
            return act()
        except redis.RedisError:
            return otherwise


class _Failure(Exception):
    """What pybreaker is told in place of the error itself, which may hang on to a request."""


def _fail() -> None:
    raise _Failure


class _Storage(CircuitBreakerStorage):
    """A hash in Redis; what is not in it is as in a new breaker. Raises `redis.RedisError`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._probe = f"{key}:probe"

    @property
    def state(self) -> str:
        return self._get("state") or STATE_CLOSED

    @state.setter
    def state(self, state: str) -> None:
        self._set("state", state)

    @property
    def counter(self) -> int:
        return int(self._get("failures") or 0)

    def increment_counter(self) -> None:
        shared_redis().hincrby(self.name, "failures", 1)
        shared_redis().expire(self.name, KEEP_SECONDS)

    def reset_counter(self) -> None:
        self._set("failures", "0")

    @property
    def success_counter(self) -> int:
        return int(self._get("successes") or 0)

    def increment_success_counter(self) -> None:
        shared_redis().hincrby(self.name, "successes", 1)

    def reset_success_counter(self) -> None:
        self._set("successes", "0")

    @property
    def opened_at(self) -> datetime | None:
        moment = self._get("opened_at")
        return datetime.fromisoformat(moment) if moment else None

    @opened_at.setter
    def opened_at(self, moment: datetime) -> None:
        self._set("opened_at", moment.isoformat())

    def is_untouched(self) -> bool:
        """Nothing has failed since the last success."""
        return not shared_redis().exists(self.name)

    def forget(self) -> None:
        """Be as new."""
        shared_redis().delete(self.name, self._probe)

    def takes_probe(self) -> bool:
        """Whether this caller is the one who may probe."""
        return bool(shared_redis().set(self._probe, 1, nx=True, ex=PROBE_SECONDS))

    def end_probe(self) -> None:
        """Let somebody else probe, after the next rest."""
        shared_redis().delete(self._probe)

    def _get(self, field: str) -> str | None:
        value = shared_redis().hget(self.name, field)
        return None if value is None else str(value)

    def _set(self, field: str, value: str) -> None:
        shared_redis().hset(self.name, field, value)
        shared_redis().expire(self.name, KEEP_SECONDS)
