"""Whatever a client of the stream sends is answered, and a client who does not read is dropped."""

import asyncio
import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from exchanges.paper.exchange import PaperExchange
from exchanges.paper.stream_session import Nonces, Session
from exchanges.paper.stream_socket import MAX_WAITING, Socket
from exchanges.paper.strikes import Faults

METHODS = ["hello", "ping", "time", "authenticate", "whoami", "subscribe", "unsubscribe",
           "unsubscribeAll", "subscription"]  # fmt: skip
FIELDS = ["topics", "key", "passphrase", "timestamp", "nonce", "signature", "clientName"]
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["announcements", "wallet/deposit"])
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)
REQUESTS = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "id": st.text(max_size=3) | st.integers() | VALUES},
    optional={
        "method": st.sampled_from(METHODS) | VALUES,
        "params": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
    },
)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "paper.jsonl"
    exchange = PaperExchange(path, price=Decimal(100_000))
    yield exchange
    exchange.close()


def as_javascript_has_it(request_id):
    """Its numbers are doubles, written with as few digits as tell them apart."""
    return int(Decimal(repr(float(request_id)))) if isinstance(request_id, int) else request_id


@example(texts=[json.dumps({"jsonrpc": "2.0", "id": 2**53 + 1, "method": "ping"})])
@example(texts=[json.dumps({"jsonrpc": "2.0", "id": 19_000_000_000_000_010, "method": "ping"})])
@given(texts=st.lists(st.text(max_size=50) | REQUESTS.map(json.dumps), max_size=20))
def test_every_message_gets_one_answer(exchange, texts):
    session = Session(exchange, Nonces())
    for text in texts:
        answer = session.answer(text)
        assert ("result" in answer) != ("error" in answer)
        assert answer["id"] is None or as_javascript_has_it(json.loads(text)["id"]) == answer["id"]
    assert session.account_id is None


class StuckConnection:
    """A WebSocket whose client accepts, and then neither reads nor writes."""

    def __init__(self):
        self.is_aborted = False
        self._is_open = asyncio.Event()

    async def receive(self):
        if not self._is_open.is_set():
            self._is_open.set()
            return {"type": "websocket.connect"}
        return await asyncio.Future()

    async def send(self, message):
        if message["type"] == "websocket.send":
            await asyncio.Future()

    def abort(self):
        self.is_aborted = True


def test_a_client_who_does_not_read_is_dropped(exchange):
    async def tell(number):
        connection = StuckConnection()
        scope = {"type": "websocket", "state": {"transport": connection}}
        websocket = WebSocket(scope, connection.receive, connection.send)
        socket = Socket(websocket, Session(exchange, Nonces()), Faults())
        serving = asyncio.create_task(socket.serve())
        await asyncio.sleep(0)
        for _ in range(number):
            socket.tell("announcements", {})
        serving.cancel()
        return connection.is_aborted

    assert not asyncio.run(tell(MAX_WAITING))
    assert asyncio.run(tell(MAX_WAITING + 1))
