"""The Redis that buckets and breakers share, which nobody waits for when it is away."""

import logging
from functools import cache
from time import monotonic
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

ASK_AGAIN_AFTER = 5.0
"""Seconds for which a Redis that did not answer is taken to be away, without asking it."""


class ImpatientRedis(redis.Redis):
    """Raises `redis.ConnectionError` at once while it is away, and says so once."""

    _away_until = 0.0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command, unless the last one got no answer just now."""
        if monotonic() < self._away_until:
            raise redis.ConnectionError("Redis did not answer a moment ago.")
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._note_absence(error)
            raise
        if self._away_until:
            self._away_until = 0.0
            log.warning("Redis answers again: limits, breakers and the cache are shared.")
        return answer

    def _note_absence(self, error: Exception) -> None:
        if not self._away_until:
            log.error(
                "Redis does not answer (%s): until it does, each process limits its own"
                " requests, there are no circuit breakers, and nothing is cached.",
                type(error).__name__,
            )
        self._away_until = monotonic() + ASK_AGAIN_AFTER


def impatient(url: str) -> redis.Redis:
    """Connections that wait for a second at most, and try once."""
    return ImpatientRedis.from_url(
        url,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=10,
        decode_responses=True,
    )


@cache
def shared_redis() -> redis.Redis:
    """This process' connections."""
    return impatient(settings.REDIS_URL)
