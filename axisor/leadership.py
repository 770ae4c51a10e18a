"""Which of several beats leads: whoever has RedBeat's lock, for a few seconds at a time."""

import logging
import time

import redis
from redis.exceptions import LockError
from redis.lock import Lock

log = logging.getLogger(__name__)

LEASE_SECONDS = 5
"""How long a leader that says nothing more keeps the others from firing."""


class Leadership:
    """This process' part in it. What it writes is fenced by `token`, so a lease that ran out while
    the process was frozen does no harm."""

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self._key = key
        self._lock: Lock | None = None
        self._extended_at = 0.0

    @property
    def token(self) -> bytes:
        """What the lock holds while this process leads."""
        return bytes(self._lock.local.token) if self._lock else b""

    def holds(self) -> bool:
        """Whether this one leads already; extends the lease in time. Raises `RedisError`."""
        if self._lock is None:
            return False
        if time.monotonic() - self._extended_at > LEASE_SECONDS / 3:
            try:
                self._lock.reacquire()
            except LockError:
                self.step_back()
            self._extended_at = time.monotonic()
        return self._lock is not None

    def takes_over(self) -> bool:
        """Whether the lock was free, and this one leads from now on. Raises `RedisError`."""
        lock = self._client.lock(self._key, timeout=LEASE_SECONDS)
        self._extended_at = time.monotonic()
        if not lock.acquire(blocking=False):
            return False
        self._lock = lock
        log.info("beat: Acquired lock: this one leads.")
        return True

    def step_back(self) -> None:
        """Another one leads, or nobody: stand by."""
        log.warning("beat: Lost the lock: this one stands by.")
        self._lock = None

    def give_up(self) -> None:
        """Let another one lead at once."""
        if self._lock is not None:
            try:
                self._lock.release()
            except redis.RedisError as error:
                log.warning("beat: The lock was not given back: %s", error)
            self._lock = None
