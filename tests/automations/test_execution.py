"""Executions against the paper exchange: what is done, how often, and what is said about it."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Event
from accounts.services import activate_account, connect_account
from automations import errands, intents, pausing, planning, sensing, tasks
from automations.models import Errand, Execution, Intent, TradeLog, Turn
from automations.past import recall
from automations.perform import perform
from automations.services import update_automation
from automations.turns import AccountBusy, turn
from exchanges.errors import TransientError
from tests.automations.conftest import guard_a_position

pytestmark = pytest.mark.django_db


def test_a_falling_price_gets_its_margin_once_and_a_reason(guarded):
    guarded.fall()

    execution = guarded.run()

    assert guarded.effects() == ["add_margin"]
    assert guarded.margin() == guarded.trade["margin"] + 50_000
    assert (execution.status, execution.action) == ("success", "add_margin")
    assert execution.trade_id == guarded.trade["id"]
    assert execution.reason_code == "threshold_reached"
    assert "the threshold is 80.00%" in execution.reason_text
    assert set(execution.inputs["ages"]) == {"ticker", "holdings"}
    assert execution.findings[0]["margin_used"] == "0.8225"
    assert execution.duration_ms >= 0
    log = TradeLog.objects.get()
    assert (log.outcome, log.sats, log.answer["margin"]) == ("confirmed", 50_000, guarded.margin())
    assert Event.objects.filter(kind="margin_guard_executed", severity="info").count() == 1


def test_closing(db, paper):
    guarded = guard_a_position(paper, action={"type": "close_position"})
    guarded.fall()
    assert guarded.run().status == "success"
    assert guarded.effects() == ["close"]
    assert guarded.run("tick:2").reason_code == "no_positions"


def test_a_redelivered_slot_does_nothing_again(guarded):
    guarded.fall()
    first, second = guarded.run("tick:1"), guarded.run("tick:1")
    assert first == second
    assert guarded.effects() == ["add_margin"]


def test_nothing_to_do_is_said_too(guarded):
    execution = guarded.run()
    assert (execution.status, execution.reason_code) == ("completed", "within_threshold")
    assert guarded.effects() == []


def test_every_addition_counts_against_the_cap(guarded):
    for slot, price in enumerate(["92400", "92050", "91700", "91400", "91000"]):
        guarded.fall(price)
        last = guarded.run(f"tick:{slot}")
    assert guarded.effects() == ["add_margin"] * 4
    assert last.reason_code == "cap_per_position"


@pytest.mark.parametrize(
    ("fault", "state", "effects"),
    [
        ("cut_before", "unknown", []),
        ("cut_after", "unknown", ["add_margin"]),
    ],
)
def test_an_unknown_outcome_blocks_and_alerts(guarded, fault, state, effects):
    guarded.fall()
    guarded.paper.control.fault(fault, path="/v3/futures/isolated/trade/add-margin")

    execution = guarded.run("tick:1")
    later = guarded.run("tick:2")

    assert Intent.objects.get().state == state
    assert guarded.effects() == effects
    assert execution.status == "pending"
    assert TradeLog.objects.get().outcome == "unknown"
    alert = Event.objects.get(kind="outcome_unknown")
    assert alert.severity == "warning"
    assert "it is not repeated" in alert.message
    if not effects:
        assert later.reason_code == "unsettled"
    assert guarded.effects() == effects


def test_a_refusal_is_an_error_with_the_exchanges_words(guarded, monkeypatch):
    guarded.fall()

    def close_by_hand_first(*args, **signed):
        guarded.paper.control.close_trade(guarded.paper_account.id, guarded.trade["id"])
        return perform(*args, **signed)

    monkeypatch.setattr("automations.execution.perform", close_by_hand_first)
    execution = guarded.run()

    assert execution.status == "error"
    assert execution.error
    assert Intent.objects.get().state == "rejected"
    assert TradeLog.objects.get().outcome == "rejected"
    assert Event.objects.filter(kind="margin_guard_executed", severity="critical").count() == 1


def test_what_was_certainly_not_sent_is_sent_on_retry(guarded, monkeypatch):
    guarded.fall()
    real = intents.SEND_WITHIN
    monkeypatch.setattr(intents, "SEND_WITHIN", timedelta(seconds=-1))
    with pytest.raises(TransientError):
        guarded.run()
    assert Intent.objects.get().state == "planned"
    assert TradeLog.objects.get().outcome == "not_sent"
    monkeypatch.setattr(intents, "SEND_WITHIN", real)

    execution = guarded.run()

    assert execution.status == "success"
    assert guarded.effects() == ["add_margin"]
    assert list(TradeLog.objects.order_by("id").values_list("outcome", flat=True)) == [
        "not_sent",
        "confirmed",
    ]


class TestAfterACrash:
    """An earlier run was killed; the next one on the account finishes what it left."""

    @pytest.fixture
    def interrupted(self, guarded, monkeypatch):
        guarded.fall()
        monkeypatch.setattr("automations.execution._carry_out", lambda *args: None)
        guarded.run("tick:1")
        monkeypatch.undo()
        return guarded

    def test_a_planned_intent_is_carried_out(self, interrupted):
        interrupted.run("tick:1")
        assert interrupted.effects() == ["add_margin"]
        assert Execution.objects.get().status == "success"

    def test_a_planned_intent_past_its_deadline_is_not(self, interrupted):
        Intent.objects.update(deadline=timezone.now())
        interrupted.run("tick:1")
        assert interrupted.effects() == []
        assert Intent.objects.get().state == "lapsed"
        assert Execution.objects.get().status == "error"

    def test_a_planned_intent_past_its_deadline_blocks_nothing(self, interrupted):
        Intent.objects.update(deadline=timezone.now())
        interrupted.run("tick:2")
        assert interrupted.effects() == ["add_margin"]

    def test_a_sending_intent_is_never_sent_again(self, interrupted):
        with turn(interrupted.account.id) as fence:
            assert intents.claim(Intent.objects.get(), fence=fence)
        interrupted.run("tick:1")
        assert interrupted.effects() == []
        assert Intent.objects.get().state == "unknown"
        assert Event.objects.filter(kind="outcome_unknown").count() == 1


class TestClaim:
    """An intent is claimed by one run, while everything it was decided on still holds."""

    @pytest.fixture
    def planned(self, guarded, monkeypatch):
        guarded.fall()
        monkeypatch.setattr("automations.execution._carry_out", lambda *args: None)
        guarded.run()
        monkeypatch.undo()
        return Intent.objects.get()

    def claim(self, intent):
        with turn(intent.account_id) as fence:
            return intents.claim(intent, fence=fence)

    def test_it_is_claimed_once(self, planned):
        signature = self.claim(planned)
        assert signature.signed_at == planned.signed_at
        assert self.claim(planned) is None

    def test_not_with_a_lost_turn(self, planned):
        with turn(planned.account_id) as fence:
            Turn.objects.update(fence=fence + 1)
            assert intents.claim(planned, fence=fence) is None

    def test_not_when_paused(self, planned):
        pausing.pause(planned.automation, by=planned.automation.user, reason="test")
        assert self.claim(planned) is None

    def test_not_past_its_deadline(self, planned):
        Intent.objects.update(deadline=timezone.now() - timedelta(seconds=1))
        assert self.claim(planned) is None

    @pytest.mark.parametrize(("wrong_by", "is_claimed"), [(-60, True), (9, True), (60, False)])
    def test_the_databases_clock_decides_whether_it_is_late(
        self, planned, monkeypatch, wrong_by, is_claimed
    ):
        wrong = timezone.now() + timedelta(seconds=wrong_by)
        monkeypatch.setattr(intents, "utc_now", lambda: wrong)
        assert bool(self.claim(planned)) is is_claimed

    def test_not_after_an_account_switch(self, planned, guarded):
        other = guarded.paper.control.create_account(balance=1)
        account = connect_account(
            user=guarded.user,
            exchange=guarded.account.exchange,
            name="other",
            credentials=other.credentials,
            by=guarded.user,
        )
        activate_account(account=account, by=account.user)
        activate_account(account=guarded.account, by=guarded.user)
        assert self.claim(planned) is None

    def test_a_definite_answer_settles_what_was_given_up(self, planned):
        self.claim(planned)
        intents.mark_unknown(planned, "no answer")
        intents.reject(planned, "declined")
        assert planned.state == "rejected"


def test_one_run_at_a_time_per_account(guarded):
    with turn(guarded.account.id), pytest.raises(AccountBusy), turn(guarded.account.id):
        pass


def test_a_turn_left_by_a_crash_is_free_after_its_lease(guarded):
    with turn(guarded.account.id) as crashed:
        Turn.objects.update(until=timezone.now())
        with turn(guarded.account.id) as fence:
            assert fence == crashed + 1


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"slot": "tick:1"}, "intent_once_per_leg"),
        ({"state": "sending"}, "intent_sent_is_signed"),
        ({"target": ""}, "intent_has_target"),
        ({"sats": -1}, "intent_costs_not_negative"),
    ],
)
def test_the_database_keeps_what_must_hold(guarded, changes, constraint):
    guarded.fall()
    guarded.run()
    intent = Intent.objects.get()
    copy = {
        "pk": None, "slot": "tick:2", "state": "planned", "signed_at": None, "fence": None,
        "settled_at": None, **changes,
    }  # fmt: skip
    for field, value in copy.items():
        setattr(intent, field, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        intent.save(force_insert=True)


def test_one_open_intent_per_target(guarded):
    guarded.fall()
    guarded.run()
    first = Intent.objects.get()
    Intent.objects.update(state="unknown")
    first.pk, first.slot, first.state = None, "tick:2", "sending"
    with pytest.raises(IntegrityError, match="intent_one_open_per_target"), transaction.atomic():
        first.save(force_insert=True)


def test_an_answer_that_came_too_slowly_is_no_ground_to_act(guarded, monkeypatch):
    guarded.fall()
    monkeypatch.setattr(sensing, "ACTING", sensing.Bounds(timedelta(0), timedelta(0)))
    with pytest.raises(TransientError, match="too old to act on"):
        guarded.run()
    assert guarded.effects() == []


def past_of(guarded, running):
    return recall([guarded.automation], running)[guarded.automation.id].past


def test_only_the_last_day_and_running_trades_count(guarded):
    guarded.fall()
    guarded.run()
    Intent.objects.update(created_at=timezone.now() - timedelta(hours=25))
    running = [guarded.trade["id"]]
    assert [len(past_of(guarded, trades)) for trades in (running, [])] == [1, 0]


@pytest.mark.parametrize(
    ("every", "age", "is_overtaken"),
    [(5, 40, False), (5, 61, True), (30, 100, False), (30, 121, True)],
    ids=["within a minute", "later", "within four periods", "later than four"],
)
def test_an_errand_that_later_ticks_overtook_is_dropped(guarded, every, age, is_overtaken):
    update_automation(automation=guarded.automation, every=every, by=guarded.user)
    guarded.fall()
    errands.accept(guarded.automation, slot="tick:1", cause="tick")
    Errand.objects.update(created_at=timezone.now() - timedelta(seconds=age))
    execution = guarded.run("tick:1")
    assert execution.reason_code == ("overtaken" if is_overtaken else "threshold_reached")
    assert guarded.effects() == ([] if is_overtaken else ["add_margin"])
    guarded.run("tick:1")
    guarded.run("tick:2")
    assert guarded.effects() == ["add_margin"]
    assert Event.objects.filter(data__reason="overtaken").count() == is_overtaken
    assert Errand.objects.count() == 0


@pytest.mark.parametrize("pause", [True, False], ids=["paused", "running"])
def test_an_interrupted_send_is_told_in_any_case(guarded, monkeypatch, pause):
    guarded.fall()
    monkeypatch.setattr("automations.execution._carry_out", lambda *args: None)
    guarded.run()
    monkeypatch.undo()
    with turn(guarded.account.id) as fence:
        intents.claim(Intent.objects.get(), fence=fence)
    if pause:
        pausing.pause(guarded.automation, by=guarded.user, reason="test")
    tasks.execute(str(guarded.automation.id), "tick:1", "tick")
    assert Intent.objects.get().state == "unknown"
    assert Event.objects.filter(kind="outcome_unknown").count() == 1


@pytest.mark.parametrize("wrong_by", [-60, 60], ids=["behind", "ahead"])
def test_a_wrong_clock_neither_shortens_nor_prolongs_a_wish(guarded, monkeypatch, wrong_by):
    wrong = timezone.now() + timedelta(seconds=wrong_by)
    guarded.fall()
    monkeypatch.setattr(intents, "utc_now", lambda: wrong)
    with suppress(TransientError):
        guarded.run()
    intent = Intent.objects.get()
    assert intent.deadline - intent.created_at == planning.CLAIM_WITHIN
