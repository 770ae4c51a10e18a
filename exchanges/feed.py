"""The feed: what the platform last saw of markets and accounts, shared by all processes.

It lives in Redis and may be lost at any time: what cannot be read is absent, and what cannot be
written is logged. Nothing that acts depends on it. Every value carries the moment at which it was
so and its source, and a reader decides by its age whether to trust it.

An entry is text: its version, the moment it was read (both in µs since 1970) and the value as
JSON, empty when something happened that may have changed it. An older version never overwrites a
newer one, nor one of the same version that was read later. The version of a market is the
exchange's own time; that of an account is the moment it was asked for, and moves on with each
answer to an action of our own, which enters at once.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

import redis
from django.conf import settings
from pydantic import TypeAdapter, ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from exchanges.types import Aged, BestPrice, Holdings, Ticker

log = logging.getLogger(__name__)

T = TypeVar("T")

KEEP_SECONDS = 3600
HEALTH_SECONDS = 5

# KEYS[1] the entry; ARGV: its version, read at, value, seconds to keep it, the version that must
# be there (empty: any that is not newer).
STORE_IF_NEWER = """
local version, read_at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)')
if ARGV[5] ~= '' and version ~= ARGV[5] then return 0 end
if version then
  local newer = tonumber(version) - tonumber(ARGV[1])
  if newer > 0 or (newer == 0 and tonumber(read_at) > tonumber(ARGV[2])) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'EX', ARGV[4])
return 1
"""

LONGEST_HEAD = 40
"""Characters before the value: two numbers of 16 digits, and room for later centuries."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

TICKER = TypeAdapter(Aged[Ticker])
HOLDINGS = TypeAdapter(Aged[Holdings])
QUOTE = TypeAdapter(Aged[BestPrice])


