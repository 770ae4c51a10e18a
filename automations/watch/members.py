"""The watches there are, by Redis' clock, and which of them has what."""

import hashlib
import logging
from secrets import token_hex
from typing import cast

import redis
from django.conf import settings

log = logging.getLogger(__name__)

KEY = "watch:members"
EXPIRES = 4
"""Seconds after which a watch that says nothing any more is dead."""

# KEYS[1] the members, by when they were last heard; ARGV: who speaks, seconds to believe it.
BEAT = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


class Members:
    """This watch among all others. Without Redis it goes on with those it knew."""

    def __init__(self) -> None:
        self._own = token_hex(8)
        self._known = [self._own]
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        )
        self._beat = self._redis.register_script(BEAT)

    def beat(self) -> None:
        """Say that this one is there, and learn who else is."""
        try:
            names = cast(list[bytes], self._beat(keys=[KEY], args=[self._own, EXPIRES]))
        except redis.RedisError as error:
            log.warning("Who else watches is not known: %s", type(error).__name__)
        else:
            self._known = [name.decode() for name in names]

    def has(self, subject: str) -> bool:
        """Whether `subject` is this one's: each draws a number for it, and the highest wins."""
        return max(self._known, key=lambda name: _drawn(name, subject)) == self._own

    def leave(self) -> None:
        """Let the others take over at once."""
        try:
            self._redis.zrem(KEY, self._own)
        except redis.RedisError as error:
            log.warning("The others are not told of the end: %s", type(error).__name__)
        self._redis.close()


def _drawn(name: str, subject: str) -> bytes:
    return hashlib.sha256(f"{name} {subject}".encode()).digest()
