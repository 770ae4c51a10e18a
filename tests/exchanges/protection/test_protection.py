"""One stack of layers around a client: what is let through, held back, and what follows."""

import contextlib
import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    NotSent,
    RateLimited,
    Refused,
    TierLimited,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from exchanges.guard import Allowance, Call
from exchanges.protection import breakers, limiting, protect
from exchanges.types import Credentials

READ = Call("account")
PUBLIC = Call("ticker", is_public=True)
SILENCE = Unavailable("No answer.")


@pytest.fixture(autouse=True)
def exchange(name, settings):
    """An exchange of its own, with limits that are in nobody's way."""
    settings.EXCHANGE_LIMITS = {name: {"private": 1000, "public": 1000}}
    return name


def guard_of(exchange, key="a", **options):
    credentials = Credentials(key=f"{exchange}-{key}", secret="s", passphrase="p")
    return protect(exchange=exchange, adapter="lnmarkets", credentials=credentials, **options)


def ask(guard, error=None, call=READ):
    """What a request comes to: `answered`, or the name of the error."""

    def request():
        if error is not None:
            raise error

    try:
        guard.run(call, request)
    except ExchangeError as raised:
        return type(raised).__name__
    return "answered"


def fail(guard, times=breakers.ACCOUNT.failures, error=SILENCE, call=READ):
    return [ask(guard, error, call) for _ in range(times)]


