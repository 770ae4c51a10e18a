"""What the adapter tells its guard, and what a guard that waits or refuses does to a request."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

import pytest

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    NotSent,
    RateLimited,
    Suspended,
    Unavailable,
    UnknownOutcome,
)
from exchanges.guard import Allowance, Call
from tests.exchanges.lnmarkets.answers import ACCOUNT, CLOSED, page_of
from tests.exchanges.lnmarkets.calls import ACTS, PUBLIC_READS, READS, SINCE
from tests.exchanges.lnmarkets.clients import NOW, SIGNATURE, act, client_of, eventually, read, says
from tests.exchanges.rude_server import Peer, answer, rude_server

T = TypeVar("T")
LEFT = {"RateLimit": '"key";r=3;t=1'}


@dataclass
class Witness:
    """A guard that notes what passes it and what became of it."""

    before: Callable[[], None] = lambda: None
    calls: list[Call] = field(default_factory=list)
    raised: list[type[Exception]] = field(default_factory=list)
    learnt: list[tuple[Call, Allowance]] = field(default_factory=list)

    def run(self, call: Call, request: Callable[[], T]) -> T:
        self.calls.append(call)
        self.before()
        try:
            return request()
        except ExchangeError as error:
            self.raised.append(type(error))
            raise

    def learn(self, call: Call, allowance: Allowance) -> None:
        self.learnt.append((call, allowance))


@dataclass
class Clock:
    """Stands still until something takes its time."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


CALLS = [
    *((name, read, body, (False, False)) for name, (read, body, _) in READS.items()),
    *((name, read, body, (True, False)) for name, (read, body, _) in PUBLIC_READS.items()),
    *(
        (name, lambda c, act=act: act(c, SIGNATURE), body, (False, True))
        for name, (act, body, *_) in ACTS.items()
    ),
]


@pytest.mark.parametrize(
    ("call", "document", "kind"), [pytest.param(*row, id=name) for name, *row in CALLS]
)
def test_every_request_passes_the_guard_as_what_it_is(call, document, kind):
    guard = Witness()
    with rude_server(says(answer(document, headers=LEFT))) as server:
        call(client_of(server.url, guard=guard))

    (told,) = guard.calls
    assert (told.is_public, told.is_act) == kind
    assert guard.learnt == [(told, Allowance(3, 1))]
    signed = "lnm-access-key" in server.received[0].headers
    assert signed is not told.is_public


def test_operations_have_names_of_their_own():
    guard = Witness()
    with rude_server(Peer.hang_up) as server:
        for _, call, *_ in CALLS:
            with suppress(ExchangeError):
                call(client_of(server.url, guard=guard))

    names = {call.operation for call in guard.calls}
    in_two_ways = {"isolated.new_trade", "isolated.set_stop_loss", "isolated.set_take_profit"}
    assert len(names) == len(CALLS) - len(in_two_ways) - len({"swaps.swap"})


def test_each_page_passes_the_guard():
    pages = [page_of(CLOSED, cursor="next"), page_of()]
    guard = Witness()
    with rude_server(lambda peer: peer.say(answer(pages.pop(0)))) as server:
        client_of(server.url, guard=guard).isolated.closed_trades(since=SINCE)

    assert [call.operation for call in guard.calls] == ["isolated.closed_trades"] * 2


def test_a_list_whose_pages_wait_too_long_is_given_up():
    clock = Clock()
    guard = Witness(before=lambda: clock.advance(50))
    cursors = map(str, count())
    with rude_server(lambda peer: peer.say(answer(page_of(cursor=next(cursors))))) as server:
        client = client_of(server.url, guard=guard, clock=clock)
        with pytest.raises(Unavailable, match="too long"):
            client.isolated.closed_trades(since=SINCE)


