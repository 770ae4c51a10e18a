"""An HTTP server on a real socket which answers however a test wants, and counts what arrives."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

_PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Received:
    """One whole request."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Peer:
    """The server's end of one connection, in the hands of a behaviour."""

    def __init__(
        self, connection: socket.socket, request: Received, stopped: threading.Event
    ) -> None:
        self.request = request
        self._connection = connection
        self._stopped = stopped

    def say(self, data: bytes) -> None:
        self._connection.sendall(data)

    def drip(self, data: bytes, *, every: float) -> None:
        for byte in data:
            self.say(bytes([byte]))
            if self._stopped.wait(every):
                return

    def say_nothing(self) -> None:
        self._stopped.wait(_PATIENCE)

    def hang_up(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with a TCP reset instead of an orderly goodbye."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


Behaviour = Callable[[Peer], None]


class RudeServer:
    """Serves every connection in a thread of its own; each request is met by `behave`."""

    def __init__(self, behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self.bytes_received = 0
        self.connections = 0
        self._tls = tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/v3"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(timeout=_PATIENCE)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            for request in self._requests(connection):
                self.received.append(request)
                self.behave(Peer(connection, request, self._stopped))

    def _requests(self, connection: socket.socket) -> Iterator[Received]:
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                pending += self._receive(connection)
            head, _, pending = pending.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value for name, value in (li.split(": ", 1) for li in lines)}
            length = int(headers.get("content-length", "0"))
            while len(pending) < length:
                pending += self._receive(connection)
            yield Received(method, target, headers, pending[:length])
            pending = pending[length:]

    def _receive(self, connection: socket.socket) -> bytes:
        data = connection.recv(65_536)
        self.bytes_received += len(data)
        if not data:
            raise ConnectionError("the client is gone")
        return data


@contextmanager
def rude_server(behave: Behaviour) -> Iterator[RudeServer]:
    with RudeServer(behave) as server:
        yield server


def answer(
    body: bytes | object = b"", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> bytes:
    """An answer with a content length; what is not bytes already is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def chunked(*chunks: bytes, headers: str = "", end: bytes = b"0\r\n\r\n") -> bytes:
    """An answer in chunks."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end
