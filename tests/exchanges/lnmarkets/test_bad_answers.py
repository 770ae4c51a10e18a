"""One HTTP exchange with a server that behaves badly: what a read and an act make of it.

Each table holds what the server does. Whatever it is, it has seen the request exactly once, the
total deadline holds, and neither errors nor logs hold a credential.
"""

import gzip
import logging
import time
import tracemalloc

import pytest

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    InvalidCredentials,
    RateLimited,
    Refused,
    TierLimited,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from tests.exchanges.lnmarkets.answers import ACCOUNT, CLOSED, as_json
from tests.exchanges.lnmarkets.clients import (
    SECRETS,
    act,
    assert_no_secret_in,
    client_of,
    eventually,
    read,
    says,
    says_and_hangs_up,
)
from tests.exchanges.rude_server import Behaviour, Peer, answer, chunked, rude_server

SHORT = 0.5


def drips(data: bytes, *, before: bytes = b"") -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(before)
        peer.drip(data, every=0.05)

    return behave


def endlessly(data: bytes, *, before: bytes = b"HTTP/1.1 200 OK\r\n") -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(before)
        while True:
            peer.say(data)

    return behave


BOMB = gzip.compress(b" " * 50_000_000)
GZIP = {"Content-Encoding": "gzip"}
GOOD = answer(CLOSED)
SPACES = b" " * 100_000

