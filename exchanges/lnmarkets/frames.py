"""What comes over LN Markets' Stream API v1, as our types: pure, and as strict as `parse`.

A frame is JSON-RPC 2.0: a `Reply` to a call of ours, or a `Push` on a topic. Times are integer
milliseconds since 1970, unlike over REST.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, load
from exchanges.lnmarkets.parse.market import buckets
from exchanges.lnmarkets.parse.plausible import price, rate
from exchanges.stream import AccountNews, Announcement, MarketNews
from exchanges.types import Permission

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS: Final = 4_102_444_800_000
"""The year 2100."""

_LONGEST_NAME: Final = 100
_LONGEST_ANNOUNCEMENT: Final = 500

_MARKET: Final = "futures/inverse/btc_usd/"
MARKET_TOPICS: Final = (f"{_MARKET}ticker", f"{_MARKET}lastPrice", f"{_MARKET}buckets")
ANNOUNCEMENTS: Final = "announcements"
PUBLIC_TOPICS: Final = (*MARKET_TOPICS, ANNOUNCEMENTS)
PRIVATE_TOPICS: Final = {
    f"{_MARKET}isolated/trades": "futures:isolated:read",
    f"{_MARKET}cross/orders": "futures:cross:read",
    f"{_MARKET}cross/position": "futures:cross:read",
    "wallet/deposit": "account:deposits:read",
    "wallet/withdrawal": "account:withdrawals:read",
}
"""What tells of an account, and the scope that a key needs to hear it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the call with this id; `error` is the exchange's words when it declined."""

    id: str
    result: object = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Something told on a topic that was subscribed to."""

    topic: str
    data: object


def read(frame: bytes) -> Reply | Push:
    """One frame. Raises `UnreadableAnswer`."""
    fields = Fields(load(frame), where="frame")
    if fields.optional("method", fields.value) == "subscription":
        params = Fields(fields.value("params"), where="params")
        return Push(params.text("topic", longest=_LONGEST_NAME), params.value("data"))
    call = fields.text("id", longest=_LONGEST_NAME)
    if fields.optional("error", fields.value) is None:
        return Reply(call, result=fields.value("result"))
    error = Fields(fields.value("error"), where="error")
    return Reply(call, error=error.text("message", longest=_LONGEST_ANNOUNCEMENT))


def time(value: object) -> datetime:
    """A time of the exchange's."""
    return _time(Fields({"time": value}, where="answer"))


def permissions(scopes: Iterable[str]) -> frozenset[Permission]:
    """What a key with these scopes may do, such as `futures:isolated:write`."""
    return frozenset(
        permission
        for scope in scopes
        for permission, is_meant in _PERMISSIONS.items()
        if is_meant(scope)
    )


_PERMISSIONS: Final[Mapping[Permission, Callable[[str], bool]]] = {
    Permission.READ: lambda scope: scope.endswith(":read"),
    Permission.TRADE: lambda scope: (
        scope.startswith(("futures:", "synthetic-usd:")) and scope.endswith(":write")
    ),
    Permission.WITHDRAW: lambda scope: scope == "account:withdrawals:write",
}


def texts(value: object) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UnreadableAnswer("a list of names was expected")
    return tuple(value)


def market_news(push: Push, *, heard_at: datetime) -> MarketNews:
    """What a push on one of `MARKET_TOPICS` tells."""
    fields = Fields(push.data, where=push.topic)
    at = _time(fields)
    match push.topic.removeprefix(_MARKET):
        case "lastPrice":
            return MarketNews(at, heard_at, last_price=price(fields, "lastPrice"))
        case "buckets":
            return MarketNews(at, heard_at, buckets=buckets(fields.value("buckets")))
        case _:
            funding = Fields(fields.value("funding"), where=f"{push.topic}.funding")
            return MarketNews(
                at,
                heard_at,
                last_price=fields.optional("lastPrice", lambda name: price(fields, name)),
                index=fields.optional("index", lambda name: price(fields, name)),
                funding_rate=funding.optional("rate", lambda name: rate(funding, name)),
                funding_at=funding.optional("time", lambda name: _time(funding, name)),
            )


def account_news(push: Push) -> AccountNews:
    """What a push on one of `PRIVATE_TOPICS` is about: only that, the account is read anew."""
    fields = Fields(push.data, where=push.topic)
    event = fields.optional("event", lambda name: fields.text(name, longest=_LONGEST_NAME))
    return AccountNews(f"{push.topic.removeprefix(_MARKET)} {event or ''}".strip())


def announcement(push: Push, *, heard_at: datetime) -> Announcement:
    """What a push on `ANNOUNCEMENTS` says. Its shape is not published, so all text in it counts."""
    words = " ".join(_words(push.data))
    printable = "".join(char if char.isprintable() else " " for char in words)
    return Announcement(" ".join(printable.split())[:_LONGEST_ANNOUNCEMENT], heard_at)


def _words(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [word for part in value.values() for word in _words(part)]
        case list():
            return [word for part in value for word in _words(part)]
        case _:
            return []


def _time(fields: Fields, name: str = "time") -> datetime:
    return _EPOCH + timedelta(milliseconds=fields.integer(name, 0, _MAX_MS))


def milliseconds(at: datetime) -> int:
    """A time as the exchange writes it."""
    return (at - _EPOCH) // timedelta(milliseconds=1)
