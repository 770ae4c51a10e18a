"""Requests of a run whose time is limited: none begins too late, no read waits longer."""

import time

import pytest

from exchanges import deadline
from exchanges.deadline import within
from exchanges.errors import ExchangeError, OutOfTime, RateLimited
from exchanges.protection import protect
from exchanges.types import Credentials
from tests.exchanges.lnmarkets.answers import ACCOUNT, CLOSED
from tests.exchanges.lnmarkets.clients import SECRETS, act, client_of, read, says
from tests.exchanges.rude_server import answer, rude_server

LIMIT = 0.3


@pytest.fixture
def guard(name, settings):
    settings.EXCHANGE_LIMITS = {name: {"private": 1000, "public": 1000}}
    return protect(exchange=name, adapter="lnmarkets", credentials=Credentials(*SECRETS))


def outcome_of(call):
    try:
        call()
    except ExchangeError as error:
        return type(error).__name__
    return "answered"


def late(peer):
    time.sleep(2 * LIMIT)
    peer.say(answer(CLOSED))


@pytest.mark.parametrize(
    ("call", "behave", "outcome", "takes_no_longer"),
    [
        (read, says(answer(ACCOUNT)), "answered", True),
        (read, lambda peer: peer.say_nothing(), "Unavailable", True),
        (read, lambda peer: peer.drip(answer(ACCOUNT), every=0.1), "Unavailable", True),
        (act, late, "answered", False),
    ],
    ids=["an answer", "silence", "a byte now and then", "an act that has begun"],
)
def test_a_read_waits_no_longer_than_is_left(guard, call, behave, outcome, takes_no_longer):
    with rude_server(behave) as server:
        client, began = client_of(server.url, guard=guard), time.monotonic()
        with within(LIMIT):
            assert outcome_of(lambda: call(client)) == outcome
        assert (time.monotonic() - began < 2 * LIMIT) is takes_no_longer


@pytest.mark.parametrize("call", [read, act])
def test_nothing_begins_when_the_time_is_over(guard, call):
    with rude_server(says(answer(ACCOUNT))) as server, within(0):
        with pytest.raises(OutOfTime):
            call(client_of(server.url, guard=guard))
        assert server.connections == 0


def test_a_token_is_not_waited_for_longer_than_is_left(name, settings):
    settings.EXCHANGE_LIMITS = {name: {"private": 1, "public": 1}}
    guard = protect(exchange=name, adapter="lnmarkets", credentials=Credentials(*SECRETS))
    with rude_server(says(answer(ACCOUNT))) as server:
        client = client_of(server.url, guard=guard)
        read(client)
        with within(LIMIT), pytest.raises(RateLimited):
            read(client)


def test_a_limit_within_another_one_is_never_longer():
    with within(LIMIT):
        with within(60):
            assert deadline.seconds_left() <= LIMIT
        with within(0):
            assert deadline.is_over()
        assert not deadline.is_over()
    assert deadline.seconds_left() == float("inf")
