"""Runs that take too long: stopped at their limits, told by name, and in nobody else's way."""

import time
from dataclasses import replace

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from prometheus_client import REGISTRY

from accounts.models import Event
from automations import errands, tasks
from automations.execution import GRACE, drain
from automations.models import Automation, Errand, Execution, Intent
from automations.rules.registry import KINDS
from automations.services import create_automation, update_automation
from exchanges import deadline
from exchanges.errors import TransientError
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.automations.striking import strike
from tests.running import await_that

pytestmark = pytest.mark.django_db

LIMIT = 0.5
ADDING = "/v3/futures/isolated/trade/add-margin"
CONFIGS = {
    "margin_guard": {"threshold": "0.8", "action": ADD_MARGIN},
    "tp_sl": {"action": {"type": "close_sl", "trigger": "-50"}},
    "auto_entry": {"side": "long", "quantity": 500, "leverage": "10", "times": 5},
}


@pytest.fixture
def limited(monkeypatch):
    """Give a kind a limit too short for a person to choose."""

    def limit(kind="margin_guard", **changes):
        changed = replace(KINDS[kind], **{"timeout": LIMIT, "backoff": 0, **changes})
        monkeypatch.setitem(KINDS, kind, changed)

    return limit


def hang(guarded, seconds=5):
    """Let the account wait for each answer of the exchange."""
    account = guarded.paper_account.id
    guarded.paper.control.fault("delay_before", seconds=seconds, account_id=account, times=99)


def drip(guarded):
    account = guarded.paper_account.id
    guarded.paper.control.fault("slow_body", seconds=1, account_id=account, times=99)


def told():
    return list(Event.objects.filter(kind="automation_timeout").values_list("message", flat=True))


def counted(kind):
    return REGISTRY.get_sample_value("axisor_automation_timeouts_total", {"kind": kind}) or 0


@pytest.mark.parametrize("trouble", [hang, drip])
@pytest.mark.parametrize(
    ("kind", "severity"),
    [("margin_guard", "critical"), ("tp_sl", "warning"), ("auto_entry", "warning")],
)
def test_a_run_is_stopped_at_its_limit_and_told(guarded, limited, trouble, kind, severity):
    limited(kind, retries=0)
    before = counted(kind)
    automation = create_automation(
        user=guarded.user,
        account=guarded.account,
        kind=kind,
        name="n",
        config=CONFIGS[kind],
        by=guarded.user,
    )
    guarded.fall()
    trouble(guarded)
    run = replace(guarded, automation=automation).run()
    sentence = f"main: stopped after {LIMIT} s, its limit."
    assert (run.event, run.status, run.reason_code) == ("automation_timeout", "error", "timeout")
    assert (run.account_name, run.reason_text) == ("main", sentence)
    assert 1000 * LIMIT <= run.duration_ms < 3000 * LIMIT
    assert told() == [f"n: {sentence}"]
    assert Event.objects.get(kind="automation_timeout").severity == severity
    assert counted(kind) == before + 1
    assert Errand.objects.count() == 0
    assert guarded.effects() == []


@pytest.mark.parametrize(
    ("recovers", "status", "event", "times"),
    [(True, "success", "margin_guard_executed", 1), (False, "error", "automation_timeout", 2)],
    ids=["the second is in time", "the second is not either"],
)
def test_one_that_planned_nothing_is_tried_again(guarded, limited, recovers, status, event, times):
    limited(retries=1, backoff=LIMIT)
    guarded.fall()
    hang(guarded)
    with pytest.raises(TransientError):
        guarded.run()
    assert told() == [f"guard: main: stopped after {LIMIT} s, its limit. It is tried again."]
    assert Execution.objects.count() == 0
    if recovers:
        guarded.paper.control.clear_faults()
        limited(timeout=60)
    await_that(errands.due(guarded.account.id).exists, 10)
    run = guarded.run()
    assert (run.status, run.event, len(told())) == (status, event, times)


