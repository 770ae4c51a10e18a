"""Whatever comes back: an act ends in an error of ours, a read too, and each is received once."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.errors import (
    AccessDenied,
    InvalidCredentials,
    RateLimited,
    Refused,
    UnknownOutcome,
    UnreadableAnswer,
)
from tests.exchanges.lnmarkets.answers import CLOSED, as_json
from tests.exchanges.lnmarkets.calls import ACTS, ALL_READS
from tests.exchanges.lnmarkets.clients import SIGNATURE, act, client_of, says, says_and_hangs_up
from tests.exchanges.lnmarkets.damage import EXAMPLES, damaged
from tests.exchanges.rude_server import answer, rude_server

BODY = as_json(CLOSED)
DEFINITE = (AccessDenied, InvalidCredentials, RateLimited, Refused)

pieces = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/9.9 200\r\n", b"HTTP/1.1 ",
        b"HTTP/1.1 204 None\r\n", b"HTTP/1.1 302 Found\r\n", b"HTTP/1.1 400 Bad\r\n",
        b"HTTP/1.1 429 Slow down\r\n", b"HTTP/1.1 500 Oops\r\n", b"HTTP/1.1 007 Bond\r\n",
        b"Content-Length: 10\r\n", b"Content-Length: -1\r\n", b"Content-Length: 9e9\r\n",
        b"Content-Length: %d\r\n" % len(BODY), b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Encoding: gzip\r\n",
        b"Content-Encoding: deflate, gzip, gzip, gzip, gzip, gzip, gzip\r\n",
        b"Content-Encoding: \xff\r\n", b"Location: //[::bad\r\n", b"Connection: close\r\n",
        b"Retry-After: -1\r\n", b"RateLimit: r=-1;t=\xff\r\n", b": no name\r\n", b" folded\r\n",
        b"Set-Cookie: a=b; Expires=x\r\n",
        b"\r\n", b"\r\n\r\n", b"%x\r\n%b\r\n" % (len(BODY), BODY), b"0\r\n\r\n", b"-3\r\n",
        b"ffffffffffffffffffff\r\n", b"\x1f\x8b\x08\x00", b"\x00", BODY, BODY[:50],
    ]
)  # fmt: skip
answers = st.lists(pieces | st.binary(max_size=8), max_size=8).map(b"".join)


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(answers | answers.map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
def test_whatever_comes_back(data):
    with rude_server(says_and_hangs_up(data)) as server:
        client = client_of(server.url)
        try:
            assert act(client) == CLOSED["id"]
        except (UnknownOutcome, *DEFINITE):
            pass

        assert len(server.received) == 1


CALLS = [
    *(
        pytest.param(lambda c, act=act: act(c, SIGNATURE), document, UnknownOutcome, id=name)
        for name, (act, document, *_) in ACTS.items()
    ),
    *(
        pytest.param(read, document, UnreadableAnswer, id=name)
        for name, (read, document, _) in ALL_READS.items()
    ),
]


@pytest.mark.parametrize(("call", "document", "error"), CALLS)
def test_damage_leaves_an_act_unknown_and_a_read_unreadable(call, document, error):
    with rude_server(says(b"")) as server:
        client = client_of(server.url)

        @settings(max_examples=EXAMPLES // len(CALLS) + 1, deadline=None)
        @given(damaged(document))
        def try_it(body: bytes) -> None:
            server.received.clear()
            server.behave = says(answer(body))
            with suppress(error):
                call(client)

            assert len({request.target for request in server.received}) == len(server.received)
            if error is UnknownOutcome:
                assert len(server.received) == 1

        try_it()
