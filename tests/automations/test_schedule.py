"""RedBeat's entries follow the database: in one step, in order, and whole again when lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import redis
from celery import current_app
from celery.schedules import schedule as every
from django.conf import settings
from django.db import connection, transaction
from redbeat.schedulers import RedBeatSchedulerEntry

from accounts.services import activate_account, connect_account, disconnect_account
from automations import pausing, schedule
from automations.models import Automation, ScheduleRevision
from automations.reading import utc_now
from automations.services import create_automation, delete_automation, update_automation
from automations.timetable import entries, firing, keys
from automations.timing import slot_of
from exchanges.models import Exchange
from tests.automations.conftest import ADD_MARGIN

MILLISECOND = 0.001
STRAY = f"9-{uuid4()}-{uuid4()}"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_redis():
    flush()


def flush():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


def name_of(automation):
    return f"{automation.user_id}-{automation.account_id}-{automation.id}"


def entry(automation):
    return RedBeatSchedulerEntry.from_key(f"redbeat:{name_of(automation)}", app=current_app)


def due(automation):
    [at] = entries.due_at([name_of(automation)])
    return at and at.timestamp()


def is_behind():
    return [row for row in ScheduleRevision.objects.all() if row.applied < row.revision]


def other_account(guarded, name="other"):
    paper_account = guarded.paper.control.create_account(balance=1)
    return connect_account(
        user=guarded.user,
        exchange=guarded.account.exchange,
        name=name,
        credentials=paper_account.credentials,
        by=guarded.user,
    )


def another_guard(guarded, account, name="second"):
    return create_automation(
        user=guarded.user,
        account=account,
        kind="margin_guard",
        name=name,
        config={"threshold": "0.8", "action": ADD_MARGIN},
        by=guarded.user,
    )


def test_creating_schedules_at_once_with_ids_only_and_as_redbeat_writes_it(guarded):
    stored = entry(guarded.automation)
    own = RedBeatSchedulerEntry(
        name_of(guarded.automation),
        task="automations.evaluate",
        schedule=every(run_every=timedelta(seconds=30), app=current_app),
        args=[str(guarded.automation.id)],
        app=current_app,
    )
    for field in ("name", "task", "args", "kwargs", "options", "schedule", "enabled"):
        assert getattr(stored, field) == getattr(own, field)
    assert entries.names() == {name_of(guarded.automation)}
    assert due(guarded.automation) <= utc_now().timestamp()


@pytest.mark.parametrize(
    ("change", "is_scheduled"),
    [
        (lambda g: pausing.pause(g.automation, by=g.user, reason="test"), False),
        (lambda g: update_automation(automation=g.automation, name="renamed", by=g.user), True),
        (lambda g: delete_automation(automation=g.automation, by=g.user), False),
        (lambda g: disconnect_account(account=g.account, by=g.user), False),
        (lambda g: activate_account(account=other_account(g), by=g.user), False),
        (lambda g: block(g.user), False),
        (lambda g: switch_off(g.account.exchange), False),
    ],
    ids=[
        "paused", "renamed", "deleted", "account disconnected", "account switched",
        "owner blocked", "exchange off",
    ],
)  # fmt: skip
def test_changes_reach_the_schedule(guarded, change, is_scheduled):
    change(guarded)
    schedule.keep()
    assert entries.names() == ({name_of(guarded.automation)} if is_scheduled else set())
    assert not is_behind()


def block(user):
    user.is_active = False
    user.save()


def switch_off(exchange):
    Exchange.objects.get(pk=exchange.pk)
    exchange.is_enabled = False
    exchange.save()


def test_switched_off_by_the_setting_nothing_is_scheduled(guarded, settings):
    settings.SCHEDULER_ENABLED = False
    schedule.reconcile()
    assert entries.names() == set()


def test_a_switch_takes_one_accounts_entries_and_brings_the_others(guarded):
    other = other_account(guarded)
    theirs = another_guard(guarded, other)
    assert entries.names() == {name_of(guarded.automation)}
    activate_account(account=other, by=other.user)
    assert entries.names() == {name_of(theirs)}
    activate_account(account=guarded.account, by=guarded.user)
    assert entries.names() == {name_of(guarded.automation)}


def test_a_change_whose_process_died_is_written_by_the_sweep(guarded, monkeypatch):
    other = other_account(guarded)
    with monkeypatch.context() as died:
        died.setattr(schedule, "write", lambda users: None)
        activate_account(account=other, by=other.user)
    assert entries.names() == {name_of(guarded.automation)}
    assert is_behind()
    schedule.keep()
    assert entries.names() == set()
    assert not is_behind()


def test_a_change_that_is_rolled_back_is_none(guarded):
    before = ScheduleRevision.objects.get(pk=guarded.user.pk).revision
    with transaction.atomic():
        pausing.pause(guarded.automation, by=guarded.user, reason="test")
        transaction.set_rollback(True)
    assert ScheduleRevision.objects.get(pk=guarded.user.pk).revision == before
    schedule.keep()
    assert entries.names() == {name_of(guarded.automation)}


def test_who_read_the_database_earlier_cannot_overwrite_who_read_it_later(guarded):
    row = ScheduleRevision.objects.get(pk=guarded.user.pk)
    stale = schedule._wanted([guarded.user.pk])[guarded.user.pk]
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    outcome = entries.replace(
        [entries.Replacement(guarded.user.pk, revision=row.revision, entries=stale)]
    )
    assert outcome == [-ScheduleRevision.objects.get(pk=guarded.user.pk).revision]
    assert entries.names() == set()


def test_changes_that_cross_are_all_there_in_the_end(guarded):
    """Several processes write for one user at once, each after a change of its own."""
    automations = [another_guard(guarded, guarded.account, name=f"guard {n}") for n in range(4)]

    def toggle(automation):
        for step in range(10):
            found = Automation.objects.get(pk=automation.pk)
            if step % 2:
                pausing.resume(found, by=automation.user)
            else:
                pausing.pause(found, by=automation.user, reason="test")
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(toggle, automations))
    assert entries.names() == {name_of(each) for each in [guarded.automation, *automations]}
    assert not is_behind()


def test_another_period_is_taken_over_at_once(guarded):
    update_automation(automation=guarded.automation, every=5, by=guarded.user)
    assert entry(guarded.automation).schedule.run_every == timedelta(seconds=5)
    assert due(guarded.automation) <= utc_now().timestamp()


def fire(automation):
    """As the beat does it."""
    [found] = firing.due(utc_now().timestamp(), most=10)
    timing = schedule.timing_of(automation)
    now = utc_now().timestamp()
    taken = timing.latest(now)
    client = keys.client()
    client.set(keys.config().lock_key, "token")
    one = firing.Firing(
        found.key, str(automation.id), found.at, taken, timing.following(now), missed=0
    )
    firing.fire(b"token", [one], queue="evaluate", messages=["a message"])
    return taken


def test_what_was_fired_is_not_due_again_however_often_entries_come_and_go(guarded):
    other = other_account(guarded)
    fired = fire(guarded.automation)
    for _ in range(20):
        activate_account(account=other, by=other.user)
        activate_account(account=guarded.account, by=guarded.user)
    assert due(guarded.automation) >= fired + 30 - MILLISECOND


def test_what_was_not_fired_is_due_at_once_however_often_entries_come_and_go(guarded):
    other = other_account(guarded)
    first = due(guarded.automation)
    for _ in range(20):
        activate_account(account=other, by=other.user)
        activate_account(account=guarded.account, by=guarded.user)
    assert first <= due(guarded.automation) <= utc_now().timestamp()


def test_an_emptied_redis_is_filled_and_what_the_database_saw_fired_is_not_due(guarded):
    fired = fire(guarded.automation)
    Automation.objects.filter(pk=guarded.automation.pk).update(last_slot=slot_of(fired))
    flush()
    schedule.keep()
    assert entries.names() == {name_of(guarded.automation)}
    assert due(guarded.automation) >= fired + 30 - MILLISECOND


def test_an_emptied_redis_is_noticed_only_once(guarded, caplog):
    flush()
    schedule.keep()
    schedule.keep()
    assert caplog.text.count("written anew") == 1


def save_stray():
    RedBeatSchedulerEntry(
        STRAY,
        app=current_app,
        task="automations.evaluate",
        schedule=every(run_every=timedelta(seconds=30), app=current_app),
        args=[STRAY[-36:]],
    ).save()


def test_strays_go_and_what_is_missing_comes_back(guarded):
    save_stray()
    entry(guarded.automation).delete()
    assert schedule.reconcile() == 2
    assert entries.names() == {name_of(guarded.automation)}
    assert schedule.reconcile() == 0


def test_a_tick_of_what_should_not_run_takes_its_entry_away(guarded):
    Automation.objects.update(is_active=False)
    schedule.drop({str(guarded.automation.id): "tick:1"})
    assert entries.names() == set()


def test_what_was_fired_and_not_looked_at_is_due_at_once_when_it_is_back(guarded):
    other = other_account(guarded)
    fired = fire(guarded.automation)
    activate_account(account=other, by=other.user)
    schedule.drop({str(guarded.automation.id): slot_of(fired)})
    activate_account(account=guarded.account, by=guarded.user)
    assert fired <= due(guarded.automation) <= utc_now().timestamp()


def test_a_tick_of_what_nobody_knows_takes_its_entry_away(guarded):
    save_stray()
    schedule.drop({STRAY[-36:]: "tick:1"})
    assert entries.names() == {name_of(guarded.automation)}


def test_next_due_is_what_redis_says(guarded):
    automation = guarded.automation
    assert schedule.next_due([automation])[automation.id].timestamp() == due(automation)
    pausing.pause(automation, by=automation.user, reason="test")
    assert schedule.next_due([automation]) == {UUID(str(automation.id)): None}


def test_a_database_from_a_backup_wins_over_a_newer_redis(guarded):
    ScheduleRevision.objects.update(revision=1, applied=1)
    Automation.objects.update(is_active=False)
    schedule.reconcile()
    schedule.keep()
    assert entries.names() == set()
    assert not is_behind()


def test_what_a_wrong_clock_has_put_off_is_due_again(guarded):
    key = f"redbeat:{name_of(guarded.automation)}"
    keys.client().zadd(keys.config().schedule_key, {key: utc_now().timestamp() + 86_400})
    keys.client().zadd(
        keys.fired_key(), {str(guarded.automation.id): utc_now().timestamp() + 86_400}
    )
    assert schedule.reconcile() == 1
    assert due(guarded.automation) <= utc_now().timestamp()


def test_a_calendar_that_no_longer_parses_is_left_out(guarded):
    Automation.objects.update(config={"calendar": {"line": "0 9 * * *", "zone": "Gone/Zone"}})
    schedule.reconcile()
    assert keys.client().hget(f"redbeat:{name_of(guarded.automation)}", "calendar") == ""


@pytest.mark.parametrize(
    ("save", "is_followed"),
    [
        (lambda g: g.user.save(update_fields=["last_login"]), False),
        (lambda g: g.user.save(), True),
        (lambda g: g.account.exchange.save(update_fields=["announcement"]), False),
        (lambda g: g.account.exchange.save(update_fields=["is_enabled"]), True),
    ],
    ids=["a login", "a user", "an announcement", "an exchange"],
)
def test_only_what_changes_the_schedule_counts_as_a_change(guarded, save, is_followed):
    before = ScheduleRevision.objects.get(pk=guarded.user.pk).revision
    save(guarded)
    after = ScheduleRevision.objects.get(pk=guarded.user.pk).revision
    assert (after > before) is is_followed