@dataclass(frozen=True, slots=True)
class Seen:
    """What the feed knows of a market and an account; None where it knows nothing.

    `quotes` are those known of the markets that were asked for, by symbol.
    """

    ticker: Aged[Ticker] | None
    holdings: Aged[Holdings] | None
    quotes: tuple[tuple[str, Aged[BestPrice]], ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """How it stands with an exchange's stream, since when, and why it is down."""

    is_up: bool
    since: datetime
    reason: str = ""


HEALTH = TypeAdapter(Health)


def seen(exchange: str, account_id: UUID, *symbols: str) -> Seen:
    """Market, account, and the quotes of these markets, in one round trip."""
    keys = [quote_key(exchange, symbol) for symbol in symbols]
    market, account, *quotes = _get(ticker_key(exchange), holdings_key(account_id), *keys)
    parsed = [(symbol, _parse(QUOTE, entry)) for symbol, entry in zip(symbols, quotes, strict=True)]
    known = tuple((symbol, quote) for symbol, quote in parsed if quote)
    return Seen(_parse_ticker(market), _parse_holdings(account), known)


def put_quote(exchange: str, symbol: str, aged: Aged[BestPrice]) -> bool:
    """Store bid and ask of a market; False when newer ones are there already."""
    return _put(quote_key(exchange, symbol), QUOTE, aged, version=aged.at)


def put_ticker(exchange: str, aged: Aged[Ticker]) -> bool:
    """Store a ticker; False when the exchange has dated one that is there already later."""
    return _put(ticker_key(exchange), TICKER, aged, version=aged.value.at)


def ticker(exchange: str) -> Aged[Ticker] | None:
    """The latest ticker of an exchange, or None when nothing is known."""
    [entry] = _get(ticker_key(exchange))
    return _parse_ticker(entry)


def put_holdings(account_id: UUID, aged: Aged[Holdings]) -> bool:
    """Store an account's holdings; False when newer ones are there already."""
    return _put(holdings_key(account_id), HOLDINGS, aged, version=aged.at)


def holdings(account_id: UUID) -> Aged[Holdings] | None:
    """The latest holdings of an account, or None when nothing is known."""
    [entry] = _get(holdings_key(account_id))
    return _parse_holdings(entry)


def holdings_of(account_ids: Sequence[UUID]) -> list[Aged[Holdings] | None]:
    """The latest holdings of each of these accounts, None where nothing is known, in one round
    trip."""
    entries = _get(*map(holdings_key, account_ids)) if account_ids else []
    return [_parse(HOLDINGS, entry) for entry in entries]


def invalidate_holdings(account_id: UUID, *, at: datetime) -> None:
    """Forget what an account held before `at`: something happened that may have changed it.

    A reading that was begun earlier and arrives later is refused like any older one.
    """
    _store(holdings_key(account_id), b"", version=at, read_at=at)


def amend_holdings(
    account_id: UUID, amend: Callable[[Holdings], Holdings | None], *, at: datetime
) -> None:
    """Enter what an answer to an action, which came at `at`, says of an account.

    The rest stays as old as it is. Where nothing is known, or it changed meanwhile, or `amend`
    answers None, the account is forgotten instead, and has to be read anew.
    """
    key = holdings_key(account_id)
    [entry] = _get(key)
    known = _parse_holdings(entry)
    amended = amend(known.value) if known else None
    if entry and known and amended:
        value = HOLDINGS.dump_json(Aged(amended, known.at, "answer"))
        expected = entry.partition(b" ")[0]
        if _store(key, value, version=at, read_at=known.at, expected=expected):
            return
    invalidate_holdings(account_id, at=at)


def put_health(exchange: str, health: Health) -> None:
    """Store how it stands with the stream of an exchange, for a few seconds."""
    try:
        _redis().set(_health_key(exchange), HEALTH.dump_json(health), ex=HEALTH_SECONDS)
    except redis.RedisError as error:
        log.warning("The feed does not take how %s stands: %s", exchange, type(error).__name__)


def health(exchange: str) -> Health | None:
    """How it stands with the stream of an exchange; None when nobody watches it."""
    [stored] = _get(_health_key(exchange))
    return HEALTH.validate_json(stored) if stored else None


def read_at(keys: Sequence[str]) -> list[datetime | None] | None:
    """When each of these entries was read, None for what is absent or forgotten; None altogether
    while the feed does not answer."""
    try:
        with _redis().pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.getrange(key, 0, LONGEST_HEAD)
            return [_read_at(head) for head in pipeline.execute()]
    except redis.RedisError as error:
        log.warning("The feed does not answer: %s", type(error).__name__)
        return None


def ticker_key(exchange: str) -> str:
    """Where the ticker of an exchange is."""
    return f"seen:ticker:{exchange}"


def quote_key(exchange: str, symbol: str) -> str:
    """Where bid and ask of a market are."""
    return f"seen:quote:{exchange}:{symbol}"


def holdings_key(account_id: UUID) -> str:
    """Where the holdings of an account are."""
    return f"seen:holdings:{account_id}"


def _health_key(exchange: str) -> str:
    return f"seen:health:{exchange}"


@cache
def _redis() -> redis.Redis:
    """Quick to give up: whoever acts must not wait for the feed."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 1),
    )


def _put(key: str, adapter: TypeAdapter[Any], aged: Aged[Any], *, version: datetime) -> bool:
    return _store(key, adapter.dump_json(aged), version=version, read_at=aged.at)


def _store(
    key: str, value: bytes, *, version: datetime, read_at: datetime, expected: bytes = b""
) -> bool:
    arguments = (_microseconds(version), _microseconds(read_at), value, KEEP_SECONDS, expected)
    store = _redis().register_script(STORE_IF_NEWER)
    try:
        return bool(store(keys=[key], args=arguments))
    except redis.RedisError as error:
        log.warning("The feed does not take %s: %s", key, type(error).__name__)
        return False


def _get(*keys: str) -> list[bytes | None]:
    try:
        return cast(list[bytes | None], _redis().mget(keys))
    except redis.RedisError as error:
        named = keys[0] if len(keys) == 1 else f"{keys[0]} and {len(keys) - 1} more"
        log.warning("The feed does not give %s: %s", named, type(error).__name__)
        return [None] * len(keys)


# What many look at is parsed once per process: the values are frozen.
@lru_cache(maxsize=64)
def _parse_ticker(entry: bytes | None) -> Aged[Ticker] | None:
    return _parse(TICKER, entry)


@lru_cache(maxsize=1024)
def _parse_holdings(entry: bytes | None) -> Aged[Holdings] | None:
    return _parse(HOLDINGS, entry)


def _parse(adapter: TypeAdapter[Aged[T]], entry: bytes | None) -> Aged[T] | None:
    """The value of an entry; None too for one that was written by another version."""
    *_, value = (entry or b"").split(b" ", 2)
    try:
        return adapter.validate_json(value) if value else None
    except ValidationError as error:
        log.warning("The feed holds something strange: %d errors", error.error_count())
        return None


def _read_at(head: bytes) -> datetime | None:
    """From the beginning of an entry."""
    _, read_at, value = (*head.split(b" ", 2), b"", b"", b"")[:3]
    return EPOCH + int(read_at) * MICROSECOND if value else None


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
