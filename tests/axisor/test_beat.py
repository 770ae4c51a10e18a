"""The beat: what is due is fired once, in batches, by one of several."""

import base64
import json
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import redis
from celery import current_app
from celery.schedules import schedule as every
from django.conf import settings
from redbeat.schedulers import RedBeatSchedulerEntry

from automations import schedule
from automations.models import Skip
from automations.timetable import entries, firing
from automations.timing import Timing, slot_of
from axisor import beat
from axisor.beat import Scheduler

QUEUE = "evaluate"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def client():
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        client.flushdb()
        yield client


@pytest.fixture
def one_beat(client, monkeypatch):
    monkeypatch.setattr(schedule, "reconcile", lambda: 0)
    scheduler = Scheduler(app=current_app, lazy=True)
    yield scheduler
    scheduler.close()


def put(count, *, period=3600, late=0.0):
    """Entries of so many automations, due since so many seconds."""
    now = time.time()
    ids = [uuid4() for _ in range(count)]
    wanted = [
        entries.Entry(
            user_id=1,
            account_id=uuid4(),
            automation_id=id_,
            period=period,
            calendar=None,
            latest=now,
            due=Timing.of(id_, period=period).latest(now - late),
            then=Timing.of(id_, period=period).following(now),
        )
        for id_ in ids
    ]
    entries.replace([entries.Replacement(user_id=1, revision=1, entries=wanted)])
    return {str(id_): slot_of(Timing.of(id_, period=period).latest(now)) for id_ in ids}


def ticks_in(client):
    """The messages that wait, each as its list of ticks."""
    found = client.lrange(QUEUE, 0, -1)
    return [json.loads(base64.b64decode(json.loads(one)["body"]))[0][0] for one in found]


def test_all_that_is_due_is_fired_once_by_hundreds(one_beat, client):
    wanted = put(1234)
    assert one_beat.tick() > 0
    assert one_beat.tick() > 0
    messages = ticks_in(client)
    assert sorted(tuple(tick) for ticks in messages for tick in ticks) == sorted(wanted.items())
    assert len(messages) == 13


def test_a_message_is_what_celery_itself_sends(one_beat, client):
    [(automation_id, slot)] = put(1).items()
    one_beat.tick()
    current_app.send_task("automations.evaluate", ([(automation_id, slot)],))
    ours, celerys = (json.loads(one) for one in reversed(client.lrange(QUEUE, 0, -1)))
    for message in (ours, celerys):
        for once in ("correlation_id", "delivery_tag"):
            del message["properties"][once]
        for once in ("id", "root_id"):
            del message["headers"][once]
    assert ours == celerys


def test_what_is_not_due_is_left(one_beat, client):
    put(5)
    one_beat.tick()
    client.delete(QUEUE)
    one_beat.tick()
    assert ticks_in(client) == []


@pytest.mark.parametrize("late", [0, 45, 600])
def test_of_what_went_by_the_latest_is_fired_and_the_rest_counted(
    one_beat, client, late, monkeypatch
):
    counted = []
    monkeypatch.setattr(beat, "_count", lambda why, left_out: counted.append((why, left_out)))
    wanted = put(3, period=10, late=late)
    one_beat.tick()
    one_beat._notes.shutdown()
    [ticks] = ticks_in(client)
    assert dict(ticks) == wanted
    missed = [n for why, left_out in counted for _, n in left_out.values()]
    assert all(why == Skip.Why.MISSED for why, _ in counted)
    assert missed == ([] if late == 0 else [pytest.approx(late / 10, abs=1)] * 3)


def test_when_too_many_wait_ticks_are_left_out_and_counted(one_beat, client, monkeypatch):
    counted = []
    monkeypatch.setattr(beat, "_count", lambda why, left_out: counted.append((why, left_out)))
    wanted = put(3)
    client.rpush(QUEUE, *["waiting"] * 1001)
    one_beat.tick()
    one_beat._notes.shutdown()
    assert client.llen(QUEUE) == 1001
    assert counted == [(Skip.Why.OVERLOAD, {id_: (slot, 1) for id_, slot in wanted.items()})]
    assert firing.due(time.time(), most=10) == []


def test_a_change_between_reading_and_firing_wins(one_beat, client, monkeypatch):
    put(2)
    fire = firing.fire

    def after_a_change(*args, **options):
        monkeypatch.undo()
        entries.replace([entries.Replacement(user_id=1, revision=2, entries=[])])
        fire(*args, **options)

    monkeypatch.setattr(firing, "fire", after_a_change)
    one_beat.tick()
    assert ticks_in(client) == []
    assert entries.names() == set()
    assert client.keys("redbeat:1-*") == []


def test_only_one_of_two_fires_and_the_other_follows_at_once(one_beat, client, monkeypatch):
    monkeypatch.setattr(schedule, "reconcile", lambda: 0)
    other = Scheduler(app=current_app, lazy=True)
    one_beat.tick()
    wanted = put(3)
    other.tick()
    assert ticks_in(client) == []
    one_beat.close()
    other.tick()
    assert dict(ticks_in(client)[0]) == wanted
    other.close()


def test_who_lost_the_lock_while_it_slept_writes_nothing(one_beat, client):
    one_beat.tick()
    put(3)
    client.set("redbeat::lock", "another's")
    one_beat.tick()
    assert ticks_in(client) == []
    assert len(firing.due(time.time(), most=10)) == 3


def test_entries_of_other_tasks_take_redbeats_way(one_beat, client):
    other = RedBeatSchedulerEntry(
        "another", app=current_app, task="automations.refresh", schedule=every(60), args=[[]]
    ).save()
    other.reschedule(datetime(2026, 1, 1, tzinfo=UTC))
    client.zadd("redbeat::schedule", {"redbeat:gone": 1})
    assert one_beat.tick() > 0
    assert client.llen("refresh") == 1
    assert client.zscore("redbeat::schedule", "redbeat:gone") is None
    assert client.zscore("redbeat::schedule", "redbeat:another") > time.time()


def test_a_redis_that_is_away_is_waited_for(one_beat, monkeypatch, caplog):
    one_beat.tick()
    monkeypatch.setattr(firing, "due", lambda *args, **options: raise_connection_error())
    assert one_beat.tick() == one_beat.max_interval
    assert "Redis" in caplog.text


def raise_connection_error():
    raise redis.ConnectionError("gone")


def test_a_calendar_that_is_not_known_here_stops_nothing(one_beat, client, caplog):
    wanted = put(3)
    [first, *_] = client.zrange("redbeat::schedule", 0, -1)
    client.hset(first, "calendar", json.dumps({"line": "0 9 * * *", "zone": "Gone/Zone"}))
    one_beat.tick()
    assert {id_ for ticks in ticks_in(client) for id_, _ in ticks} == wanted.keys()
    assert "not known here" in caplog.text


def test_an_entry_that_is_back_meanwhile_is_not_removed(client):
    put(1)
    [key] = client.zrange("redbeat::schedule", 0, -1)
    firing.remove_remnant(key)
    assert client.zscore("redbeat::schedule", key) is not None
    client.delete(key)
    firing.remove_remnant(key)
    assert client.zscore("redbeat::schedule", key) is None