def test_a_read_that_waited_is_signed_when_it_leaves():
    clock = Clock()
    guard = Witness(before=lambda: clock.advance(40))
    with rude_server(says(answer(ACCOUNT))) as server:
        read(client_of(server.url, guard=guard, clock=clock))

    signed_at = int(server.received[0].headers["lnm-access-timestamp"])
    assert signed_at == (NOW + timedelta(seconds=40)).timestamp() * 1000


@pytest.mark.parametrize(
    ("waited", "sent"), [(14.9, 1), (15.1, 0)], ids=["just in time", "too late"]
)
def test_an_act_that_waited_looks_at_its_deadline_again(waited, sent):
    clock = Clock()
    guard = Witness(before=lambda: clock.advance(waited))
    with rude_server(says(answer(CLOSED))) as server:
        if sent:
            act(client_of(server.url, guard=guard, clock=clock))
        else:
            with pytest.raises(NotSent):
                act(client_of(server.url, guard=guard, clock=clock))

    assert len(server.received) == sent


@pytest.mark.parametrize("call", [read, act], ids=["read", "act"])
@pytest.mark.parametrize(
    "error",
    [Suspended("later"), RateLimited("later", retry_after=1)],
    ids=lambda e: type(e).__name__,
)
def test_what_a_guard_holds_back_is_not_sent(call, error):
    def refuse() -> None:
        raise error

    with rude_server(says(answer(CLOSED))) as server:
        with pytest.raises(type(error)):
            call(client_of(server.url, guard=Witness(before=refuse)))

        assert server.connections == 0


@pytest.mark.parametrize(
    ("document", "status", "raised"),
    [
        ({}, 429, RateLimited),
        ({}, 503, UnknownOutcome),
        ({}, 200, UnknownOutcome),
        (CLOSED | {"closed": False, "running": True}, 200, UnknownOutcome),
    ],
    ids=["429", "503", "unreadable", "about something else"],
)
def test_the_guard_sees_what_became_of_an_act(document, status, raised):
    guard = Witness()
    with rude_server(says(answer(document, status=status, headers=LEFT))) as server:
        with pytest.raises(raised):
            act(client_of(server.url, guard=guard))
        eventually(lambda: server.received)

    assert guard.raised == [raised]
    assert len(guard.learnt) == 1


REFUSALS = {
    "timestamp": ({"message": "Timestamp outside of the window"}, 401),
    "signature": ({"code": "UNAUTHORIZED", "message": "Invalid signature"}, 401),
    "bad request": ({"code": "BAD_REQUEST", "message": "timestamp"}, 400),
}
TIME = {"time": "2026-01-01T00:00:00.000Z"}


def probing(*answers: bytes) -> tuple[Witness, Callable[[], bool]]:
    """A guard, and a client's probe of the window which is answered like that."""
    guard, told = Witness(), list(answers)

    def probe() -> bool:
        with rude_server(lambda peer: peer.say(told.pop(0))) as server:
            return client_of(server.url, guard=guard).refuses_stale_signature()

    return guard, probe


@pytest.mark.parametrize(("document", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_probe_of_the_window_is_nothing_against_the_key(document, status):
    guard, probe = probing(answer(ACCOUNT), answer(TIME), answer(document, status=status))
    assert probe()
    assert guard.raised == []


def test_an_accepted_probe_shows_that_the_window_is_not_kept():
    _, probe = probing(answer(ACCOUNT), answer(TIME), answer(ACCOUNT))
    assert not probe()


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ([answer({"message": "Invalid timestamp"}, status=401)], ClockSkew),
        ([answer(ACCOUNT), answer(TIME), answer({}, status=503)], Unavailable),
        ([answer(ACCOUNT), answer(TIME), answer({}, status=403)], AccessDenied),
    ],
    ids=["the key is refused anyway", "no answer", "denied"],
)
def test_a_probe_of_the_window_that_shows_nothing(answers, raised):
    guard, probe = probing(*answers)
    with pytest.raises(raised):
        probe()
    assert guard.raised == [raised]