# A read raises Unavailable, an act UnknownOutcome
NO_ANSWER = {
    "hangs up without a word": Peer.hang_up,
    "resets the connection": Peer.reset,
    "cut in the status line": says_and_hangs_up(GOOD[:10]),
    "cut in the headers": says_and_hangs_up(GOOD[:40]),
    "cut in the body": says_and_hangs_up(GOOD[:-9]),
    "cut in a chunk": says_and_hangs_up(chunked(b"[", end=b"")),
    "one header without end": endlessly(b"X" * 10_000),
    "headers without end": endlessly(b"X: y\r\n"),
    "a negative chunk": endlessly(SPACES, before=chunked(end=b"-5\r\n")),
    "a chunk of -1": endlessly(SPACES, before=chunked(end=b"-1\r\n")),
    "no HTTP at all": says_and_hangs_up(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "two lengths": says_and_hangs_up(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    ),
    "408": says(answer(status=408)),
    "500": says(answer(status=500)),
    "502": says(answer(b"<html>", status=502)),
    "503, try again": says(answer({"code": "X"}, status=503, headers={"Retry-After": "0"})),
    "504": says(answer(status=504)),
    "599": says(answer(status=599)),
}

# The same, at the end of the total deadline
TOO_SLOW = {
    "never answers": Peer.say_nothing,
    "one byte at a time": drips(GOOD),
    "a body, one byte at a time": drips(
        b" " * 500, before=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    ),
    "trailers without end": endlessly(b"X: y\r\n", before=chunked(end=b"0\r\n")),
    "100 Continue without end": endlessly(b"HTTP/1.1 100 Continue\r\n\r\n", before=b""),
}

# A read raises UnreadableAnswer, an act UnknownOutcome
UNREADABLE = {
    "10 MB": says(answer(SPACES * 100)),
    "10 MB in chunks": says(chunked(*[SPACES] * 100)),
    "a gzip bomb": says(answer(BOMB, headers=GZIP)),
    "a gzip bomb in chunks": says(chunked(BOMB, headers="Content-Encoding: gzip\r\n")),
    "not the gzip it says": says(answer({}, headers=GZIP)),
    "empty": says(answer()),
    "204": says(answer(status=204)),
    "HTML": says(answer(b"<!doctype html><p>Hello")),
    "truncated JSON": says(answer(as_json(CLOSED)[:-9])),
    "another kind of answer": says(answer({"ok": True})),
    "redirect to itself": says(answer(status=307, headers={"Location": "/v3/account"})),
    "redirect with a body without end": endlessly(
        SPACES, before=b"HTTP/1.1 302 Found\r\nLocation: /v3/account\r\n\r\n"
    ),
    "not modified": says(answer(status=304)),
}

# Both raise this
DEFINITE = {
    "429": (says(answer(status=429, headers={"Retry-After": "0"})), RateLimited),
    "429 in HTML": (says(answer(b"<html>", status=429)), RateLimited),
    "400": (says(answer({"code": "BAD_REQUEST", "message": "No."}, status=400)), Refused),
    "401": (says(answer({"message": "Bad signature"}, status=401)), InvalidCredentials),
    "401 for the time": (says(answer({"message": "Invalid timestamp"}, status=401)), ClockSkew),
    "403": (says(answer({"code": "FORBIDDEN"}, status=403)), AccessDenied),
    "400 for the tier": (says(answer({"code": "TIER_LIMIT_EXCEEDED"}, status=400)), TierLimited),
    "404 in text": (says(answer(b"Not found", status=404)), Refused),
    "451": (says(answer(status=451)), AccessDenied),
}

ROWS = [
    *((name, behave, 5, Unavailable, UnknownOutcome) for name, behave in NO_ANSWER.items()),
    *((name, behave, SHORT, Unavailable, UnknownOutcome) for name, behave in TOO_SLOW.items()),
    *((name, behave, 5, UnreadableAnswer, UnknownOutcome) for name, behave in UNREADABLE.items()),
    *((name, behave, 5, error, error) for name, (behave, error) in DEFINITE.items()),
]


@pytest.mark.parametrize(
    ("behave", "total_timeout", "read_raises", "act_raises"),
    [pytest.param(*row, id=name) for name, *row in ROWS],
)
def test_bad_answers(behave, total_timeout, read_raises, act_raises, caplog):
    caplog.set_level(logging.DEBUG)
    for call, expected in ((read, read_raises), (act, act_raises)):
        with rude_server(behave) as server:
            started_at = time.monotonic()
            with pytest.raises(ExchangeError) as caught:
                call(client_of(server.url, total_timeout=total_timeout))

            assert type(caught.value) is expected
            assert time.monotonic() - started_at < total_timeout + 2
            eventually(lambda: server.received)
            assert len(server.received) == 1
            assert_no_secret_in(caught.value)
    assert not [secret for secret in SECRETS if secret in caplog.text]


GOOD_WAYS = {
    "plainly": lambda body: answer(body),
    "compressed": lambda body: answer(gzip.compress(as_json(body)), headers=GZIP),
    "in chunks": lambda body: chunked(as_json(body)[:50], as_json(body)[50:]),
    "as created": lambda body: answer(body, status=201),
    "after a 100": lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + answer(body),
}


@pytest.mark.parametrize("way", GOOD_WAYS.values(), ids=GOOD_WAYS)
@pytest.mark.parametrize(("call", "body"), [(read, ACCOUNT), (act, CLOSED)], ids=["read", "act"])
def test_good_answers(call, body, way):
    with rude_server(says(way(body))) as server:
        assert call(client_of(server.url)) == body["id"]

        assert len(server.received) == 1


def test_an_answer_that_ends_with_the_connection():
    with rude_server(says_and_hangs_up(b"HTTP/1.0 200 OK\r\n\r\n" + as_json(ACCOUNT))) as server:
        assert read(client_of(server.url)) == ACCOUNT["id"]


@pytest.mark.parametrize("call", [read, act], ids=["read", "act"])
@pytest.mark.parametrize(
    "bomb", ["10 MB in chunks", "a gzip bomb", "a gzip bomb in chunks", "a chunk of -1"]
)
def test_memory_stays_bounded(call, bomb):
    with rude_server((NO_ANSWER | UNREADABLE)[bomb]) as server:
        client = client_of(server.url)
        tracemalloc.start()
        try:
            with pytest.raises(ExchangeError):
                call(client)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 15_000_000
