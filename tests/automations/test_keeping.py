"""The thread that keeps the schedule: each second, now and then, and after a failure."""

from datetime import timedelta
from threading import Event

import pytest
import redis
from django.db import InterfaceError

from automations import keeping, schedule
from automations.keeping import Keeper
from tests.running import await_that

SECONDS = 10


@pytest.fixture
def done(monkeypatch):
    """What a keeper that never waits for long has done so far."""
    done = []
    monkeypatch.setattr(keeping, "PERIOD", 0.01)
    monkeypatch.setattr(keeping, "close_old_connections", lambda: None)
    monkeypatch.setattr(schedule, "keep", lambda: done.append("kept"))
    monkeypatch.setattr(schedule, "reconcile", lambda: done.append("reconciled") or 0)
    return done


@pytest.fixture
def keeper():
    stopping = Event()
    keeper = Keeper(stopping)
    yield keeper
    stopping.set()
    keeper.join(SECONDS)
    assert not keeper.is_alive()


def test_it_reconciles_every_five_minutes():
    assert timedelta(minutes=5) == keeping.RECONCILE_EVERY


@pytest.mark.parametrize(("every", "is_reconciled"), [(0, True), (300, False)])
def test_it_keeps_each_time_and_reconciles_now_and_then(
    done, keeper, monkeypatch, every, is_reconciled
):
    monkeypatch.setattr(keeping, "RECONCILE_EVERY", timedelta(seconds=every))
    keeper.start()
    await_that(lambda: done.count("kept") > 3, SECONDS)
    assert ("reconciled" in done) is is_reconciled


@pytest.mark.parametrize("error", [InterfaceError, redis.ConnectionError, ValueError])
def test_nothing_that_fails_ends_it(done, keeper, monkeypatch, error):
    def fail():
        done.append("tried")
        raise error

    monkeypatch.setattr(schedule, "keep", fail)
    keeper.start()
    await_that(lambda: done.count("tried") > 2, SECONDS)
    assert keeper.is_alive()
