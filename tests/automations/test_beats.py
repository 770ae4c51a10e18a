"""Beats and sweep as processes: struck, frozen, and with their Redis emptied under them."""

import base64
import json
import signal
import time

import pytest
import redis
from django.conf import settings

from automations.services import create_automation
from automations.timetable import entries
from axisor.leadership import LEASE_SECONDS
from tests.automations.conftest import ADD_MARGIN
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

TAKE_OVER_SECONDS = 10
QUEUE = "evaluate"
GUARDS = 10


@pytest.fixture
def client():
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        client.flushdb()
        yield client


@pytest.fixture
def every_second(client, guarded):
    """Ten guards, each due every second."""
    return [
        str(
            create_automation(
                user=guarded.user,
                account=guarded.account,
                kind="margin_guard",
                name=f"guard {number}",
                config={"threshold": "0.8", "action": ADD_MARGIN},
                every=1,
                by=guarded.user,
            ).id
        )
        for number in range(GUARDS)
    ]


def ticks_in(client):
    """All ticks that were sent, in their order."""
    bodies = [json.loads(one)["body"] for one in reversed(client.lrange(QUEUE, 0, -1))]
    return [tuple(tick) for body in bodies for tick in json.loads(base64.b64decode(body))[0][0]]


def says(program, words):
    return lambda: words in program.log.read_text()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_other_beat_takes_over_and_no_slot_comes_twice(
    every_second, start_program, client, blow
):
    first = start_program("beat")
    await_that(says(first, "this one leads"), TAKE_OVER_SECONDS)
    second = start_program("beat", number=2)
    await_that(lambda: len(ticks_in(client)) > 2 * GUARDS, TAKE_OVER_SECONDS)
    assert not says(second, "this one leads")()

    first.send(blow)
    struck_at, sent = time.monotonic(), len(ticks_in(client))
    await_that(lambda: len(ticks_in(client)) >= sent + GUARDS, TAKE_OVER_SECONDS)

    assert time.monotonic() - struck_at < TAKE_OVER_SECONDS
    assert says(second, "this one leads")()
    first.send(signal.SIGCONT)
    if blow == signal.SIGSTOP:
        await_that(says(first, "stands by"), TAKE_OVER_SECONDS)
    ticks = ticks_in(client)
    assert len(ticks) == len(set(ticks))
    assert {automation for automation, _ in ticks} >= set(every_second)


def test_an_emptied_redis_is_filled_again_while_everything_runs(
    every_second, start_program, client
):
    start_program("beat")
    start_program("sweep")
    await_that(lambda: len(ticks_in(client)) >= GUARDS, TAKE_OVER_SECONDS)
    names = entries.names()
    before = ticks_in(client)
    client.flushdb()
    await_that(lambda: entries.names() == names, TAKE_OVER_SECONDS)
    await_that(
        lambda: {each for each, _ in ticks_in(client)} >= set(every_second), TAKE_OVER_SECONDS
    )
    assert before


def test_the_lease_leaves_room_to_take_over_in_time():
    """A blow just after an extension, a look a second after the lease, and the first tick."""
    assert LEASE_SECONDS + 1 + 2 < TAKE_OVER_SECONDS
