"""One client of the stream: who it is, what it hears, and the answers to what it asks.

JSON-RPC 2.0: a request is `{"jsonrpc": "2.0", "id": …, "method": …, "params": {…}}` and its
answer has the same id with a `result` or an `error`, when the exchange got and gave it (`usIn`,
`usOut`, microseconds since 1970, `usDiff`), and how many messages are left of the allowance.
LN Markets publishes no error codes of its own; ours lie in the range that JSON-RPC leaves to
servers, with the REST API's code in the error's `data`.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from exchanges.paper import javascript
from exchanges.paper.account import Signer
from exchanges.paper.auth import REQUEST_WINDOW, authenticate_stream, require
from exchanges.paper.commands import Command
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.limits import Allowance, Bucket
from exchanges.paper.refusals import Refusal, Unauthorized
from exchanges.paper.stream_news import milliseconds
from exchanges.paper.stream_topics import SCOPES, TOPICS

VERSION = "1.0.0"
MESSAGES = Allowance("messages", rate=10, burst=10)
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, TOO_MANY = -32700, -32600, -32601, -32029
REFUSED = {"BAD_REQUEST": -32602, "UNAUTHORIZED": -32001, "FORBIDDEN": -32003}
"""The codes of what a method refused, by those of the REST API."""

Id = str | int | None


class Hello(Command):
    """Who is calling."""

    client_name: Annotated[str, Field(max_length=256)]
    client_version: Annotated[str, Field(max_length=256)]


class Authenticate(Command):
    """The API key, and a signature over `timestamp` (ms since 1970) and `nonce`."""

    key: str
    passphrase: str
    timestamp: Annotated[int, Field(strict=True, ge=0)]
    nonce: Annotated[str, Field(min_length=1, max_length=64)]
    signature: str


class Topics(Command):
    """Which topics."""

    topics: Annotated[list[str], Field(min_length=1, max_length=len(TOPICS))]


class Nonces:
    """The nonces that may still be within the window of their signature: none is good twice."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], datetime] = {}

    def use(self, key: str, nonce: str, *, now: datetime) -> None:
        """Raises `Unauthorized` for the second use."""
        kept = {used: at for used, at in self._used.items() if abs(now - at) <= 2 * REQUEST_WINDOW}
        if (key, nonce) in kept:
            raise Unauthorized("The nonce was used before")
        self._used = kept | {(key, nonce): now}


