"""One account's way to the exchange: each request signed, guarded, understood.

Reads and acts differ in three places only. A read is signed when it leaves, an act as of the
time its intent has recorded; an act looks at its deadline when the connection stands; and what
leaves a read without an answer leaves an act with an unknown outcome.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeVar

import requests

from exchanges.client import Signature
from exchanges.errors import (
    ClockSkew,
    InvalidCredentials,
    NotSent,
    Refused,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from exchanges.failpoints import failpoint
from exchanges.guard import Call, Guard
from exchanges.lnmarkets import outcomes
from exchanges.lnmarkets.allowances import allowance
from exchanges.lnmarkets.auth import SignedAt, canonical_json
from exchanges.lnmarkets.constants import LIST_TIMEOUT, MAX_PAGES
from exchanges.lnmarkets.parse import lists
from exchanges.lnmarkets.stream import permissions_of
from exchanges.transport import Transport
from exchanges.types import Credentials, Permission

T = TypeVar("T")

Query = Mapping[str, str]
Body = Mapping[str, str | int | Decimal]

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "axisor",
}
_HEADERS_WITH_BODY: Final = {**_HEADERS, "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Act:
    """A request that may change something: the operation's name, and what goes over the wire."""

    operation: str
    method: str
    path: str
    body: Body | None = None
    query: Query | None = None


def _nothing() -> None:
    """What a read does before it leaves and after: it may leave whenever it likes."""


class Channel:
    """Carries requests for one account, or for nobody: then only the public ones."""

    def __init__(
        self,
        transport: Transport,
        *,
        credentials: Credentials | None,
        guard: Guard,
        clock: Callable[[], datetime],
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._guard = guard
        self.clock = clock

    def read(
        self,
        call: Call,
        path: str,
        read: Callable[[bytes], T],
        *,
        query: Query | None = None,
    ) -> T:
        """What `read` makes of the answer; signed as of its departure."""

        def ask() -> T:
            auth = None if call.is_public else self._signed(self.clock())
            return read(self._get(call, path, auth=auth, query=query))

        return self._guard.run(call, ask)

    def refuses(self, call: Call, path: str, *, signed_at: datetime) -> bool:
        """Whether a read signed as of `signed_at` is refused, in whatever words.

        To the guard, which leaves alone a key that is refused, that is an answer like any other.
        """

        def ask() -> bool:
            try:
                self._get(call, path, auth=self._signed(signed_at))
            except (ClockSkew, InvalidCredentials, Refused):
                return True
            return False

        return self._guard.run(call, ask)

    def pages(
        self,
        call: Call,
        path: str,
        kind: lists.Kind[T],
        *,
        since: datetime,
        query: Query | None = None,
    ) -> list[T]:
        """All pages, newest first. What is met twice, by a page that shifted, is kept once."""
        found: dict[Hashable, T] = {}
        asked = {"from": iso(since), "limit": str(kind.page_size), **(query or {})}
        cursors: set[str] = set()
        deadline = self.clock() + LIST_TIMEOUT
        for _ in range(MAX_PAGES):
            if self.clock() > deadline:
                raise Unavailable("The list takes too long to come.")
            page = self.read(call, path, lambda body: lists.page(body, kind), query=asked)
            found.update(page.items)
            if page.next_cursor is None:
                return list(found.values())
            if page.next_cursor in cursors:
                raise UnreadableAnswer("The list goes in circles: a page comes again.")
            cursors.add(page.next_cursor)
            asked["cursor"] = page.next_cursor
        raise UnreadableAnswer(f"The list does not end after {MAX_PAGES} pages.")

    def act(self, act: Act, read: Callable[[bytes], T], *, signature: Signature) -> T:
        """Do it, once at most; `read` must refuse an answer that is about something else."""
        call = Call(act.operation, is_act=True)
        request = requests.Request(
            act.method,
            self._url(act.path),
            params=act.query,
            data=None if act.body is None else canonical_json(act.body),
            headers=_HEADERS if act.body is None else _HEADERS_WITH_BODY,
            auth=self._signed(signature.signed_at),
        ).prepare()

        def send() -> T:
            try:
                answer = self._exchange(
                    call,
                    request,
                    last_look=lambda: self._last_look(signature.deadline),
                    on_sent=lambda: failpoint("sent"),
                )
                return read(answer)
            except (Unavailable, UnreadableAnswer) as error:
                raise UnknownOutcome(f"It is not known whether this was done. {error}") from None

        return self._guard.run(call, send)

    def permissions(self) -> frozenset[Permission]:
        """What the key may do; see `permissions_of` for the errors."""
        base_url, credentials = self._transport.base_url, self._key()
        return self._guard.run(Call("permissions"), lambda: permissions_of(base_url, credentials))

    def _last_look(self, deadline: datetime) -> None:
        failpoint("signed")
        if self.clock() > deadline:
            raise NotSent("The deadline had passed before the request could leave.")
        failpoint("leaving")

    def _get(
        self, call: Call, path: str, *, auth: SignedAt | None, query: Query | None = None
    ) -> bytes:
        request = requests.Request(
            "GET", self._url(path), params=query, headers=_HEADERS, auth=auth
        ).prepare()
        try:
            return self._exchange(call, request, last_look=_nothing, on_sent=_nothing)
        except NotSent as error:
            raise Unavailable(str(error)) from None

    def _exchange(
        self,
        call: Call,
        request: requests.PreparedRequest,
        *,
        last_look: Callable[[], None],
        on_sent: Callable[[], None],
    ) -> bytes:
        answer = self._transport.exchange(request, last_look=last_look, on_sent=on_sent)
        now = self.clock()
        if left := allowance(answer.headers, now=now):
            self._guard.learn(call, left)
        return outcomes.body_of(answer, credentials=self._credentials, now=now)

    def _url(self, path: str) -> str:
        return self._transport.base_url + path

    def _signed(self, at: datetime) -> SignedAt:
        return SignedAt(self._key(), at)

    def _key(self) -> Credentials:
        if self._credentials is None:
            raise InvalidCredentials("This needs an API key, and there is none.")
        return self._credentials


def iso(at: datetime) -> str:
    """A time as queries have it: UTC, with milliseconds and a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def require(as_asked: bool, what: str) -> None:
    """The answer to an act must be about what was asked, or else it answers nothing."""
    if not as_asked:
        raise UnreadableAnswer(f"The answer is about another {what}.")
