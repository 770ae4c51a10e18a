"""Real workers on the real broker: protection waits for nobody, and what a lost child leaves."""

import os
import signal
from time import monotonic

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from automations import tasks
from automations.models import Execution, Turn
from automations.services import create_automation
from axisor.celery import WORKERS
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.running import await_that, descendants

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60
PROMPT_SECONDS = 4
"""Well below the nine for which all others wait."""


@pytest.fixture(autouse=True)
def empty_broker():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


CHILDREN = WORKERS["worker-execute"].concurrency


@pytest.fixture
def hanging(guarded):
    """More accounts than `worker-execute` has children, on which the exchange answers nothing."""
    others = [
        guard_a_position(guarded.paper, action=ADD_MARGIN, trader=f"trader {number}")
        for number in range(CHILDREN + 1)
    ]
    for other in others:
        guarded.paper.control.fault(
            "delay_before", seconds=9, account_id=other.paper_account.id, times=99
        )
    yield others
    guarded.paper.control.clear_faults()


def flood(others, *, times):
    """Many executions that do not protect: some on each of these accounts."""
    for other in others:
        exit_ = create_automation(
            user=other.user,
            account=other.account,
            kind="tp_sl",
            name="exit",
            config={"action": {"type": "close_sl", "trigger": "-50"}},
        )
        for number in range(times):
            tasks.start_execution(exit_, slot=f"tick:{number}", cause="tick")


def test_protection_starts_at_once_while_all_other_work_hangs(guarded, hanging, start_program):
    guarded.fall()
    workers = [start_program(name) for name in ("worker-execute", "worker-critical")]
    flood(hanging, times=40)
    await_that(lambda: Turn.objects.filter(until__gt=Now()).count() >= CHILDREN, SECONDS)
    began = monotonic()
    tasks.start_execution(guarded.automation, slot="monitor:1", cause="monitor")
    await_that(Execution.objects.filter(status="success").exists, SECONDS)
    assert monotonic() - began < PROMPT_SECONDS
    assert not Execution.objects.exclude(automation=guarded.automation).exists()
    assert all(worker.is_running for worker in workers)


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return cursor.rowcount > 0


def test_a_message_whose_child_is_killed_is_carried_out_all_the_same(guarded, start_program):
    guarded.fall()
    worker = start_program("worker-critical")
    Turn.objects.get_or_create(account=guarded.account)
    with transaction.atomic():
        Turn.objects.select_for_update().get()
        tasks.start_execution(guarded.automation, slot="tick:1", cause="tick")
        await_that(somebody_waits_for_a_lock, SECONDS)
        killed = set(descendants(worker.process.pid, depth=1))
        for child in killed:
            os.kill(child, signal.SIGKILL)
        await_that(lambda: not killed & set(descendants(worker.process.pid, depth=1)), SECONDS)
    await_that(Execution.objects.filter(status="success").exists, SECONDS)
    assert guarded.effects() == ["add_margin"]
