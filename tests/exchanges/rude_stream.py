"""A WebSocket server on a real socket that speaks JSON-RPC well, and then as a test wants."""

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Self

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PATIENCE = 20
TICKER = "futures/inverse/btc_usd/ticker"
LAST_PRICE = "futures/inverse/btc_usd/lastPrice"
ISOLATED = "futures/inverse/btc_usd/isolated/trades"
SCOPES = ["account:read", "futures:isolated:read", "futures:isolated:write", "futures:cross:read"]

Answer = dict[str, Any] | None


class Client:
    """One connection as the server sees it: what was called on it, and ways to be rude to it."""

    def __init__(self, connection: socket.socket) -> None:
        self.calls: list[tuple[float, str, dict[str, Any]]] = []
        self._connection = connection

    @property
    def methods(self) -> list[str]:
        return [method for _, method, _ in self.calls]

    def say(self, data: bytes, *, opcode: int = 1, fin: bool = True) -> None:
        """One frame, whatever is in it."""
        head = bytes([(fin << 7) | opcode])
        if len(data) < 126:
            head += bytes([len(data)])
        elif len(data) < 65_536:
            head += struct.pack("!BH", 126, len(data))
        else:
            head += struct.pack("!BQ", 127, len(data))
        self.raw(head + data)

    def raw(self, data: bytes) -> None:
        """Bytes, framed or not."""
        with contextlib.suppress(OSError):
            self._connection.sendall(data)

    def push(self, topic: str, data: object) -> None:
        params = {"topic": topic, "data": data}
        body = {"jsonrpc": "2.0", "method": "subscription", "params": params}
        self.say(json.dumps(body).encode())

    def price(self, price: float, *, ago: float = 0.0) -> None:
        """A last price of that many seconds ago."""
        self.push(LAST_PRICE, {"time": int((time.time() - ago) * 1000), "lastPrice": price})

    def close(self, code: int) -> None:
        """The closing handshake."""
        self.say(struct.pack("!H", code), opcode=8)

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


def answers(method: str, params: dict[str, Any]) -> Answer:
    """What a friendly exchange answers; None is silence."""
    results: dict[str, Any] = {
        "hello": {"version": "1.0.0"},
        "ping": "pong",
        "time": {"time": int(time.time() * 1000)},
        "authenticate": {"authenticated": True, "permissions": SCOPES},
        "subscribe": {"subscribed": params.get("topics")},
    }
    return {"result": results[method]}


class RudeStream:
    """Serves each connection in a thread; `answer` may be replaced at any time."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict[str, Any]], Answer] = answers
        self.clients: list[Client] = []
        self.refuses = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """The address of the REST API beside which the stream is."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v3"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for client in self.clients:
            client.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        client = Client(connection)
        with contextlib.suppress(OSError, ConnectionError), connection:
            received = connection.makefile("rb")
            key = next(
                value.strip()
                for name, _, value in (line.partition(b":") for line in received)
                if name.lower() == b"sec-websocket-key"
            )
            while received.readline().strip():
                pass
            if self.refuses:
                client.raw(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n")
                return
            proof = base64.b64encode(hashlib.sha1(key + _MAGIC.encode()).digest())  # noqa: S324
            client.raw(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n"
            )
            self.clients.append(client)
            while True:
                self._meet(client, _frame(received))

    def _meet(self, client: Client, data: bytes) -> None:
        call = json.loads(data)
        client.calls.append((time.monotonic(), call["method"], call.get("params", {})))
        answer = self.answer(call["method"], call.get("params", {}))
        if answer is not None:
            client.say(json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer}).encode())


def _frame(received: Any) -> bytes:
    """The text of the next masked frame; control frames are left out."""
    while True:
        head = received.read(2)
        if len(head) < 2:
            raise ConnectionError
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", received.read(2))
        mask, masked = received.read(4), received.read(length)
        if head[0] & 0xF == 1:
            return bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
