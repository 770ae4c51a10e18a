"""A run that its time limit stops in the middle of a query, with real transactions."""

import os
import signal
from threading import Thread

import psycopg
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from automations import errands, tasks
from automations.models import Execution, TradeLog
from automations.turns import turn
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 30


@pytest.fixture(autouse=True)
def time_limit():
    """Like Celery's: a signal that raises wherever the process is."""

    def stop(*_):
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, stop)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def stop_at():
    """Lock a row, let the time be over once this process waits for it, and unlock the row."""
    parameters = connection.get_connection_params()
    threads = []

    def stop(row):
        with psycopg.connect(**parameters | {"cursor_factory": None}) as other:
            lock = f"SELECT FROM automations_{row} FOR UPDATE"
            await_that(lambda: other.execute(lock).rowcount > 0, SECONDS)
            waiting = "SELECT FROM pg_locks WHERE NOT granted"
            await_that(lambda: other.execute(waiting).rowcount > 0, SECONDS)
            os.kill(os.getpid(), signal.SIGUSR1)

    def start(row):
        threads.append(Thread(target=stop, args=[row]))
        threads[0].start()

    yield start
    threads[0].join()


@pytest.mark.parametrize(
    ("row", "statuses"),
    [
        ("errand", []),
        ("turn WHERE until > statement_timestamp()", ["error"]),
        ("automation", ["error"]),
        ("intent WHERE state = 'sending'", ["pending"]),
    ],
    ids=["before it is begun", "before it decides", "while it is written", "when it is answered"],
)
def test_what_is_left_is_said_and_the_turn_is_free_at_once(guarded, stop_at, row, statuses):
    guarded.fall()
    for path in ("/v3/futures/ticker", "/v3/futures/isolated/trade/add-margin"):
        guarded.paper.control.fault("delay_before", seconds=0.5, path=path)
    errands.accept(guarded.automation, slot="tick:1", cause="tick")
    stop_at(row)
    tasks.execute.apply(args=(str(guarded.automation.id), "tick:1", "tick"))
    with turn(guarded.account.id):
        assert list(Execution.objects.values_list("status", flat=True)) == statuses
    assert {log.outcome for log in TradeLog.objects.all()} <= {"unknown"}
