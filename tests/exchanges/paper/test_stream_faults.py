"""Faults of the stream, as a client sees them; the exchange did what it did all the same."""

import json
import socket

import pytest
import websocket

from tests.exchanges.paper.listener import TIMEOUT_SECONDS, Listener
from tests.exchanges.paper.trader import Trader

TRADES = "futures/inverse/btc_usd/isolated/trades"
QUIET_SECONDS = 0.3


@pytest.fixture
def listener(paper, account):
    with listening(paper, account) as listener:
        yield listener


def listening(paper, account):
    """Hears the trades of the account."""
    listener = Listener(paper.origin)
    listener.authenticate(account.credentials)
    listener.hear(TRADES)
    return listener


def labels(listener, number):
    return [listener.next()["trade"]["clientId"] for _ in range(number)]


def open_labelled(trader, *names):
    for name in names:
        trader.open(clientId=name)


def is_quiet(listener):
    """Whether nothing comes, not even a pong."""
    listener.socket.settimeout(QUIET_SECONDS)
    try:
        listener.socket.recv_data(control_frame=True)
    except websocket.WebSocketTimeoutException:
        return True
    finally:
        listener.socket.settimeout(TIMEOUT_SECONDS)
    return False


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        pytest.param("stream_duplicate", "a a b c", id="duplicated"),
        pytest.param("stream_reorder", "b a c", id="reordered"),
    ],
)
def test_duplicated_and_reordered_frames(paper, trader, listener, kind, told):
    paper.control.fault(kind, topic=TRADES)
    open_labelled(trader, "a", "b", "c")
    assert labels(listener, len(told.split())) == told.split()


def test_delayed_frames_come_late_and_in_order(paper, trader, listener):
    paper.control.fault("stream_delay", topic=TRADES, seconds=QUIET_SECONDS * 2)
    open_labelled(trader, "a", "b")
    assert is_quiet(listener)
    assert labels(listener, 2) == ["a", "b"]


def test_garbage_in_place_of_a_frame(paper, trader, listener):
    paper.control.fault("stream_garbage")
    open_labelled(trader, "a", "b")
    with pytest.raises(json.JSONDecodeError):
        json.loads(listener.socket.recv())
    assert labels(listener, 1) == ["b"]


def test_a_stream_that_says_goodbye(paper, trader, listener):
    paper.control.fault("stream_close")
    open_labelled(trader, "a")
    opcode, data = listener.socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    assert int.from_bytes(data[:2]) == 1001
    assert_it_happened(paper, trader)


def test_a_stream_that_is_cut(paper, trader, listener):
    paper.control.fault("stream_cut")
    open_labelled(trader, "a")
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        listener.socket.recv_data()
    assert_it_happened(paper, trader)


def assert_it_happened(paper, trader):
    assert len(trader.get("/futures/isolated/trades/running").json()) == 1


def test_a_silent_stream_takes_connections_and_says_nothing(paper, account, trader, listener):
    fault = paper.control.fault("stream_silent")
    with Listener(paper.origin) as late:
        for each in (listener, late):
            each.send("ping")
            each.socket.ping()
        open_labelled(trader, "lost")
        assert is_quiet(listener)
        assert is_quiet(late)
        paper.control.clear_fault(fault)
        assert late.receive()["result"] == "pong", "what it sent meanwhile is answered"
    assert listener.receive()["result"] == "pong"
    open_labelled(trader, "heard")
    assert labels(listener, 1) == ["heard"]


def test_a_silent_account(paper, account, listener):
    paper.control.fault("stream_silent", account_id=account.id)
    other = paper.control.create_account(balance=10_000_000)
    with listening(paper, other) as spared, Listener(paper.origin) as late:
        open_labelled(Trader(paper.url, other.credentials), "heard")
        assert labels(spared, 1) == ["heard"]
        late.send("ping")
        assert late.receive()["result"] == "pong", "not known yet"
        late.send("whoami")
        assert late.receive()["error"]
        listener.send("ping")
        assert is_quiet(listener)


def test_a_stream_that_takes_no_connection(paper, trader, listener):
    fault = paper.control.fault("stream_refuse", status=502)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Listener(paper.origin)
    assert refused.value.status_code == 502
    open_labelled(trader, "a")
    assert labels(listener, 1) == ["a"], "connections there are live on"
    paper.control.clear_fault(fault)
    Listener(paper.origin).socket.close()


def test_frame_faults_strike_only_what_they_name(paper, trader, listener):
    other = paper.control.create_account(balance=0)
    paper.control.fault("stream_cut", account_id=other.id)
    paper.control.fault("stream_cut", topic="wallet/deposit")
    open_labelled(trader, "a")
    assert labels(listener, 1) == ["a"]
    with Listener(paper.origin) as struck:
        struck.send("authenticate", {})
        assert struck.receive()["error"]
        with pytest.raises((websocket.WebSocketException, ConnectionError, socket.timeout)):
            struck.authenticate(other.credentials)


def test_frame_chaos_strikes_now_and_then(paper, trader, account):
    paper.control.fault("stream_chaos", seed=7, probability=0.4, seconds=0.01, topic=TRADES)
    whole, broken = set(), 0
    for number in range(12):
        with listening(paper, account) as listener:
            listener.socket.settimeout(QUIET_SECONDS)
            open_labelled(trader, str(number), "after")
            try:
                whole.update(labels(listener, 2))
            except (ValueError, websocket.WebSocketException, ConnectionError, KeyError):
                broken += 1
    assert 0 < broken < 12
    assert len(trader.get("/futures/isolated/trades/running").json()) == 24
