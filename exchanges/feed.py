"""The feed: what the platform last saw of markets and accounts, shared by all processes.

It lives in Redis and may be lost at any time: what cannot be read is absent, and what cannot be
written is logged. Nothing that acts depends on it. Every value carries the moment it was read; an
older one never overwrites a newer one, and a reader decides by its age whether to trust it.
"""

import logging
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import redis
from django.conf import settings
from pydantic import TypeAdapter, ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchanges.types import Aged, Holdings, Ticker

log = logging.getLogger(__name__)

T = TypeVar("T")

KEEP_SECONDS = 3600

# KEYS[1] the entry; ARGV: the moment (µs since the epoch), the value, seconds to keep it.
STORE_IF_NEWER = """
local known = redis.call('HGET', KEYS[1], 'at')
if known and tonumber(known) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'at', ARGV[1], 'value', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


TICKER = TypeAdapter(Aged[Ticker])
HOLDINGS = TypeAdapter(Aged[Holdings])


def put_ticker(exchange: str, aged: Aged[Ticker]) -> bool:
    """Store a ticker; False when a newer one is there already."""
    return _put(f"feed:ticker:{exchange}", TICKER, aged)


def ticker(exchange: str) -> Aged[Ticker] | None:
    """The latest ticker of an exchange, or None when nothing is known."""
    return _get(f"feed:ticker:{exchange}", TICKER)


def put_holdings(account_id: UUID, aged: Aged[Holdings]) -> bool:
    """Store an account's holdings; False when newer ones are there already."""
    return _put(f"feed:holdings:{account_id}", HOLDINGS, aged)


def invalidate_holdings(account_id: UUID, *, at: datetime) -> None:
    """Forget what an account held before `at`: something was sent that may have changed it.

    A reading that was begun earlier and arrives later is refused like any older one.
    """
    _store(f"feed:holdings:{account_id}", at, b"")


def holdings(account_id: UUID) -> Aged[Holdings] | None:
    """The latest holdings of an account, or None when nothing is known."""
    return _get(f"feed:holdings:{account_id}", HOLDINGS)


@cache
def _redis() -> redis.Redis:
    """Quick to give up: whoever acts must not wait for the feed."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 1),
    )


def _put(key: str, adapter: TypeAdapter[Any], aged: Aged[Any]) -> bool:
    return _store(key, aged.at, adapter.dump_json(aged))


def _store(key: str, at: datetime, value: bytes) -> bool:
    microseconds = int(at.timestamp() * 1_000_000)
    store = _redis().register_script(STORE_IF_NEWER)
    try:
        return bool(store(keys=[key], args=[microseconds, value, KEEP_SECONDS]))
    except redis.RedisError as error:
        log.warning("The feed does not take %s: %s", key, type(error).__name__)
        return False


def _get(key: str, adapter: TypeAdapter[Aged[T]]) -> Aged[T] | None:
    """What is stored; None too for what does not answer or was written by another version."""
    try:
        stored = _redis().hget(key, "value")
        return adapter.validate_json(stored) if stored else None
    except (redis.RedisError, ValidationError) as error:
        log.warning("The feed does not give %s: %s", key, type(error).__name__)
        return None
