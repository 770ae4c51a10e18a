"""RedBeat's entries, one per automation, written from the database.

The database says what should run; Redis holds a copy that may be lost and is written anew. An
entry's name is `user-account-automation`. An entry that is right already is left alone, since
saving it again would put off its next tick; a new one is due at once.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from celery.schedules import schedule
from django.db import transaction
from redbeat.schedulers import RedBeatConfig, RedBeatSchedulerEntry, get_redis

from accounts.models import User
from automations import selectors
from automations.models import Automation

EVALUATE_TASK = "automations.evaluate"
UUID_PATTERN = "-".join("?" * length for length in (8, 4, 4, 4, 12))


def entry_name(automation: Automation) -> str:
    """`user-account-automation`."""
    return f"{automation.user_id}-{automation.account_id}-{automation.id}"


def follow_account(*, user_id: int, **kwargs: Any) -> None:
    """Write a user's entries anew once the switch of the active account is committed."""
    follow_user(user_id)


def follow_owner(*, instance: User, **kwargs: Any) -> None:
    """Write a user's entries anew when an operator has blocked or freed the user."""
    follow_user(instance.pk)


def follow_exchange(**kwargs: Any) -> None:
    """Write all entries anew when an operator has switched an exchange off or on."""
    transaction.on_commit(reconcile_schedule, robust=True)


def follow_user(user_id: int) -> None:
    """Write a user's entries when the present transaction is committed.

    A failure there is logged, not raised: the change is saved, and `reconcile_schedule` follows.
    """
    # A lambda, since Django names the function it logs and a partial has no name.
    transaction.on_commit(lambda: rewrite(user_id), robust=True)


def rewrite(user_id: int) -> None:
    """Bring a user's entries in line with the database."""
    _bring_in_line(selectors.scheduled(user_id), _stored_names(f"{user_id}-*"))


def reconcile_schedule() -> None:
    """Bring all entries in line with the database."""
    _bring_in_line(selectors.scheduled(), _stored_names(f"*-{UUID_PATTERN}-{UUID_PATTERN}"))


def rewrite_entries_of(automation_id: str | UUID) -> None:
    """Bring the entries of an automation's owner in line; strays of no automation go."""
    owner = Automation.objects.filter(pk=automation_id).values_list("user_id", flat=True).first()
    if owner is not None:
        rewrite(owner)
        return
    for name in _stored_names(f"*-{automation_id}"):
        _entry(name).delete()


def _bring_in_line(automations: Iterable[Automation], stored: set[str]) -> None:
    wanted = {entry_name(automation): automation for automation in automations}
    for name in stored - set(wanted):
        _entry(name).delete()
    for name, automation in wanted.items():
        if name not in stored or not _is_right(name, automation):
            _save(name, automation)


def _save(name: str, automation: Automation) -> None:
    """Write the entry, due now; a slot that nobody got to in time is dropped, not queued."""
    due_now = datetime.now(UTC) - timedelta(seconds=automation.period)
    entry = _entry(
        name,
        task=EVALUATE_TASK,
        schedule=schedule(run_every=timedelta(seconds=automation.period), app=current_app),
        args=[str(automation.id)],
        options={"expires": automation.period},
        last_run_at=due_now,
    )
    entry.save()
    entry.reschedule(due_now)


def _is_right(name: str, automation: Automation) -> bool:
    try:
        entry = RedBeatSchedulerEntry.from_key(_key(name), app=current_app)
    except KeyError:
        return False
    return bool(entry.schedule.run_every == timedelta(seconds=automation.period))


def _stored_names(pattern: str) -> set[str]:
    conf = RedBeatConfig(current_app)
    found = get_redis(current_app).zscan_iter(conf.schedule_key, match=_key(pattern), count=1000)
    return {key.removeprefix(conf.key_prefix) for key, _ in found}


def _entry(name: str, **fields: Any) -> RedBeatSchedulerEntry:
    return RedBeatSchedulerEntry(name, app=current_app, **fields)


def _key(name: str) -> str:
    return f"{RedBeatConfig(current_app).key_prefix}{name}"
