"""One socket of LN Markets' Stream API v1: JSON-RPC over a WebSocket, bounded in every way.

All of it happens in one thread, except `abort`. The socket is opened here and handed to
websocket-client: no proxy of the environment and no redirect gets to see a credential. A frame
that cannot be read is counted and left out; one that is too large, or a silence, ends the socket,
since nothing sensible can follow.
"""

import contextlib
import json
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable
from secrets import token_hex
from threading import Timer
from time import monotonic, sleep
from typing import Final
from urllib.parse import urlsplit

import certifi
from websocket import ABNF, WebSocket, WebSocketException, WebSocketTimeoutException

from exchanges.errors import Refused, Unavailable, UnreadableAnswer
from exchanges.lnmarkets import frames
from exchanges.lnmarkets.frames import Push, Reply

CONNECT_TIMEOUT: Final = 10.0
REPLY_TIMEOUT: Final = 10.0
"""Seconds to connect, with TLS and handshake, and to wait for the reply to a call."""

IDLE: Final = 4.0
LONGEST_SILENCE: Final = 8.0
"""Seconds without a whole frame after which the exchange is asked for a sign of life, and after
which it is given up."""

POLL: Final = 0.5
"""Seconds between two looks at the clock while nothing comes."""

MAX_MESSAGE_BYTES: Final = 262_144

MAX_WAITING: Final = 1000
"""Pushes kept while a call waits for its reply; of more, the oldest are dropped."""

MESSAGES_PER_SECOND: Final = 8
"""Ten are allowed."""

JsonParams = dict[str, object]


class Rpc:
    """A connection to `url` (ws:// or wss://). Counts in `counts` what it had to drop."""

    def __init__(self, url: str, counts: Counter[str]) -> None:
        self._url = url
        self._counts = counts
        self._socket: socket.socket | None = None
        self._ws = _BoundedWebSocket(self._check_silence)
        self._sent: deque[float] = deque(maxlen=MESSAGES_PER_SECOND)
        self._heard = self._pinged = monotonic()
        self._waiting: deque[Push] = deque(maxlen=MAX_WAITING)
        self._is_aborted = False

    def open(self) -> None:
        """Connect. Raises `Unavailable`."""
        watchdog = Timer(CONNECT_TIMEOUT, self.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._socket = _connect(self._url)
            options = {"socket": self._socket, "redirect_limit": 0, "suppress_origin": True}
            self._ws.connect(self._url, **options)  # type: ignore[no-untyped-call]
            self._ws.settimeout(POLL)
        except (OSError, WebSocketException, ValueError) as error:
            raise _broken(error) from None
        finally:
            watchdog.cancel()
        if self._is_aborted:
            raise Unavailable("The stream was ended while it connected.")
        self._heard = monotonic()

    def call(self, method: str, params: JsonParams | None = None) -> object:
        """The result of a call; what is pushed meanwhile is kept for `next_push`.

        Raises `Refused` when the exchange declines it, `Unavailable` without an answer.
        """
        call = self._send(method, params)
        deadline = monotonic() + REPLY_TIMEOUT
        while monotonic() < deadline:
            match self._receive():
                case Push() as push:
                    self._waiting.append(push)
                case Reply(id=call_id, error=None, result=result) if call_id == call:
                    return result
                case Reply(id=call_id, error=str() as error) if call_id == call:
                    raise Refused(error, code=f"STREAM_{method.upper()}")
        raise Unavailable(f"The stream did not answer to {method}.")

    def next_push(self) -> Push:
        """Wait for the next push, asking for a sign of life when it gets quiet.

        Raises `Unavailable` when the connection ended or nothing at all comes any more.
        """
        while True:
            if self._waiting:
                return self._waiting.popleft()
            if monotonic() - max(self._heard, self._pinged) > IDLE:
                self._send("ping")
                self._pinged = monotonic()
            match self._receive():
                case Push() as push:
                    return push

    def abort(self) -> None:
        """Break the connection, from any thread: whoever waits on it gets `Unavailable`."""
        self._is_aborted = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not `SSLSocket.shutdown`, after which the other thread would write in the clear.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self.abort()
        self._ws.shutdown()  # type: ignore[no-untyped-call]
        if self._socket is not None:
            self._socket.close()

    def _send(self, method: str, params: JsonParams | None = None) -> str:
        self._keep_pace()
        call = token_hex(8)
        body = {"jsonrpc": "2.0", "id": call, "method": method}
        message = body if params is None else {**body, "params": params}
        try:
            self._ws.send(json.dumps(message))
        except (OSError, WebSocketException) as error:
            raise _broken(error) from None
        return call

    def _keep_pace(self) -> None:
        if len(self._sent) == MESSAGES_PER_SECOND:
            sleep(max(0.0, self._sent[0] + 1 - monotonic()))
        self._sent.append(monotonic())

    def _receive(self) -> Push | Reply | None:
        """The next frame; None for one that says nothing, and when none came for a while."""
        try:
            opcode, data = self._ws.message()
        except WebSocketTimeoutException:
            self._check_silence()
            return None
        except _TooLarge as error:
            self._counts["too_large"] += 1
            raise _broken(error) from None
        except (OSError, WebSocketException, ValueError) as error:
            raise _broken(error) from None
        if opcode == ABNF.OPCODE_CLOSE:
            raise Unavailable("The exchange closed the stream.")
        if opcode in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
            return None
        self._heard = monotonic()
        return self._read(data)

    def _read(self, data: bytes) -> Push | Reply | None:
        try:
            return frames.read(data)
        except UnreadableAnswer:
            self._counts["malformed"] += 1
            return None

    def _check_silence(self) -> None:
        if monotonic() - self._heard > LONGEST_SILENCE:
            self._counts["silent"] += 1
            raise Unavailable("The stream fell silent.")


class _BoundedWebSocket(WebSocket):
    """Asks before each piece it reads whether the message may go on."""

    def __init__(self, may_go_on: Callable[[], None]) -> None:
        super().__init__(skip_utf8_validation=True)
        self._may_go_on = may_go_on
        self._allowance = MAX_MESSAGE_BYTES

    def message(self) -> tuple[int, bytes]:
        """The next message or control frame, with its opcode."""
        opcode, frame = self.recv_data_frame(control_frame=True)
        self._allowance = MAX_MESSAGE_BYTES
        return opcode, bytes(frame.data)

    def _recv(self, bufsize: int) -> bytes:
        self._may_go_on()
        data: bytes = super()._recv(bufsize)  # type: ignore[no-untyped-call]
        self._allowance -= len(data)
        if self._allowance < 0:
            raise _TooLarge
        return data


class _TooLarge(WebSocketException):
    """A message of more than `MAX_MESSAGE_BYTES`, however it is cut into frames."""


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    is_secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    plain = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not is_secure:
        return plain
    try:
        trusted = ssl.create_default_context(cafile=certifi.where())
        return trusted.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def _broken(error: Exception) -> Unavailable:
    """Only the kind of error: what a stranger said in the handshake is of no use to anybody."""
    return Unavailable(f"The stream is broken ({type(error).__name__.lstrip('_')}).")
