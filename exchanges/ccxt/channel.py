"""One account's way to an exchange: ccxt asks, and what it sends goes through here.

ccxt calls `fetch` for every request it makes. It is replaced by one that sends through the guard
and the transport, and that gives ccxt an answer only when it is whole: ccxt takes a list that is
not there for an empty one.

An act may send one request and no more. It looks at its deadline when the connection stands, and
what leaves a read without an answer leaves it with an unknown outcome.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import ccxt
import requests

from exchanges.ccxt.dialect import Dialect
from exchanges.ccxt.documents import document, of_status
from exchanges.ccxt.failures import meaning, printable
from exchanges.ccxt.markets import markets_of
from exchanges.ccxt.numerals import numeral
from exchanges.client import Signature
from exchanges.errors import (
    InvalidCredentials,
    NotSent,
    NotSupported,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from exchanges.failpoints import failpoint
from exchanges.guard import Call, Guard
from exchanges.transport import Answer, Transport
from exchanges.types import Credentials

T = TypeVar("T")

Ask = Callable[[Any], object]
"""A question put to ccxt's exchange."""

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "axisor",
}

_STUMBLES: Final = (
    ccxt.BaseError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError,
)  # fmt: skip
"""What ccxt raises, on purpose or over an answer that it did not expect."""

_MARKETS: Final = Call("spot.markets", is_public=True)


@dataclass(slots=True)
class _Errand:
    """What is being asked of ccxt, and whether it has begun to send; `signature` if it acts."""

    call: Call
    signature: Signature | None = None
    is_begun: bool = False


_errand: ContextVar[_Errand] = ContextVar("errand")


class Channel:
    """Carries requests for one account, or for nobody: then only the public ones."""

    def __init__(
        self,
        dialect: Dialect,
        transport: Transport,
        *,
        credentials: Credentials | None,
        guard: Guard,
        clock: Callable[[], datetime],
    ) -> None:
        self.dialect = dialect
        self._transport = transport
        self._credentials = credentials
        self._guard = guard
        self.clock = clock
        self._markets = markets_of(transport.base_url)
        self._library = _library(dialect, transport.base_url, credentials)
        self._library.fetch = self._fetch

    @property
    def lengths(self) -> frozenset[str]:
        """Of candles, as ccxt names them."""
        return frozenset(self._library.timeframes)

    def key(self) -> Credentials:
        """The account's. Raises `InvalidCredentials` when there is none that can be one."""
        if self._credentials is None:
            raise InvalidCredentials("This needs an API key, and there is none.")
        self.dialect.require_usable(self._credentials)
        return self._credentials

    def read(self, call: Call, ask: Ask, read: Callable[[object], T]) -> T:
        """What `read` makes of what ccxt makes of the answer."""
        if not call.is_public:
            self.key()
        self._know_markets()
        return self._put(_Errand(call), ask, read)

    def act(
        self, operation: str, ask: Ask, read: Callable[[object], T], *, signature: Signature
    ) -> T:
        """Do it, once at most; `read` must refuse an answer that is about something else."""
        self.key()
        try:
            self._know_markets()
        except (Unavailable, UnreadableAnswer) as error:
            raise NotSent(f"Nothing was sent. {error}") from None
        errand = _Errand(Call(operation, is_act=True), signature)
        try:
            return self._put(errand, ask, read)
        except (Unavailable, UnreadableAnswer) as error:
            raise _unfinished(errand, error) from None

    def _know_markets(self) -> None:
        if not self._markets.give(self._library):
            self._put(_Errand(_MARKETS), lambda library: library.load_markets(True), lambda _: None)
            self._markets.take(self._library)

    def _put(self, errand: _Errand, ask: Ask, read: Callable[[object], T]) -> T:
        token = _errand.set(errand)
        try:
            return read(ask(self._library))
        except _STUMBLES as error:
            if errand.signature and errand.is_begun:
                raise UnreadableAnswer("The answer is not what was to be expected.") from None
            raise self._meaning(error, str(error)) from None
        finally:
            _errand.reset(token)

    def _fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> object:
        errand = _errand.get()
        if not url.startswith(f"{self._transport.base_url}/"):
            raise NotSupported("The library ccxt wanted to ask somebody else.")
        if errand.signature and errand.is_begun:
            raise UnknownOutcome("The library ccxt wanted to send a second request.")
        request = requests.Request(method, url, headers={**_HEADERS, **(headers or {})}, data=body)
        prepared = request.prepare()
        return self._guard.run(errand.call, lambda: self._send(errand, prepared))

    def _send(self, errand: _Errand, request: requests.PreparedRequest) -> object:
        """One request; the guard must see what it means, so that is said in here."""
        try:
            answer = self._transport.exchange(
                request, last_look=lambda: self._last_look(errand), on_sent=lambda: _sent(errand)
            )
            return self._understood(request, answer)
        except NotSent as error:
            raise error if errand.signature else Unavailable(str(error)) from None
        except (Unavailable, UnreadableAnswer) as error:
            raise _unfinished(errand, error) if errand.signature else error from None

    def _understood(self, request: requests.PreparedRequest, answer: Answer) -> object:
        told = document(answer)
        try:
            self._library.handle_errors(
                answer.status, "", request.url, request.method, {},
                answer.body.decode(), told, {}, None,
            )  # fmt: skip
        except _STUMBLES as error:
            raise self._meaning(error, self.dialect.said(told)) from None
        if answer.status >= 400:
            raise of_status(answer.status)
        self.dialect.require_whole(urlsplit(request.url or "").path, told)
        return told

    def _meaning(self, error: Exception, said: str) -> Exception:
        return meaning(error, printable(said, self._credentials))

    def _last_look(self, errand: _Errand) -> None:
        if errand.signature:
            failpoint("signed")
            if self.clock() > errand.signature.deadline:
                raise NotSent("The deadline had passed before the request could leave.")
            failpoint("leaving")
        errand.is_begun = True


def _sent(errand: _Errand) -> None:
    if errand.signature:
        failpoint("sent")


def _unfinished(errand: _Errand, error: Exception) -> NotSent | UnknownOutcome:
    if errand.is_begun:
        return UnknownOutcome(f"It is not known whether this was done. {error}")
    return NotSent(f"Nothing was sent. {error}")


def _library(dialect: Dialect, base_url: str, credentials: Credentials | None) -> Any:
    """ccxt's exchange, with all of its own ways to wait and to travel switched off."""
    library = getattr(ccxt, dialect.id)(
        {
            "apiKey": credentials.key if credentials else "",
            "secret": credentials.secret if credentials else "",
            "enableRateLimit": False,
            "options": {"maxRetriesOnFailure": 0},
        }
    )
    library.urls["api"] = dict.fromkeys(library.urls["api"], base_url)
    library.number = numeral
    for how, errors in (("exact", dialect.exact), ("broad", dialect.broad)):
        known = {text: getattr(ccxt, name) for text, name in errors.items()}
        library.exceptions[how] = library.exceptions[how] | known
    return library
