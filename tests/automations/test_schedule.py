"""RedBeat's entries follow the database; slots are made once, by the beat."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis
from celery import current_app
from django.conf import settings
from redbeat.schedulers import RedBeatSchedulerEntry

from accounts.services import activate_account, connect_account, disconnect_account
from automations import schedule
from automations.services import delete_automation, update_automation
from axisor.beat import Scheduler, slot_of

STRAY = f"9-{uuid4()}-{uuid4()}"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_redis():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


def names(guarded):
    return schedule._stored_names(f"{guarded.user.pk}-*")


def own_name(guarded):
    return f"{guarded.user.pk}-{guarded.account.id}-{guarded.automation.id}"


def entry(guarded):
    return RedBeatSchedulerEntry.from_key(f"redbeat:{own_name(guarded)}", app=current_app)


def other_account(guarded):
    paper_account = guarded.paper.control.create_account(balance=1)
    return connect_account(
        user=guarded.user,
        exchange=guarded.account.exchange,
        name="other",
        credentials=paper_account.credentials,
    )


def test_creating_schedules_at_once_with_ids_only(guarded):
    stored = entry(guarded)
    assert names(guarded) == {own_name(guarded)}
    assert stored.args == [str(guarded.automation.id)]
    assert stored.kwargs == {}
    assert stored.schedule.run_every == timedelta(seconds=30)
    assert stored.is_due().is_due


@pytest.mark.parametrize(
    ("change", "is_scheduled"),
    [
        (lambda g: update_automation(automation=g.automation, is_active=False), False),
        (lambda g: update_automation(automation=g.automation, name="renamed"), True),
        (lambda g: delete_automation(automation=g.automation), False),
        (lambda g: disconnect_account(account=g.account), False),
        (lambda g: activate_account(account=other_account(g)), False),
    ],
    ids=["paused", "renamed", "deleted", "account disconnected", "account switched"],
)
def test_changes_reach_the_schedule(guarded, change, is_scheduled):
    change(guarded)
    assert names(guarded) == ({own_name(guarded)} if is_scheduled else set())


def test_switching_back_schedules_again(guarded):
    activate_account(account=other_account(guarded))
    activate_account(account=guarded.account)
    assert names(guarded) == {own_name(guarded)}


def test_another_period_is_taken_over(guarded):
    update_automation(automation=guarded.automation, every=5)
    assert entry(guarded).schedule.run_every == timedelta(seconds=5)


def test_writing_again_does_not_put_off_the_next_tick(guarded):
    before = entry(guarded)
    before.reschedule(datetime.now(UTC) - timedelta(seconds=29))
    schedule.rewrite(guarded.user.pk)
    assert entry(guarded).last_run_at == before.last_run_at


def test_an_empty_redis_is_filled_from_the_database_and_a_stray_entry_goes(guarded, empty_redis):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    stray = RedBeatSchedulerEntry(
        STRAY, app=current_app, task="automations.evaluate", schedule=entry_schedule(), args=["x"]
    )
    stray.save()
    Scheduler(app=current_app, lazy=False)
    assert schedule._stored_names("*-*-*") >= {own_name(guarded)}
    assert STRAY not in schedule._stored_names("*-*-*")


def entry_schedule():
    return current_app.conf.beat_schedule["reconcile-schedule"]["schedule"]


def test_a_slot_is_the_second_the_entry_became_due(guarded):
    stored = entry(guarded)
    stored.last_run_at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    due = int(datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC).timestamp())
    assert slot_of(stored) == slot_of(stored) == f"tick:{due}"


def test_a_fired_entry_sends_one_tick_and_keeps_its_definition(guarded):
    scheduler = Scheduler(app=current_app, lazy=False)
    slot = slot_of(entry(guarded))
    scheduler.apply_async(entry(guarded))
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        message = json.loads(client.lpop("evaluate"))
    (args, kwargs, _) = json.loads(base64.b64decode(message["body"]))
    assert args == [[[str(guarded.automation.id), slot]]]
    assert kwargs == {}
    assert entry(guarded).args == [str(guarded.automation.id)]
    assert not entry(guarded).is_due().is_due
