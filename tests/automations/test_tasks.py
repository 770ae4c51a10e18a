"""The tasks: what their messages carry, how they are retried, what is left when that is in vain."""

import base64
import json
import time
from dataclasses import replace

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from accounts.models import Event
from automations import pausing, tasks
from automations.models import Errand, Execution, Intent
from automations.rules.registry import KINDS
from automations.services import delete_automation, update_automation

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


def message(broker, queue):
    stored = json.loads(broker.lpop(queue))
    args, kwargs, _ = json.loads(base64.b64decode(stored["body"]))
    return args, kwargs, stored["headers"]


def test_a_stale_tick_becomes_a_refresh_and_then_a_protective_execution(guarded, broker):
    guarded.fall()
    tick = [str(guarded.automation.id), f"tick:{int(time.time())}"]

    tasks.evaluate([tick])
    args, kwargs, _ = message(broker, "refresh")
    assert (args, kwargs) == ([[tick]], {})

    tasks.refresh(*args)
    args, kwargs, headers = message(broker, "critical")
    assert (args, kwargs) == ([*tick, "tick"], {})
    assert headers["expires"] is None

    tasks.execute(*args)
    assert guarded.effects() == ["add_margin"]


def test_however_slow_the_exchange_what_it_said_is_looked_at(guarded, broker):
    update_automation(automation=guarded.automation, every=1, by=guarded.user)
    guarded.fall()
    guarded.paper.control.fault("delay_before", seconds=0.4, times=3)
    tick = [str(guarded.automation.id), f"tick:{int(time.time())}"]
    tasks.refresh([tick])
    assert message(broker, "critical")[0] == [*tick, "tick"]


def test_a_paused_automation_is_not_executed(guarded):
    guarded.fall()
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    tasks.execute(str(guarded.automation.id), "tick:1", "tick")
    assert guarded.effects() == []
    assert Execution.objects.count() == 0


def run(guarded):
    return tasks.execute.apply(args=(str(guarded.automation.id), "tick:1", "tick"))


@pytest.fixture
def impatient(monkeypatch):
    """Retries that do not wait."""
    monkeypatch.setitem(KINDS, "margin_guard", replace(KINDS["margin_guard"], backoff=0))


def test_what_can_pass_is_retried_as_the_kind_says_and_then_told(guarded, impatient):
    guarded.paper.control.fault("cut_before", path="/v3/futures/ticker", times=4)
    run(guarded)
    execution = Execution.objects.get()
    assert (execution.status, execution.reason_code) == ("error", "failed")
    assert "did not answer" in execution.error
    assert Event.objects.filter(kind="margin_guard_executed", severity="critical").count() == 1


def test_a_trouble_that_passes_in_time_is_forgotten(guarded, impatient):
    guarded.fall()
    guarded.paper.control.fault("cut_before", path="/v3/futures/ticker", times=3)
    run(guarded)
    assert guarded.effects() == ["add_margin"]
    assert Execution.objects.get().status == "success"
    assert Errand.objects.count() == 0


def test_back_off_doubles_with_jitter(guarded, monkeypatch):
    waits = []
    monkeypatch.setattr(tasks.Task, "retry", lambda *args, **options: waits.append(options))
    for retries in range(3):
        tasks.execute.push_request(args=(str(guarded.automation.id), "s", "tick"), retries=retries)
        tasks.execute.retry()
        tasks.execute.pop_request()
    assert [options["max_retries"] for options in waits] == [3, 3, 3]
    for longest, options in zip((5, 10, 20), waits, strict=True):
        assert longest / 2 <= options["countdown"] <= longest


@pytest.mark.django_db(transaction=True)
def test_a_run_stopped_while_sending_leaves_an_unknown_outcome(guarded, monkeypatch):
    guarded.fall()

    def hang(*args, **options):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("automations.execution.perform", hang)
    run(guarded)
    assert Intent.objects.get().state == "unknown"
    assert Event.objects.filter(kind="outcome_unknown").count() == 1


@pytest.mark.parametrize(
    "forged", ["' OR 1=1 --", "", 7, None, [], "00000000-0000-0000-0000-000000000000"]
)
def test_a_forged_id_has_no_effect_and_is_said(guarded, forged):
    guarded.fall()
    with pytest.raises(tasks.Forged, match="There is no automation"):
        tasks.execute(forged, "tick:1", "tick")
    assert guarded.effects() == []


def test_a_deleted_automation_is_not_executed(guarded):
    guarded.fall()
    delete_automation(automation=guarded.automation, by=guarded.user)
    tasks.execute(str(guarded.automation.id), "tick:1", "tick")
    assert guarded.effects() == []
    assert Errand.objects.count() == 0


def test_an_errand_noted_again_behind_its_execution_is_forgotten(guarded):
    guarded.fall()
    guarded.run()
    errand = Errand(automation=guarded.automation, account=guarded.account, slot="tick:1",
                    cause="tick")  # fmt: skip
    errand.save()
    tasks.execute(str(guarded.automation.id), "tick:1", "tick")
    assert guarded.effects() == ["add_margin"]
    assert Errand.objects.count() == 0
