"""Real workers on the real broker: what they take up first."""

import re
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from automations import tasks
from tests.running import await_that

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