@pytest.fixture
def later(monkeypatch):
    """Let the rest of every breaker be over, once more each time."""
    passed = timedelta()

    def pass_by():
        nonlocal passed
        passed += timedelta(seconds=61)

        class Later(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + passed

        monkeypatch.setattr(breakers, "datetime", Later)
        monkeypatch.setattr("pybreaker.datetime", Later)

    return pass_by


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (Unavailable("503"), True),
        (Maintenance("503"), True),
        (UnreadableAnswer("?"), True),
        (UnknownOutcome("?"), True),
        (RateLimited("429", retry_after=0), False),
        (NotSent("late"), False),
        (ClockSkew("401"), False),
        (Refused("400", code="BAD_REQUEST"), False),
        (MissingScope("403"), False),
        (TierLimited("403"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_counts_as_a_failure(exchange, error, opens):
    guard = guard_of(exchange)
    fail(guard, error=error)
    assert ask(guard) == ("Suspended" if opens else "answered")


@pytest.mark.parametrize("error", [InvalidCredentials("401"), GeoBlocked("403"), AccessDenied("?")])
@pytest.mark.parametrize("is_protective", [True, False])
def test_a_key_that_is_refused_is_left_alone_by_everybody(exchange, error, is_protective):
    guard = guard_of(exchange, is_protective=is_protective)
    fail(guard, breakers.REFUSALS.failures, error)
    assert ask(guard) == "Suspended"
    assert ask(guard_of(exchange, key="another")) == "answered"


def test_a_success_in_between_starts_the_count_anew(exchange):
    guard = guard_of(exchange)
    for _ in range(3):
        fail(guard, breakers.ACCOUNT.failures - 1)
        assert ask(guard) == "answered"


def test_what_was_not_sent_says_nothing_about_the_exchange(exchange):
    guard = guard_of(exchange)
    fail(guard, breakers.ACCOUNT.failures - 1)
    assert ask(guard, NotSent("late")) == "NotSent"
    assert fail(guard, 2) == ["Unavailable", "Suspended"]


def test_what_protects_still_tries_and_its_success_closes(exchange):
    fail(guard_of(exchange))
    guard = guard_of(exchange, is_protective=True)
    assert ask(guard, SILENCE) == "Unavailable"
    assert ask(guard_of(exchange)) == "Suspended"
    assert ask(guard) == "answered"
    assert ask(guard_of(exchange)) == "answered"


@pytest.mark.parametrize(
    ("outcome", "then"),
    [(None, "answered"), (SILENCE, "Suspended"), (NotSent("late"), "answered")],
    ids=["answered", "no answer", "not sent after all"],
)
def test_after_the_rest_one_probe_decides(exchange, later, outcome, then):
    guard = guard_of(exchange)
    fail(guard)
    later()
    seen = []

    def probe():
        seen.append(ask(guard_of(exchange)))
        if outcome is not None:
            raise outcome

    with contextlib.suppress(Unavailable, NotSent):
        guard.run(READ, probe)
    assert seen == ["Suspended"]
    assert ask(guard_of(exchange)) == then


def test_what_protects_does_not_end_another_s_probe(exchange, later):
    guard = guard_of(exchange)
    fail(guard)
    later()
    seen = []

    def probe():
        ask(guard_of(exchange, is_protective=True), NotSent("late"))
        seen.append(ask(guard_of(exchange)))

    guard.run(READ, probe)
    assert seen == ["Suspended"]


def test_one_accounts_trouble_is_nobody_elses(exchange, later):
    """However long it lasts: what opens again after a probe does not count anew."""
    hammered = guard_of(exchange, key="a")
    fail(hammered)
    for _ in range(3 * breakers.EXCHANGE.failures):
        later()
        assert fail(hammered, 2) == ["Unavailable", "Suspended"]
    bystander = guard_of(exchange, key="b")
    for _ in range(20):
        assert fail(hammered, 1)[0] in ("Suspended", "Unavailable")
        assert ask(bystander) == "answered"
        assert ask(bystander, call=PUBLIC) == "answered"


def test_the_exchange_is_left_alone_when_it_serves_nobody(exchange):
    for number in range(breakers.EXCHANGE.failures):
        fail(guard_of(exchange, key=f"account {number}"))
    bystander = guard_of(exchange, key="bystander")
    assert [ask(bystander), ask(bystander, call=PUBLIC)] == ["Suspended", "Suspended"]
    assert ask(guard_of(exchange, key="guard", is_protective=True)) == "answered"
    assert [ask(bystander), ask(bystander, call=PUBLIC)] == ["answered", "answered"]


def test_an_answer_to_anybody_starts_the_exchanges_count_anew(exchange):
    for number in range(3 * breakers.EXCHANGE.failures):
        fail(guard_of(exchange, key=f"account {number}"))
        assert ask(guard_of(exchange, key="well")) == "answered"


def test_a_probe_that_fails_leaves_the_exchange_alone_again(exchange, later):
    for number in range(breakers.EXCHANGE.failures):
        fail(guard_of(exchange, key=f"account {number}"))
    later()
    assert ask(guard_of(exchange, key="probe"), SILENCE) == "Unavailable"
    assert ask(guard_of(exchange, key="next")) == "Suspended"


def test_public_requests_have_a_breaker_of_their_own(exchange):
    guard = guard_of(exchange)
    fail(guard, breakers.PUBLIC.failures, call=PUBLIC)
    assert ask(guard, call=PUBLIC) == "Suspended"
    assert ask(guard) == "answered"


def test_without_a_key_everything_is_public(exchange):
    guard = protect(exchange=exchange, adapter="lnmarkets")
    assert ask(guard, call=PUBLIC) == "answered"


def test_the_owner_is_told_when_the_key_s_breaker_opens(exchange):
    opened = []
    guard = guard_of(exchange, on_open=lambda: opened.append(True))
    fail(guard, breakers.ACCOUNT.failures + 3)
    assert opened == [True]


OPENER = """
import sys, django
django.setup()
from django.conf import settings
from exchanges.errors import Unavailable
from exchanges.guard import Call
from exchanges.protection import protect
from exchanges.types import Credentials

exchange = sys.argv[1]
settings.EXCHANGE_LIMITS = {exchange: {"private": 1000, "public": 1000}}
credentials = Credentials(key=f"{exchange}-a", secret="s", passphrase="p")
guard = protect(exchange=exchange, adapter="lnmarkets", credentials=credentials)

def fail():
    raise Unavailable("No answer.")

for _ in range(int(sys.argv[2])):
    try:
        guard.run(Call("account"), fail)
    except Unavailable:
        pass
"""


def test_processes_share_a_breaker(exchange):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    others = breakers.ACCOUNT.failures - 1
    command = [sys.executable, "-c", OPENER, exchange, str(others)]
    subprocess.run(command, env=environment, check=True)
    guard = guard_of(exchange)
    assert fail(guard, 2) == ["Unavailable", "Suspended"]


def test_without_redis_nothing_is_held_back(exchange, redis_is_away):
    guard = guard_of(exchange)
    assert set(fail(guard, 20)) == {"Unavailable"}
    assert ask(guard) == "answered"


def test_a_429_pauses_the_key_and_no_other(exchange):
    assert ask(guard_of(exchange), RateLimited("429", retry_after=600)) == "RateLimited"
    with pytest.raises(RateLimited) as held_back:
        guard_of(exchange).run(READ, lambda: pytest.fail("It was sent."))
    assert 590 < held_back.value.retry_after <= 600
    assert ask(guard_of(exchange, key="b")) == "answered"
    assert ask(guard_of(exchange), call=PUBLIC) == "answered"


@pytest.mark.parametrize(
    ("allowance", "expected"),
    [
        (Allowance(remaining=0, resets_in=600), "RateLimited"),
        (Allowance(remaining=1, resets_in=600), "answered"),
    ],
    ids=str,
)
def test_what_the_exchange_says_is_left_counts(exchange, allowance, expected):
    guard = guard_of(exchange)
    guard.learn(READ, allowance)
    assert ask(guard) == expected
    assert ask(guard, call=PUBLIC) == "answered"


def test_a_request_waits_for_its_token(exchange, settings, monkeypatch):
    settings.EXCHANGE_LIMITS = {exchange: {"private": 2, "public": 1}}
    waits = []
    real_sleep = limiting.sleep
    monkeypatch.setattr(limiting, "sleep", lambda s: waits.append(s) or real_sleep(s))
    guard = guard_of(exchange)
    assert {ask(guard) for _ in range(3)} == {"answered"}
    assert waits


def counted(exchange, outcome):
    labels = {"exchange": exchange, "operation": "account", "outcome": outcome}
    return REGISTRY.get_sample_value("axisor_exchange_requests_total", labels)


def test_everything_is_counted(exchange):
    fail(guard_of(exchange), breakers.ACCOUNT.failures + 2)
    assert counted(exchange, "Unavailable") == breakers.ACCOUNT.failures
    assert counted(exchange, "Suspended") == 2
    change = {"exchange": exchange, "breaker": "account", "state": "open"}
    assert REGISTRY.get_sample_value("axisor_exchange_breaker_changes_total", change) == 1