class Session:
    """What one connection has said so far. `authenticate` and `subscribe` last as long as it."""

    def __init__(self, exchange: PaperExchange, nonces: Nonces) -> None:
        self._exchange = exchange
        self._nonces = nonces
        self._signer: Signer | None = None
        self._topics: dict[str, None] = {}
        self._messages = Bucket(MESSAGES, now=time.monotonic())
        self._methods: Mapping[str, Callable[[Any], Any]] = {
            "hello": self._hello,
            "ping": lambda _params: "pong",
            "time": lambda _params: {"time": milliseconds(self._exchange.now())},
            "authenticate": self._authenticate,
            "whoami": self._whoami,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "unsubscribeAll": lambda _params: self._dropped(list(self._topics)),
        }

    @property
    def account_id(self) -> str | None:
        """Whose it is, once it has authenticated."""
        return None if self._signer is None else self._signer.account.id

    def hears(self, topic: str, account_id: str | None) -> bool:
        """Whether news of this topic, and of this account if it is private, are for it."""
        if account_id is None:
            return topic in self._topics
        return topic in self._topics and self._may_hear(account_id)

    def answer(self, text: str) -> dict[str, Any]:
        """The answer to one message, whatever it is."""
        received = _microseconds()
        request_id, outcome = self._outcome(text)
        answered = _microseconds()
        return {
            "jsonrpc": "2.0",
            "id": request_id,
            **outcome,
            "usIn": received,
            "usOut": answered,
            "usDiff": answered - received,
            "rateLimit": {"remaining": self._messages.remaining, "limit": MESSAGES.burst},
        }

    def _outcome(self, text: str) -> tuple[Id, dict[str, Any]]:
        is_allowed = self._messages.take(now=time.monotonic())
        try:
            request = _parsed(text)
        except ValueError:
            return None, _error(PARSE_ERROR, "The message is not JSON", "BAD_REQUEST")
        request_id, method = _id_of(request), _method_of(request)
        if method is None:
            return request_id, _error(INVALID_REQUEST, "Not a JSON-RPC request", "BAD_REQUEST")
        if method not in self._methods:
            return request_id, _error(METHOD_NOT_FOUND, f"No method {method}", "NOT_FOUND")
        if not is_allowed:
            return request_id, _error(TOO_MANY, "Too many messages", "TOO_MANY_REQUESTS")
        try:
            return request_id, {"result": self._methods[method](request.get("params") or {})}
        except Refusal as refusal:
            return request_id, _error(REFUSED[refusal.code], refusal.message, refusal.code)

    def _hello(self, params: Any) -> dict[str, str]:
        Hello.read(params)
        return {"version": VERSION}

    def _authenticate(self, params: Any) -> dict[str, Any]:
        given = Authenticate.read(params)
        now = self._exchange.now()
        signer = authenticate_stream(
            key=given.key,
            passphrase=given.passphrase,
            timestamp=given.timestamp,
            nonce=given.nonce,
            signature=given.signature,
            book=self._exchange.book,
            now=now,
        )
        self._nonces.use(given.key, given.nonce, now=now)
        self._signer = signer
        return {"authenticated": True, "permissions": self._permissions()}

    def _whoami(self, _params: Any) -> dict[str, Any]:
        signer = self._known_signer()
        return {
            "apiKey": signer.credentials.key,
            "userId": signer.account.id,
            "permissions": self._permissions(),
        }

    def _subscribe(self, params: Any) -> dict[str, Any]:
        topics = _known_topics(params)
        for topic in topics:
            if topic in SCOPES:
                require(self._known_signer(), SCOPES[topic])
        self._topics |= dict.fromkeys(topics)
        return {"subscribed": topics}

    def _unsubscribe(self, params: Any) -> dict[str, Any]:
        return self._dropped([topic for topic in _known_topics(params) if topic in self._topics])

    def _dropped(self, topics: list[str]) -> dict[str, Any]:
        for topic in topics:
            del self._topics[topic]
        return {"unsubscribed": topics}

    def _may_hear(self, account_id: str) -> bool:
        signer = self._signer
        return signer is not None and signer.account.id == account_id and not signer.key.is_revoked

    def _permissions(self) -> list[str]:
        return [str(scope) for scope in self._known_signer().key.scopes]

    def _known_signer(self) -> Signer:
        if self._signer is None or self._signer.key.is_revoked:
            raise Unauthorized("Authenticate first")
        return self._signer


def _parsed(text: str) -> Any:
    canonical = javascript.stringify(javascript.parse(text))
    canonical.encode()
    return javascript.parse_exactly(canonical)


def _id_of(request: Any) -> Id:
    given = request.get("id") if isinstance(request, dict) else None
    return given if type(given) in (str, int) else None


def _method_of(request: Any) -> str | None:
    """Its method, if it is a request at all: one without an id could not be answered."""
    if _id_of(request) is None or request.get("jsonrpc") != "2.0":
        return None
    method = request.get("method")
    return method if isinstance(method, str) else None


def _known_topics(params: Any) -> list[str]:
    topics = list(dict.fromkeys(Topics.read(params).topics))
    for topic in topics:
        if topic not in TOPICS:
            raise Refusal(f"topics: no topic {topic}, allowed: {', '.join(sorted(TOPICS))}")
    return topics


def _error(code: int, message: str, reason: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "data": {"code": reason}}}


def _microseconds() -> int:
    return time.time_ns() // 1000