def test_the_back_off_begins_when_the_run_has_ended(guarded, limited):
    limited(backoff=10 * LIMIT)
    hang(guarded)
    with pytest.raises(TransientError):
        guarded.run()
    wait = Errand.objects.get().not_before - Event.objects.get(kind="automation_timeout").created_at
    assert wait.total_seconds() == pytest.approx(5 * LIMIT, abs=LIMIT / 2)


def test_one_too_old_for_another_run_is_stopped_for_good(guarded, limited, monkeypatch):
    limited(retries=5)
    hang(guarded)
    overtaken = iter([False, True])
    monkeypatch.setattr(errands, "is_overtaken", lambda errand: next(overtaken))
    assert guarded.run().event == "automation_timeout"


def test_what_was_planned_and_not_sent_lapses(guarded, limited):
    limited()
    guarded.fall()
    with strike("planned", lambda: await_that(deadline.is_over, 10)):
        run = guarded.run()
    assert (run.event, run.status, run.reason_code) == ("automation_timeout", "error", "timeout")
    assert Intent.objects.get().state == "lapsed"
    assert run.action == "add_margin"
    assert len(told()) == 1
    assert guarded.effects() == []


def test_an_order_on_its_way_has_its_answer_waited_for(guarded, limited):
    limited(timeout=2)
    guarded.fall()
    guarded.paper.control.fault("delay_before", seconds=2.5, path=ADDING)
    run = guarded.run()
    assert (run.status, run.event) == ("success", "margin_guard_executed")
    assert guarded.effects() == ["add_margin"]
    assert told() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("place", "event", "status", "states"),
    [
        ("deciding.decide", "automation_timeout", "error", []),
        ("perform", "margin_guard_executed", "pending", ["unknown"]),
    ],
    ids=["before it plans", "while it sends"],
)
def test_code_that_loops_is_stopped_by_celery(guarded, monkeypatch, place, event, status, states):
    guarded.fall()

    def loop(*args, **options):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(f"automations.execution.{place}", loop)
    with pytest.raises(SoftTimeLimitExceeded):
        guarded.run()
    run = guarded.execution("tick:1")
    assert (run.event, run.status) == (event, status)
    assert told() == ["guard: main: stopped after 60 s, its limit."]
    assert list(Intent.objects.values_list("state", flat=True)) == states
    assert Errand.objects.count() == 0


@pytest.mark.parametrize(("missing", "is_run"), [(0.2, False), (-5, True)])
def test_a_run_that_could_not_have_its_whole_time_is_left_to_another(guarded, missing, is_run):
    guarded.fall()
    errands.accept(guarded.automation, slot="tick:1", cause="tick")
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()
        with deadline.within(60 + GRACE - missing):
            drain(guarded.account)
        assert broker.llen("critical") == (not is_run)
    assert Execution.objects.exists() is is_run
    assert not is_run or guarded.effects() == ["add_margin"]


def test_celery_leaves_the_longest_run_its_whole_time():
    longest = Automation._meta.get_field("timeout").validators[-1].limit_value
    assert tasks.execute.soft_time_limit > longest + GRACE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("program", ["worker-critical", "sweep"])
def test_in_the_processes_and_another_account_is_not_delayed(guarded, start_program, program):
    other = guard_a_position(guarded.paper, action=ADD_MARGIN, trader="other")
    update_automation(automation=guarded.automation, by=guarded.user, timeout=5, retries=0)
    guarded.fall()
    hang(guarded, seconds=30)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()
    start_program(program)
    start = tasks.start_execution if program == "worker-critical" else errands.accept
    for each in (guarded, other):
        start(each.automation, slot="tick:1", cause="tick")
    began = time.monotonic()
    await_that(lambda: other.effects() == ["add_margin"], 20)
    of_guarded = Execution.objects.filter(automation=guarded.automation)
    assert not of_guarded.exists() or time.monotonic() - began > 5
    await_that(of_guarded.exists, 20)
    run = of_guarded.get()
    assert (run.event, run.account_name) == ("automation_timeout", "main")
    assert run.reason_text == "main: stopped after 5 s, its limit."
    assert 5000 <= run.duration_ms < 9000
    assert guarded.effects() == []
