"""What a person asks for: a run at once, narrowed and never widened, audited, not too often."""

import pytest

from accounts.errors import AccountInactive
from accounts.models import Event, User
from automations import manual, services
from automations.execution import drain
from automations.models import Errand, Execution, Intent
from tests.automations.conftest import guard_a_position

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db):
    return User.objects.create_superuser("operator")


def run(guarded, by, **asked):
    """Ask for a run and carry it out; what was written of it."""
    slot = manual.run_now(guarded.automation, by=by, **asked)
    drain(guarded.account)
    return guarded.execution(slot)


def test_it_is_executed_as_any_other_and_says_who_asked(guarded, operator):
    guarded.fall()
    execution = run(guarded, operator)
    assert (execution.status, execution.cause) == ("success", "manual")
    assert execution.requested_by == operator
    assert guarded.effects() == ["add_margin"]
    asked = Event.objects.get(kind="run_requested")
    assert (asked.user, asked.data["by"]) == (guarded.user, "operator")


def test_with_nothing_to_do_it_says_so(guarded, operator):
    execution = run(guarded, operator)
    assert (execution.status, execution.reason_code) == ("completed", "within_threshold")
    assert guarded.effects() == []


@pytest.mark.parametrize(
    ("action", "trade", "effects"),
    [
        ("", "", ["add_margin"]),
        ("add_margin", "", ["add_margin"]),
        ("add_margin", "its own", ["add_margin"]),
        ("close_position", "", []),
        ("", "another", []),
        ("add_margin", "another", []),
    ],
)
def test_what_is_asked_narrows_and_never_widens(guarded, operator, action, trade, effects):
    guarded.fall()
    trade = guarded.trade["id"] if trade == "its own" else trade
    execution = run(guarded, operator, only_action=action, only_trade=trade)
    assert guarded.effects() == effects
    assert (execution.reason_code == "narrowed") == (not effects)


@pytest.mark.parametrize(
    ("asked", "effects"),
    [("close_position", []), ("reduce_position", ["close", "new_trade"])],
)
def test_to_reduce_is_one_thing_and_never_becomes_a_close(db, paper, operator, asked, effects):
    reduce = {"type": "reduce_position", "percent": 50, "max_slippage": 5}
    guarded = guard_a_position(paper, action=reduce)
    guarded.fall()
    run(guarded, operator, only_action=asked)
    assert guarded.effects() == effects


@pytest.mark.parametrize("change", [{"is_active": False}, {}], ids=["paused", "not active"])
def test_what_does_not_run_by_itself_does_not_run_by_hand(guarded, operator, change):
    if change:
        services.update_automation(automation=guarded.automation, **change, by=guarded.user)
    else:
        guarded.account.is_active = False
        guarded.account.save()
    with pytest.raises(AccountInactive, match="It cannot run"):
        manual.run_now(guarded.automation, by=operator)
    assert not Errand.objects.exists()
    assert not Event.objects.filter(kind="run_requested").exists()


def test_not_too_often_whoever_asks(guarded, operator):
    for _ in range(manual.RUNS_PER_MINUTE):
        manual.run_now(guarded.automation, by=operator)
    with pytest.raises(manual.TooManyRuns, match="30 runs"):
        manual.run_now(guarded.automation, by=guarded.user)
    assert Errand.objects.count() == manual.RUNS_PER_MINUTE


def test_the_patience_with_one_owner_is_not_anothers(guarded, paper, operator):
    other = guard_a_position(paper, action={"type": "close_position"}, trader="other")
    for _ in range(manual.RUNS_PER_MINUTE):
        manual.run_now(guarded.automation, by=operator)
    assert manual.run_now(other.automation, by=operator)


def test_all_of_a_kind_are_one_request_and_only_the_users(guarded, paper, operator):
    other = guard_a_position(paper, action={"type": "close_position"}, trader="other")
    for _ in range(3):
        services.copy_automation(guarded.automation, by=guarded.user)
    for _ in range(manual.RUNS_PER_MINUTE):
        services.clone_automation(automation=guarded.automation, name="more", by=guarded.user)
    guarded.user.automation_set.update(is_active=True)
    slots = manual.run_all("margin_guard", user=guarded.user, by=operator)
    assert len(slots) == manual.RUNS_PER_MINUTE + 4
    assert other.automation not in slots
    assert manual.run_all("auto_invest", user=other.user, by=operator) == {}


def test_in_shadow_nothing_is_sent_and_everything_is_said(guarded, operator):
    services.update_automation(automation=guarded.automation, mode="shadow", by=guarded.user)
    guarded.fall()
    execution = run(guarded, operator)
    assert (execution.status, execution.mode) == ("completed", "shadow")
    assert Intent.objects.get().state == "shadow"
    assert guarded.effects() == []


def test_a_run_that_is_asked_for_twice_is_two_runs(guarded, operator):
    first, second = (manual.run_now(guarded.automation, by=operator) for _ in range(2))
    drain(guarded.account)
    assert first != second
    assert Execution.objects.count() == 2
