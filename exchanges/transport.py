"""One HTTP request, one answer: pooled connections, bounded in time and size, written at most once.

`requests` does the HTTP, through its adapter alone. A session would add what must not happen
here: cookies that one account's answer plants into another account's request, redirects, and
credentials and proxies from the environment.

Whether a request has left is observed, not guessed from the kind of an exception: the connection
notes the moment before it hands the first byte to the socket (`_Attempt.begin`). Until then a
failure is `NotSent`, from then on nothing is known. Nothing is ever repeated: retries are off, and
a connection found closed when it is taken from the pool is opened anew before anything is written.
"""

import io
import math
import socket
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse as PooledResponse

from exchanges import deadline
from exchanges.errors import NotSent, Unavailable, UnreadableAnswer

CONNECT_TIMEOUT: Final = 4.0
TOTAL_TIMEOUT: Final = 10.0
"""Seconds from the first attempt to connect to the last byte of the answer."""

MAX_IDLE: Final = 4.0
"""Seconds after which an unused connection is not trusted any more. Many servers close theirs after
5 s, and a NAT or a balancer may drop one in silence: an order written to it at that moment would be
of unknown outcome. A new connection costs a few milliseconds."""

MAX_ANSWER_BYTES: Final = 1_000_000
"""In the body. With headers and framing at most twice as much is read."""

_CHUNK_BYTES: Final = 16_384

_FAILURES: Final = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
"""What the layers below raise; `ValueError` is how they meet a negative chunk length."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes


class Transport:
    """The way to one exchange. Safe to share between threads, but not across a fork."""

    def __init__(
        self,
        base_url: str,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        max_idle: float = MAX_IDLE,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._connect_timeout = connect_timeout
        self._total_timeout = total_timeout
        self._max_idle = max_idle
        self._max_bytes = max_answer_bytes
        self._adapter = _Adapter()

    def exchange(
        self,
        request: requests.PreparedRequest,
        *,
        last_look: Callable[[], None],
        on_sent: Callable[[], None],
    ) -> Answer:
        """Send `request` once and read the answer.

        `last_look` is called when the connection stands, immediately before the first byte is
        written; an `ExchangeError` that it raises comes through, with nothing sent. `on_sent` is
        called when the last byte is written, before the answer is read.

        Raises `NotSent` (no byte of the request left), `Unavailable` (it left, and no complete
        answer came in time) and `UnreadableAnswer` (too large, or not decodable).
        """
        attempt = _Attempt(
            last_look=last_look,
            on_sent=on_sent,
            max_idle=self._max_idle,
            max_bytes=self._max_bytes,
        )
        token = _attempt.set(attempt)
        try:
            with self._adapter.send(request, stream=True, timeout=self._timeout()) as response:  # type: ignore[arg-type]  # its stubs do not know urllib3's
                return Answer(
                    response.status_code, response.headers, _body(response, self._max_bytes)
                )
        except requests.exceptions.ContentDecodingError:
            raise UnreadableAnswer(
                "The answer is compressed in a way that does not open."
            ) from None
        except _FAILURES as error:
            # The request hangs on these errors, and its headers hold credentials: cut the chain.
            raise attempt.failure(error) from None
        finally:
            _attempt.reset(token)

    def _timeout(self) -> Timeout:
        """As the transport allows, and no longer than the time of who asks."""
        return Timeout(
            connect=deadline.at_most(self._connect_timeout),
            total=deadline.at_most(self._total_timeout),
        )


def _body(response: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise UnreadableAnswer(f"The answer is larger than {max_bytes} bytes.")
    return bytes(body)


class _Attempt:
    """One try to get a request answered, and whether it has begun to leave."""

    def __init__(
        self,
        *,
        last_look: Callable[[], None],
        on_sent: Callable[[], None],
        max_idle: float,
        max_bytes: int,
    ) -> None:
        self._last_look = last_look
        self.on_sent = on_sent
        self.max_idle = max_idle
        self.max_bytes = max_bytes
        self._begun = False

    def begin(self) -> None:
        """Called before every write; only the first one can still be held back."""
        if not self._begun:
            self._last_look()
            self._begun = True

    def failure(self, error: Exception) -> NotSent | Unavailable:
        kind = type(error).__name__
        if self._begun:
            return Unavailable(f"The exchange did not answer completely ({kind}).")
        return NotSent(f"The exchange could not be reached ({kind}).")


_attempt: ContextVar[_Attempt] = ContextVar("attempt")


class _BoundedReader(io.RawIOBase):
    """Reads a socket against one deadline and one limit for the whole answer.

    A socket's timeout alone starts anew with every byte. What it is set to when the answer
    begins is what `Timeout(total=…)` has left over.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = monotonic() + (sock.gettimeout() or math.inf)
        self._allowance = 2 * _attempt.get().max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(remaining)
        count = self._raw.readinto(buffer)
        self._allowance -= count or 0
        if self._allowance < 0:
            raise OSError("the answer is too long")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """Status line, headers and body, all through a `_BoundedReader`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    """Reports the departure of a request, and does not trust itself after idling."""

    response_class = _BoundedResponse
    _answered_at = -math.inf

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _attempt.get().begin()
        super().send(data)

    def getresponse(self) -> PooledResponse:  # type: ignore[override]  # as in urllib3
        _attempt.get().on_sent()
        response = super().getresponse()
        self._answered_at = monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        """Asked by the pool before it reuses the connection; False makes it open a new one."""
        return super().is_connected and self._idle() < _attempt.get().max_idle

    def _idle(self) -> float:
        return monotonic() - self._answered_at


class _TLSConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """`requests`' adapter over the connections above. It does not retry by default."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
