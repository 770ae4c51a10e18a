"""The feed: what the platform last saw of markets and accounts, shared by all processes.

It lives in Redis and may be lost at any time. Every value carries the moment it was read; an
older one never overwrites a newer one, and a reader decides by its age whether to trust it.
"""

from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

import redis
from django.conf import settings
from pydantic import TypeAdapter

from exchanges.types import Aged, Holdings, Ticker

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
    stored = _get(f"feed:ticker:{exchange}")
    return TICKER.validate_json(stored) if stored else None


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
    stored = _get(f"feed:holdings:{account_id}")
    return HOLDINGS.validate_json(stored) if stored else None


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=3)


def _put(key: str, adapter: TypeAdapter[Any], aged: Aged[Any]) -> bool:
    return _store(key, aged.at, adapter.dump_json(aged))


def _store(key: str, at: datetime, value: bytes) -> bool:
    microseconds = int(at.timestamp() * 1_000_000)
    store = _redis().register_script(STORE_IF_NEWER)
    return bool(store(keys=[key], args=[microseconds, value, KEEP_SECONDS]))


def _get(key: str) -> bytes | None:
    return cast("bytes | None", _redis().hget(key, "value"))
