"""LN Markets' Stream API v1 behind the port: `exchanges.stream.Stream`.

The signature of `authenticate` is base64(HMAC-SHA256(secret, timestamp + nonce)), the timestamp
that of the exchange's own clock. There is no replay and no sequence number, so a stream only tells
what it hears, in the order of the exchange's times, and says `Up` after every connection.
"""

import logging
import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from threading import Event, Thread
from typing import Final
from urllib.parse import urlsplit

from exchanges.errors import (
    ClockSkew,
    ExchangeError,
    InvalidCredentials,
    Refused,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.fields import Fields
from exchanges.lnmarkets import frames
from exchanges.lnmarkets.auth import hmac_base64
from exchanges.lnmarkets.frames import (
    ANNOUNCEMENTS,
    MARKET_TOPICS,
    PRIVATE_TOPICS,
    PUBLIC_TOPICS,
    Push,
)
from exchanges.lnmarkets.rpc import Rpc
from exchanges.market import CLOCKS_DIFFER_BY
from exchanges.stream import Down, Listener, News, Up
from exchanges.types import Credentials, Permission

log = logging.getLogger(__name__)

SHORTEST_WAIT: Final = 0.2
LONGEST_WAIT: Final = 15.0
"""Seconds between two attempts to connect: doubled each time, with jitter, and never more."""

REFUSED_WAIT: Final = 60.0
"""Seconds until a key that was refused is tried again: exchanges ban addresses that collect
refusals, which would hit all accounts."""

STABLE_AFTER: Final = timedelta(seconds=10)
"""A connection that held that long begins anew with short waits."""


def connect(
    *, base_url: str, credentials: Credentials | None, listener: Listener
) -> "LNMarketsStream":
    """A stream of the exchange whose REST API is at `base_url`, not started yet."""
    return LNMarketsStream(stream_url(base_url), credentials=credentials, listener=listener)


def stream_url(base_url: str) -> str:
    """Where the stream is: `api.` becomes `stream.`, `http` becomes `ws`, `/v3` becomes `/v1`."""
    parts = urlsplit(base_url)
    host = parts.netloc.removeprefix("api.")
    return parts._replace(
        scheme=parts.scheme.replace("http", "ws", 1),
        netloc=host if host == parts.netloc else f"stream.{host}",
        path=parts.path.rstrip("/").removesuffix("/v3") + "/v1",
    ).geturl()


def permissions_of(base_url: str, credentials: Credentials) -> frozenset[Permission]:
    """What the key may do, which LN Markets says on its stream only.

    Raises `InvalidCredentials`, `ClockSkew`, or `TransientError` without a definite answer.
    """
    rpc = Rpc(stream_url(base_url), Counter())
    try:
        rpc.open()
        return frames.permissions(_authenticate(rpc, credentials))
    finally:
        rpc.close()


class LNMarketsStream:
    """One connection at a time, in a thread of its own, until it is stopped."""

    def __init__(self, url: str, *, credentials: Credentials | None, listener: Listener) -> None:
        self.counts: Counter[str] = Counter()
        self._url = url
        self._credentials = credentials
        self._listener = listener
        self._stopping = Event()
        self._rpc = Rpc(url, self.counts)
        self._thread = Thread(target=self._run, name=f"stream {url}", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def renew(self) -> None:
        """Let the present connection go, and make another."""
        self._rpc.abort()

    def stop(self) -> None:
        """End; a connection that is just being made is let go as soon as it stands."""
        self._stopping.set()
        self._rpc.abort()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._rpc, begun_at, shortest = Rpc(self._url, self.counts), _now(), 0.0
            try:
                self._serve(self._rpc)
            except ExchangeError as error:
                shortest = REFUSED_WAIT if isinstance(error, InvalidCredentials) else 0.0
                self._tell(Down(str(error)))
            except Exception as error:
                log.exception("The stream of %s stumbled.", self._url)
                self._tell(Down(type(error).__name__))
            finally:
                self._rpc.close()
            failures = 0 if _now() - begun_at > STABLE_AFTER else failures + 1
            self.counts["broken"] += 1
            self._stopping.wait(max(shortest, wait_after(failures)))

    def _serve(self, rpc: Rpc) -> None:
        """Connect, and tell what is heard until the connection breaks, which raises."""
        rpc.open()
        if self._stopping.is_set():
            return
        clock = _Clock()
        clock.known_at(_greet(rpc), _now())
        self._subscribe(rpc)
        self._tell(Up())
        ear = _Ear(clock, self.counts)
        while not self._stopping.is_set():
            news = ear.understand(rpc.next_push(), heard_at=_now())
            if news is not None:
                self._tell(news)

    def _subscribe(self, rpc: Rpc) -> None:
        if self._credentials is None:
            topics = list(PUBLIC_TOPICS)
        else:
            scopes = _authenticate(rpc, self._credentials)
            topics = [topic for topic, scope in PRIVATE_TOPICS.items() if scope in scopes]
        if not topics:
            return
        try:
            rpc.call("subscribe", {"topics": topics})
        except Refused:
            # Its words might repeat the key that it has just been given.
            raise Unavailable("The stream does not accept the subscription.") from None

    def _tell(self, news: News) -> None:
        """Whatever the listener does with it, the stream goes on."""
        if self._stopping.is_set():
            return
        try:
            self._listener(news)
        except Exception:
            self.counts["not_taken"] += 1
            log.exception("What the stream of %s told was not taken.", self._url)


def wait_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    longest = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311


class _Clock:
    """Tells by our clock when something was so at the exchange.

    The smallest delay ever seen on a connection is what clocks and distance account for. What came
    later than that was held up, and is as much older than its arrival.
    """

    def __init__(self) -> None:
        self._delay = timedelta.max

    def known_at(self, at: datetime, heard_at: datetime) -> datetime:
        self._delay = min(self._delay, heard_at - at)
        return at + self._delay


class _Ear:
    """Understands what is pushed on one connection; drops what is late, double or nonsense."""

    def __init__(self, clock: _Clock, counts: Counter[str]) -> None:
        self._clock = clock
        self._counts = counts
        self._latest: dict[str, tuple[datetime, object]] = {}

    def understand(self, push: Push, *, heard_at: datetime) -> News | None:
        """What the push tells, if it is anything new; else it is counted why not."""
        try:
            return self._meaning(push, heard_at)
        except UnreadableAnswer:
            self._counts["malformed"] += 1
        except _Worthless as error:
            self._counts[str(error)] += 1
        return None

    def _meaning(self, push: Push, heard_at: datetime) -> News:
        if push.topic in MARKET_TOPICS:
            return self._market(push, heard_at)
        if push.topic in PRIVATE_TOPICS:
            return frames.account_news(push)
        if push.topic == ANNOUNCEMENTS:
            return frames.announcement(push, heard_at=heard_at)
        raise _Worthless("unknown_topic")

    def _market(self, push: Push, heard_at: datetime) -> News:
        news = frames.market_news(push, heard_at=heard_at)
        latest_at, latest = self._latest.get(push.topic, (news.at, None))
        if abs(heard_at - news.at) > CLOCKS_DIFFER_BY:
            raise _Worthless("implausible")
        if news.at < latest_at:
            raise _Worthless("reordered")
        if push.data == latest:
            raise _Worthless("repeated")
        self._latest[push.topic] = news.at, push.data
        return replace(news, known_at=self._clock.known_at(news.at, heard_at))


class _Worthless(Exception):
    """A push that tells nothing; named as it is counted."""


def _greet(rpc: Rpc) -> datetime:
    """Say who we are, which is optional over there, and ask for the exchange's time."""
    with suppress(Refused):
        rpc.call("hello", {"clientName": "axisor", "clientVersion": "1"})
    return _time_of(rpc)


def _time_of(rpc: Rpc) -> datetime:
    return frames.time(Fields(rpc.call("time"), where="time").value("time"))


def _authenticate(rpc: Rpc, credentials: Credentials) -> tuple[str, ...]:
    """The scopes of the key."""
    timestamp, nonce = frames.milliseconds(_time_of(rpc)), token_hex(16)
    try:
        answer = rpc.call(
            "authenticate",
            {
                "key": credentials.key,
                "passphrase": credentials.passphrase,
                "timestamp": timestamp,
                "nonce": nonce,
                "signature": hmac_base64(credentials.secret, f"{timestamp}{nonce}"),
            },
        )
    except Refused as error:
        if "timestamp" in str(error).lower():
            raise ClockSkew("The stream refuses the time of the signature.") from None
        raise InvalidCredentials("The stream does not accept this key.") from None
    return frames.texts(Fields(answer, where="authenticate").value("permissions"))


def _now() -> datetime:
    return datetime.now(UTC)
