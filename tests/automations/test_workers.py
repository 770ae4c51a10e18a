"""Real workers on the real broker: what they take up first, and what a lost child leaves."""

import os
import re
import signal
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from automations import tasks
from automations.models import Execution, Turn
from tests.running import await_that, descendants

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60
RECEIVED = re.compile(r"Task automations\.execute\[(.+?)\] received")


@pytest.fixture(autouse=True)
def empty_broker():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


def send(queue):
    """Send an execution of an automation that there is not; gives the message's id."""
    return tasks.execute.apply_async(args=(str(uuid4()), "tick:1", "tick"), queue=queue).id


def test_what_is_critical_goes_ahead_of_what_stands_before_it(start_program):
    others = [send("execute") for _ in range(12)]
    critical = [send("critical") for _ in range(2)]
    worker = start_program("worker-act")

    def received():
        return RECEIVED.findall(worker.log.read_text())

    await_that(lambda: len(received()) == 14, SECONDS)
    assert received() == critical + others


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return cursor.rowcount > 0


def test_a_message_whose_child_is_killed_is_carried_out_all_the_same(guarded, start_program):
    guarded.fall()
    worker = start_program("worker-act")
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
