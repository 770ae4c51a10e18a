"""Reading back: what is believed, when, and what a person is asked."""

from datetime import timedelta

import pytest

from accounts.gateway import open_client
from accounts.models import Event, User
from automations import intents, settlement
from automations.models import Execution, Intent, TradeLog
from automations.recovery import accounts_in_need, recover
from automations.services import create_automation, update_automation
from automations.settlement import settle_account
from exchanges.errors import ExchangeError
from exchanges.windows import verified_window

pytestmark = pytest.mark.django_db

ADD = "/v3/futures/isolated/trade/add-margin"


@pytest.fixture
def lost(guarded):
    """Sent, and not executed: the connection was cut before."""
    guarded.fall()
    guarded.paper.control.fault("cut_before", path=ADD)
    guarded.run()
    return guarded


@pytest.fixture
def done(guarded):
    """Sent and executed, and the answer was lost."""
    guarded.fall()
    guarded.paper.control.fault("cut_after", path=ADD)
    guarded.run()
    return guarded


def sign_earlier(seconds):
    """As if that much time had passed since it was signed."""
    ago = timedelta(seconds=seconds)
    for intent in Intent.objects.all():
        Intent.objects.filter(pk=intent.pk).update(signed_at=intent.signed_at - ago)
    for log in TradeLog.objects.all():
        TradeLog.objects.filter(pk=log.pk).update(sent_at=log.sent_at - ago)


def look(guarded, times=1):
    for _ in range(times):
        settle_account(guarded.account)
    return Intent.objects.get()


def test_what_is_there_is_confirmed_at_once(done):
    assert look(done).state == "confirmed"
    assert Execution.objects.get().status == "success"
    assert TradeLog.objects.get().outcome == "confirmed"
    assert TradeLog.objects.get().answer["margin"] == done.margin()


@pytest.mark.parametrize(
    ("seconds", "looks", "state"),
    [(0, 3, "unknown"), (34, 3, "unknown"), (36, 1, "unknown"), (36, 2, "lapsed")],
    ids=["at once", "inside window and margin", "outside, seen once", "outside, seen twice"],
)
def test_absence_is_believed_late_and_seen_twice(lost, seconds, looks, state):
    sign_earlier(seconds)
    assert look(lost, looks).state == state


def test_what_lapsed_is_decided_afresh(lost):
    sign_earlier(36)
    look(lost, 2)
    assert Execution.objects.get().status == "error"
    assert lost.run("tick:2").status == "success"
    assert lost.effects() == ["add_margin"]


def test_a_failed_read_proves_nothing(lost):
    sign_earlier(36)
    lost.paper.control.fault("cut_before", path="/v3/futures/isolated/trades/running", times=5)
    for _ in range(2):
        with pytest.raises(ExchangeError):
            look(lost)
    assert Intent.objects.get().state == "unknown"


def test_an_ambiguous_change_needs_a_person(lost):
    client = open_client(lost.account)
    signature = intents.Signature(intents.utc_now(), intents.utc_now() + timedelta(seconds=5))
    client.isolated.add_margin(lost.trade["id"], amount=777, signature=signature)
    sign_earlier(36)
    assert look(lost, 2).state == "needs_operator"
    alert = Event.objects.get(kind="needs_operator")
    assert alert.severity == "critical"
    assert lost.run("tick:2").reason_code == "unsettled"


@pytest.mark.parametrize(
    ("was_done", "state", "status"),
    [(True, "confirmed", "success"), (False, "lapsed", "error")],
)
def test_a_person_decides_once(lost, was_done, state, status):
    Intent.objects.update(state="needs_operator")
    operator = User.objects.create_user("operator")
    assert settlement.resolve(Intent.objects.get(), was_done=was_done, by=operator)
    assert not settlement.resolve(Intent.objects.get(), was_done=not was_done, by=operator)
    intent = Intent.objects.get()
    assert (intent.state, intent.resolved_by) == (state, operator)
    assert Execution.objects.get().status == status


def test_without_a_kept_window_absence_needs_a_person(lost, monkeypatch):
    monkeypatch.setattr(
        "exchanges.lnmarkets.rest.LNMarketsClient.refuses_stale_signature", lambda self: False
    )
    sign_earlier(70)
    assert look(lost, 2).state == "needs_operator"


def test_the_window_is_verified_against_the_exchange(guarded):
    exchange, client = guarded.account.exchange, open_client(guarded.account)
    assert verified_window(exchange, client) == timedelta(seconds=30)
    exchange.refresh_from_db()
    assert exchange.keeps_window
    before = exchange.window_verified_at
    verified_window(exchange, client)
    exchange.refresh_from_db()
    assert exchange.window_verified_at == before


def test_a_late_effect_is_adopted_and_reported(lost):
    sign_earlier(36)
    look(lost, 2)
    client = open_client(lost.account)
    signature = intents.Signature(intents.utc_now(), intents.utc_now() + timedelta(seconds=5))
    client.isolated.add_margin(lost.trade["id"], amount=50_000, signature=signature)
    intent = Intent.objects.get()
    Intent.objects.update(settled_at=intent.settled_at - timedelta(minutes=6),
                          looked_at=intent.looked_at - timedelta(minutes=7))  # fmt: skip
    assert list(accounts_in_need()) == [lost.account]
    assert look(lost).state == "confirmed"
    assert Event.objects.filter(kind="late_effect", severity="critical").count() == 1


def test_what_lapsed_is_looked_for_once_more_and_then_left(lost):
    sign_earlier(36)
    look(lost, 2)
    intent = Intent.objects.get()
    Intent.objects.update(settled_at=intent.settled_at - timedelta(minutes=6),
                          looked_at=intent.looked_at - timedelta(minutes=7))  # fmt: skip
    assert list(accounts_in_need()) == [lost.account]
    assert look(lost).state == "lapsed"
    assert list(accounts_in_need()) == []


def test_close_may_be_repeated_while_another_intent_is_unknown(lost):
    assert Intent.objects.get().state == "unknown"
    config = {"threshold": "0.8", "action": {"type": "close_position"}}
    closer = create_automation(
        user=lost.user,
        account=lost.account,
        kind="margin_guard",
        name="closer",
        config=config,
        by=lost.user,
    )
    lost.automation = closer
    assert lost.run("tick:9").status == "success"
    assert lost.effects() == ["close"]


def test_a_close_that_was_too_late_is_satisfied(guarded):
    update_automation(
        automation=guarded.automation,
        config={"threshold": "0.8", "action": {"type": "close_position"}},
        by=guarded.user,
    )
    guarded.fall()
    guarded.paper.control.fault("cut_before", path="/v3/futures/isolated/trade/close")
    guarded.run()
    assert Intent.objects.get().state == "unknown"
    guarded.fall("90000")
    assert look(guarded).state == "satisfied"
    assert Execution.objects.get().status == "success"


def test_recovery_finds_what_nobody_else_will_finish(done):
    assert list(accounts_in_need()) == [done.account]
    recover(done.account)
    assert list(accounts_in_need()) == []
    assert Intent.objects.get().state == "confirmed"
