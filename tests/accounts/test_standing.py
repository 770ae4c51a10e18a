"""What the exchange says becomes the account's state: once per change, and until it is over."""

import contextlib
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts.gateway import open_client
from accounts.models import Event, ExchangeAccount
from accounts.standing import MEANWHILE, Standing, State
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
    Suspended,
    TierLimited,
    Unavailable,
    UnknownOutcome,
)
from exchanges.guard import Call
from tests.accounts.builders import a_user, an_account

pytestmark = pytest.mark.django_db

READ = Call("account")
OPEN = Call("isolated.new_trade", is_act=True)

SAID = {
    State.UNREACHABLE: Suspended("Not asked."),
    State.RATE_LIMITED: RateLimited("Fewer.", retry_after=1),
    State.MAINTENANCE: Maintenance("Not trading."),
    State.CREDENTIALS_REFUSED: InvalidCredentials("Unknown key."),
    State.GEO_BLOCKED: GeoBlocked("Not here."),
    State.ACCESS_DENIED: AccessDenied("No."),
    State.SCOPE_MISSING: MissingScope("Not with this key."),
    State.TIER_LIMITED: TierLimited("Used up."),
}


@pytest.fixture
def account():
    return an_account(a_user())


def ask(account, error=None, call=READ):
    """One request in a run of its own, which has read the account's row before."""
    standing = Standing(ExchangeAccount.objects.select_related("user", "exchange").get())

    def request():
        if error is not None:
            raise error

    with contextlib.suppress(ExchangeError):
        standing.run(call, request)
    account.refresh_from_db()
    return account.state


def told():
    return [event.data["state"] for event in Event.objects.order_by("id")]


@pytest.mark.parametrize(("state", "error"), SAID.items(), ids=[state.value for state in SAID])
def test_each_error_has_its_state_and_is_told_once(account, state, error):
    for _ in range(3):
        assert ask(account, error, OPEN) == state
    assert account.state_message == str(error)
    assert told() == [state]
    assert MEANWHILE[state] in Event.objects.get().message


def test_each_state_says_what_happens_meanwhile():
    assert set(MEANWHILE) == set(State)
    assert set(SAID) == set(State) - {State.OK}


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("503"),
        UnknownOutcome("?"),
        NotSent("late"),
        ClockSkew("401"),
        Refused("No.", code="BAD_REQUEST"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_nothing_about_the_account_changes_nothing(account, error):
    assert ask(account, error) == State.OK
    assert told() == []


@pytest.mark.parametrize(
    ("state", "by_a_read", "by_the_same"),
    [
        (State.UNREACHABLE, True, True),
        (State.CREDENTIALS_REFUSED, True, True),
        (State.GEO_BLOCKED, True, True),
        (State.RATE_LIMITED, False, False),
        (State.MAINTENANCE, False, True),
        (State.ACCESS_DENIED, False, True),
        (State.SCOPE_MISSING, False, True),
        (State.TIER_LIMITED, False, True),
    ],
)
def test_what_ends_a_state(account, state, by_a_read, by_the_same):
    ask(account, SAID[state], OPEN)
    assert ask(account) == (State.OK if by_a_read else state)
    assert ask(account, call=OPEN) == (State.OK if by_the_same else state)
    assert told() == ([state, State.OK] if by_the_same else [state])


def test_a_limited_key_is_not_told_at_every_turn(account):
    for _ in range(3):
        ask(account, SAID[State.RATE_LIMITED])
        ask(account)
    assert told() == [State.RATE_LIMITED]
    ExchangeAccount.objects.update(state_at=timezone.now() - timedelta(seconds=61))
    assert ask(account) == State.OK


@pytest.mark.parametrize("passing", [State.UNREACHABLE, State.RATE_LIMITED, State.MAINTENANCE])
def test_what_passes_does_not_hide_what_does_not(account, passing):
    ask(account, SAID[State.CREDENTIALS_REFUSED])
    assert ask(account, SAID[passing]) == State.CREDENTIALS_REFUSED
    assert told() == [State.CREDENTIALS_REFUSED]


def test_two_runs_that_notice_the_same_tell_it_once(account):
    runs = [Standing(account) for _ in range(2)]
    for run in runs:
        run.unreachable()
    assert told() == [State.UNREACHABLE]


def test_a_disconnected_account_has_no_news(account):
    standing = Standing(account)
    ExchangeAccount.objects.update(
        disconnected_at=timezone.now(), sealed_credentials=None, is_active=False
    )
    standing.unreachable()
    assert told() == []


def test_a_state_that_cannot_be_written_does_not_cost_the_answer(account, monkeypatch):
    ask(account, SAID[State.UNREACHABLE])

    def fail(**_):
        raise DatabaseError

    monkeypatch.setattr("accounts.standing.record_event", fail)
    assert Standing(account).run(READ, lambda: "answer") == "answer"
    assert ask(account) == State.UNREACHABLE


def test_a_client_s_requests_count(paper, at_paper):
    created = paper.control.create_account(balance=1)
    account = an_account(a_user(), credentials=created.credentials)
    paper.control.fault("cut_before", account_id=created.id, times=100)
    for _ in range(6):
        with pytest.raises(Unavailable):
            open_client(account, is_protective=True).account()
    account.refresh_from_db()
    assert account.state == State.UNREACHABLE
    paper.control.clear_faults()
    assert open_client(account, is_protective=True).account().balance == 1
    account.refresh_from_db()
    assert account.state == State.OK
    assert told() == [State.UNREACHABLE, State.OK]
