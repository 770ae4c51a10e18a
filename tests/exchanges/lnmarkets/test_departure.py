"""When a request leaves, when it does not, and that it never leaves twice."""

import contextlib
import datetime as dt
import json
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
import requests

from exchanges.errors import NotSent, Unavailable, UnknownOutcome
from exchanges.transport import Transport
from tests.exchanges.lnmarkets.answers import ACCOUNT, CLOSED
from tests.exchanges.lnmarkets.clients import (
    NOW,
    SIGNATURE,
    act,
    assert_no_secret_in,
    client_of,
    eventually,
    read,
    says,
)
from tests.exchanges.rude_server import Peer, answer, rude_server

GOOD = answer(CLOSED)


@contextmanager
def nobody_listens() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    yield f"http://127.0.0.1:{port}/v3"


@contextmanager
def nobody_accepts() -> Iterator[str]:
    """A listener whose queue is full: to connect takes for ever."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v3"


@contextmanager
def no_tls_there() -> Iterator[str]:
    with rude_server(says(GOOD)) as server:
        yield server.url.replace("http://", "https://")
        assert server.received == []


@pytest.mark.parametrize(
    "place", [nobody_listens, nobody_accepts, no_tls_there], ids=lambda place: place.__name__
)
def test_what_cannot_connect_is_not_sent(place):
    with place() as url:
        with pytest.raises(Unavailable):
            read(client_of(url))
        with pytest.raises(NotSent) as caught:
            act(client_of(url))
    assert_no_secret_in(caught.value)


@pytest.mark.parametrize(
    ("late", "sent"),
    [(dt.timedelta(0), 1), (dt.timedelta(microseconds=1), 0), (dt.timedelta(days=1), 0)],
    ids=["just in time", "just too late", "much too late"],
)
def test_nothing_leaves_after_the_deadline(late, sent):
    with rude_server(says(GOOD)) as server:
        client = client_of(server.url, clock=lambda: SIGNATURE.deadline + late)
        with contextlib.nullcontext() if sent else pytest.raises(NotSent, match="deadline"):
            act(client)

    assert len(server.received) == sent
    assert bool(server.bytes_received) is bool(sent)


def test_the_last_look_comes_when_the_connection_stands():
    """To connect may take seconds: a look taken before would say nothing about the write."""

    def last_look() -> None:
        eventually(lambda: server.connections == 1)
        raise NotSent("too late")

    with rude_server(says(GOOD)) as server:
        request = requests.Request("POST", server.url, data=b"{}").prepare()
        with pytest.raises(NotSent, match="too late"):
            Transport(server.url).exchange(request, last_look=last_look, on_sent=lambda: None)

        assert server.bytes_received == 0


def test_an_act_is_signed_as_of_its_recorded_time():
    with rude_server(says(GOOD)) as server:
        act(client_of(server.url, clock=lambda: NOW))

    recorded = int(SIGNATURE.signed_at.timestamp() * 1000)
    assert server.received[0].headers["lnm-access-timestamp"] == str(recorded)


# Connections that are kept


def test_connections_are_kept():
    with rude_server(says(GOOD)) as server:
        client = client_of(server.url)
        assert [act(client), act(client), act(client)] == [CLOSED["id"]] * 3

    assert (server.connections, len(server.received)) == (1, 3)


def test_a_kept_connection_that_was_closed_is_opened_anew():
    hung_up = threading.Event()

    def behave(peer: Peer) -> None:
        peer.say(GOOD)
        peer.hang_up()
        hung_up.set()

    with rude_server(behave) as server:
        client = client_of(server.url)
        for _ in range(3):
            act(client)
            hung_up.wait(5)
            hung_up.clear()

    assert (server.connections, len(server.received)) == (3, 3)


@pytest.mark.parametrize(
    "end", [Peer.hang_up, Peer.reset, Peer.say_nothing], ids=lambda e: e.__name__
)
def test_a_kept_connection_that_breaks_under_the_act_is_not_tried_again(end):
    """What the pool could not see: the server gives up just as the request comes in."""

    def behave(peer: Peer) -> None:
        if peer.request.method == "GET":
            peer.say(answer(ACCOUNT))
        else:
            end(peer)

    with rude_server(behave) as server:
        client = client_of(server.url, total_timeout=1)
        read(client)
        with pytest.raises(UnknownOutcome):
            act(client)

        assert server.connections == 1
        assert [request.method for request in server.received] == ["GET", "POST"]


def test_a_connection_that_failed_is_not_kept():
    def behave(peer: Peer) -> None:
        peer.drip(GOOD, every=0.05)

    with rude_server(behave) as server:
        client = client_of(server.url, total_timeout=0.2)
        for _ in range(2):
            with pytest.raises(UnknownOutcome):
                act(client)

    assert (server.connections, len(server.received)) == (2, 2)


def test_a_connection_that_idled_too_long_is_not_trusted():
    with rude_server(says(GOOD)) as server:
        client = client_of(server.url, max_idle=0)
        act(client)
        act(client)

    assert (server.connections, len(server.received)) == (2, 2)


def test_a_connection_is_used_again_before_that():
    with rude_server(says(GOOD)) as server:
        client = client_of(server.url)
        act(client)
        act(client)

    assert (server.connections, len(server.received)) == (1, 2)


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next():
    with rude_server(says(answer(ACCOUNT) + answer(ACCOUNT | {"username": "mallory"}))) as server:
        client = client_of(server.url)
        names = [client.account().username for _ in range(3)]

    assert names == [ACCOUNT["username"]] * 3


def test_threads_may_share_a_client():
    """Each act gets its own answer, and each failure is its own."""

    def behave(peer: Peer) -> None:
        trade_id = json.loads(peer.request.body)["id"]
        if trade_id.endswith("0"):
            peer.hang_up()
        else:
            peer.say(answer(CLOSED | {"id": trade_id}))

    def outcome(trade_id: str) -> object:
        try:
            return act(client, trade_id)
        except UnknownOutcome:
            return UnknownOutcome

    ids = [str(uuid.UUID(int=number)) for number in range(80)]
    with rude_server(behave) as server, ThreadPoolExecutor(8) as threads:
        client = client_of(server.url, total_timeout=10)
        outcomes = list(threads.map(outcome, ids))

    assert outcomes == [UnknownOutcome if one.endswith("0") else one for one in ids]
    assert len(server.received) == len(ids)


FORK = """
import os, sys
from exchanges.registry import connect
connect("lnmarkets", base_url=sys.argv[1]).ping()
child = os.fork()
connect("lnmarkets", base_url=sys.argv[1]).ping()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_fork_does_not_share_connections():
    with rude_server(says(answer("pong"))) as server:
        subprocess.run([sys.executable, "-c", FORK, server.url], check=True, timeout=20)

    assert (server.connections, len(server.received)) == (2, 3)


# What the surroundings may not change


def test_cookies_are_forgotten():
    """One transport serves many accounts: what one answer sets must not follow the next request."""
    with rude_server(says(answer(CLOSED, headers={"Set-Cookie": "session=of-someone"}))) as server:
        client = client_of(server.url)
        act(client)
        act(client)

    assert [request.headers.get("cookie") for request in server.received] == [None, None]


def test_the_environment_is_not_asked(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with nobody_listens() as nowhere, rude_server(says(GOOD)) as server:
        monkeypatch.setenv("HTTP_PROXY", nowhere)
        monkeypatch.setenv("ALL_PROXY", nowhere)
        act(client_of(server.url))

    assert "authorization" not in server.received[0].headers
