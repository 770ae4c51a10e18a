"""What lies in Redis so that the sealed column is seldom fetched: never plaintext, never stale.

Of each account the cache holds its sealed credentials, for ten minutes, and that they were found
valid, for five. An entry bears the `credentials_version` it was made of; a reader with a row of
another version misses. A sealed value is bound to that version too, so that one which got here by
mistake does not open. Only a good verdict is kept, and only of what the row does not say: whether
the account is connected, its owner free and its exchange on is always read from the row.

The cache may be lost or cleared at any time. Redis' own clock counts. A look-up while Redis is
away is a miss; whoever clears, sweeps or reads the statistics is told.
"""

import base64
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal, get_args
from uuid import UUID

import redis
from django.conf import settings

from exchanges.protection.shared import impatient

log = logging.getLogger(__name__)

Kind = Literal["credentials", "validations"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LIFETIMES: Final[Mapping[Kind, int]] = {"credentials": 600, "validations": 300}
"""Seconds."""

SWEPT_AT_ONCE: Final = 1000

_NAME: Final = "credential-cache"
_KEYS: Final = tuple(f"{_NAME}:{kind}{part}" for kind in KINDS for part in ("", ":ends"))
_COUNTS: Final = f"{_NAME}:counts"

# KEYS: of each kind the entries and when they end, then the counts.
_BEGIN: Final = """
local now = tonumber(redis.call('TIME')[1])
local kinds = {credentials = 1, validations = 3}
local function count(kind, what, by) redis.call('HINCRBY', KEYS[5], kind .. ':' .. what, by) end
local function drop(kind, ids)
    local dropped = 0
    for _, id in ipairs(ids) do
        dropped = dropped + redis.call('HDEL', KEYS[kinds[kind]], id)
        redis.call('ZREM', KEYS[kinds[kind] + 1], id)
    end
    if dropped > 0 then count(kind, 'evictions', dropped) end
    return dropped
end
"""
# ARGV: account, version.
_LOOK_UP: Final = f"""{_BEGIN}
local function look(kind)
    local ends = tonumber(redis.call('ZSCORE', KEYS[kinds[kind] + 1], ARGV[1]) or 0)
    local entry = ends > now and redis.call('HGET', KEYS[kinds[kind]], ARGV[1]) or ''
    local version, value = string.match(entry, '^(%d+) (.*)$')
    local is_hit = version == ARGV[2]
    count(kind, is_hit and 'hits' or 'misses', 1)
    return is_hit and value
end
return {{look('credentials'), look('validations')}}
"""
# ARGV: kind, account, version, value, seconds. An older version never overwrites a newer one.
_KEEP: Final = f"""{_BEGIN}
local key, ends = KEYS[kinds[ARGV[1]]], KEYS[kinds[ARGV[1]] + 1]
local version = string.match(redis.call('HGET', key, ARGV[2]) or '', '^(%d+)')
if version and tonumber(version) > tonumber(ARGV[3]) then return end
redis.call('HSET', key, ARGV[2], ARGV[3] .. ' ' .. ARGV[4])
redis.call('ZADD', ends, now + ARGV[5], ARGV[2])
redis.call('EXPIRE', key, ARGV[5])
redis.call('EXPIRE', ends, ARGV[5])
"""
# ARGV: accounts.
_CLEAR: Final = f"""{_BEGIN}
return {{drop('credentials', ARGV), drop('validations', ARGV)}}
"""
# ARGV: kind, how many at most.
_SWEEP: Final = f"""{_BEGIN}
local ends = KEYS[kinds[ARGV[1]] + 1]
return drop(ARGV[1], redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, ARGV[2]))
"""
_STATISTICS: Final = f"""{_BEGIN}
local function entries(kind)
    return redis.call('ZCOUNT', KEYS[kinds[kind] + 1], '(' .. now, '+inf')
end
return {{entries('credentials'), entries('validations'), redis.call('HGETALL', KEYS[5])}}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache knows of one version of an account's credentials."""

    sealed: bytes | None = None
    is_valid: bool = False


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one kind of entry, in all processes, since Redis was last empty."""

    hits: int
    misses: int
    evictions: int
    entries: int

    @property
    def hit_rate(self) -> float | None:
        """The part of the look-ups that hit, 0 to 1; None before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def look_up(account_id: UUID, version: int) -> Found:
    """Return what is cached of this version of the account's credentials."""
    try:
        sealed, verdict = _script(_LOOK_UP)(str(account_id), version)
    except redis.RedisError:
        return Found()  # it was logged; the database decides
    return Found(None if sealed is None else base64.b64decode(sealed), verdict is not None)


def keep_sealed(account_id: UUID, version: int, sealed: bytes) -> None:
    """Keep sealed credentials as the row of this version has them."""
    _keep("credentials", account_id, version, base64.b64encode(sealed).decode())


def keep_valid(account_id: UUID, version: int) -> None:
    """Keep that the credentials of this version were found valid."""
    _keep("validations", account_id, version, "")


def clear_accounts(account_ids: Collection[UUID]) -> int:
    """Drop what is cached of these accounts; how many entries. Raises `redis.RedisError`."""
    return sum(_script(_CLEAR)(*map(str, account_ids)))


def forget_account(account_id: UUID) -> None:
    """Drop what is cached of an account, if Redis is there: whether it is changes no answer."""
    try:
        clear_accounts([account_id])
    except redis.RedisError as error:
        log.warning("Account %s stays cached: %s", account_id, type(error).__name__)


def sweep_credentials() -> int:
    """Drop sealed credentials past their time; how many. Raises `redis.RedisError`."""
    return _sweep("credentials")


def sweep_validations() -> int:
    """Drop verdicts past their time; how many. Raises `redis.RedisError`."""
    return _sweep("validations")


def statistics() -> dict[Kind, Statistics]:
    """What was looked up and found, by kind. Raises `redis.RedisError`."""
    *entries, flat = _script(_STATISTICS)()
    counts = {name: int(number) for name, number in zip(flat[::2], flat[1::2], strict=True)}
    return {
        kind: Statistics(
            hits=counts.get(f"{kind}:hits", 0),
            misses=counts.get(f"{kind}:misses", 0),
            evictions=counts.get(f"{kind}:evictions", 0),
            entries=there,
        )
        for kind, there in zip(KINDS, entries, strict=True)
    }


def _keep(kind: Kind, account_id: UUID, version: int, value: str) -> None:
    try:
        _script(_KEEP)(kind, str(account_id), version, value, LIFETIMES[kind])
    except redis.RedisError:
        return  # it was logged; the next look-up misses


def _sweep(kind: Kind) -> int:
    swept = 0
    while batch := _script(_SWEEP)(kind, SWEPT_AT_ONCE):
        swept += batch
    return swept


@cache
def _redis() -> redis.Redis:
    return impatient(settings.CACHE_REDIS_URL)


@lru_cache
def _script(source: str) -> Any:
    script = _redis().register_script(source)
    return lambda *args: script(keys=[*_KEYS, _COUNTS], args=args)
