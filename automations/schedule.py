"""The schedule follows the database: which entries there should be, and who writes them when.

Whatever changes what runs counts up the revision of the user's schedule, in its transaction. Once
that is committed the entries are written; if the process dies before, `keep` does it, which the
sweep calls every second: it looks for revisions that are behind, for a Redis that was emptied, and
every few minutes for any difference. The database is the truth, Redis may be lost.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from pydantic import ValidationError

from accounts.models import User
from automations import selectors
from automations.models import Automation, ScheduleRevision
from automations.reading import utc_now
from automations.rules.calendars import Calendar
from automations.timetable import entries
from automations.timetable.entries import Entry, Replacement
from automations.timing import Timing, second_of

log = logging.getLogger(__name__)

USERS_AT_ONCE = 200

MARK_EVERYBODY = f"""
INSERT INTO {ScheduleRevision._meta.db_table} AS known (user_id, revision, applied)
SELECT DISTINCT user_id, 1, 0 FROM {Automation._meta.db_table} ORDER BY user_id
ON CONFLICT (user_id) DO UPDATE SET revision = known.revision + 1
"""  # noqa: S608, SLF001

NOTE_WRITTEN = f"""
UPDATE {ScheduleRevision._meta.db_table} AS known
SET applied = GREATEST(known.applied, written.revision)
FROM unnest(%s::bigint[], %s::bigint[]) AS written (user_id, revision)
WHERE known.user_id = written.user_id
"""  # noqa: S608, SLF001


def follow_account(*, user_id: int, **kwargs: object) -> None:
    """The active account was switched."""
    follow_user(user_id)


def follow_owner(
    *, instance: User, update_fields: Collection[str] | None = None, **kwargs: object
) -> None:
    """An operator may have blocked or freed the user."""
    if update_fields is None or "is_active" in update_fields:
        follow_user(instance.pk)


def follow_exchange(*, update_fields: Collection[str] | None = None, **kwargs: object) -> None:
    """An operator may have switched an exchange off or on."""
    if update_fields is None or "is_enabled" in update_fields:
        follow_everybody()


def follow_user(user_id: int) -> None:
    """Note in the present transaction that a user's schedule changes; write it when committed."""
    ScheduleRevision.objects.bulk_create([ScheduleRevision(user_id=user_id)], ignore_conflicts=True)
    ScheduleRevision.objects.filter(pk=user_id).update(revision=F("revision") + 1)
    # Robust: the change is committed, so a failure here is logged, and `keep` follows.
    # A lambda, since Django names the function it logs and a partial has no name.
    transaction.on_commit(lambda: write([user_id]), robust=True)


def follow_everybody() -> None:
    """Note that the schedules of all users change; `keep` writes them."""
    with connection.cursor() as cursor:
        cursor.execute(MARK_EVERYBODY)


def keep() -> None:
    """Write what is behind, or all of it into a Redis that was emptied."""
    if not entries.is_whole():
        log.warning("The schedule is not in Redis: it is written anew.")
        reconcile()
        return
    behind = ScheduleRevision.objects.filter(applied__lt=F("revision"))
    for users in _in_lots(list(behind.values_list("pk", flat=True))):
        write(users)


def reconcile() -> int:
    """Bring all entries in line with the database, both ways; how many were not."""
    stored = _by_user(entries.names())
    users = {*selectors.scheduled().values_list("user_id", flat=True), *stored}
    changed = sum(write(some, stored=stored) for some in _in_lots(sorted(users)))
    entries.note_whole()
    return changed


def write(users: Collection[int], *, stored: Mapping[int, Sequence[str]] | None = None) -> int:
    """Write the entries of these users as the database has them; how many were not so.

    The revisions are read before the automations, so that what is written is never older than it
    claims to be. Of the entries that are `stored`, those that nobody wants go.
    """
    rows = {row.pk: row for row in ScheduleRevision.objects.filter(pk__in=users)}
    wanted, stored = _wanted(users), stored or {}
    outcomes = entries.replace(
        Replacement(
            user_id=user,
            revision=rows[user].revision if user in rows else 0,
            entries=wanted[user],
            strays=stored.get(user, ()),
        )
        for user in users
    )
    _note_written(
        {
            user: rows[user].revision
            for user, outcome in zip(users, outcomes, strict=True)
            if outcome >= 0 and user in rows and rows[user].applied < rows[user].revision
        }
    )
    for user, outcome in zip(users, outcomes, strict=True):
        if outcome < 0:
            _overtake(user, revision=-outcome)
    return sum(max(0, outcome) for outcome in outcomes)


def _note_written(revisions: Mapping[int, int]) -> None:
    if revisions:
        with connection.cursor() as cursor:
            cursor.execute(NOTE_WRITTEN, [list(revisions), list(revisions.values())])


def _overtake(user: int, *, revision: int) -> None:
    """Redis has a revision that the database has not: it was restored from a backup, and counts."""
    ScheduleRevision.objects.bulk_create([ScheduleRevision(user_id=user)], ignore_conflicts=True)
    behind = ScheduleRevision.objects.filter(pk=user, revision__lt=revision)
    if behind.update(revision=revision + 1):
        log.warning("The schedule of user %s was newer in Redis than in the database.", user)


def drop(ticks: Mapping[str, str]) -> None:
    """Ticks came, by automation and slot, of what should not be running: its entries go.

    Where it is back soon after, as when accounts are switched to and fro, it is due at once.
    """
    known = dict(Automation.objects.filter(pk__in=ticks).values_list("pk", "user_id"))
    strangers = set(ticks) - {str(known_id) for known_id in known}
    strays = {name for name in entries.names() if name[-36:] in strangers} if strangers else ()
    stored = _by_user(strays)
    entries.forget_fired(ticks)
    write({*known.values(), *stored}, stored=stored)


def next_due(automations: Sequence[Automation]) -> dict[UUID, datetime | None]:
    """When each is looked at next, as Redis has it; None for one that is not scheduled."""
    names = [f"{each.user_id}-{each.account_id}-{each.id}" for each in automations]
    return dict(zip([each.id for each in automations], entries.due_at(names), strict=True))


def timing_of(automation: Automation) -> Timing:
    """When it is due. A calendar that no longer parses has no dates: the look says why."""
    stored = automation.config.get("calendar")
    try:
        calendar = Calendar.model_validate(stored) if stored else None
    except ValidationError:
        calendar = None
    return Timing.of(automation.id, period=automation.period, calendar=calendar)


def _by_user(names: Iterable[str]) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for name in names:
        user, _, _ = name.partition("-")
        if user.isdecimal():
            found[int(user)].append(name)
    return found


def _in_lots(users: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(users), USERS_AT_ONCE):
        yield users[first : first + USERS_AT_ONCE]


def _wanted(users: Collection[int]) -> defaultdict[int, list[Entry]]:
    wanted: defaultdict[int, list[Entry]] = defaultdict(list)
    if settings.SCHEDULER_ENABLED:
        now = round(utc_now().timestamp(), 3)
        for automation in selectors.scheduled().filter(user__in=users):
            wanted[automation.user_id].append(_entry(automation, now))
    return wanted


def _entry(automation: Automation, now: float) -> Entry:
    """Due at once, unless the latest due time was fired, as the database remembers it, too."""
    timing = timing_of(automation)
    dates = timing.calendar.model_dump(mode="json") if timing.calendar else None
    latest, following = timing.latest(now), timing.following(now)
    is_fired = second_of(automation.last_slot) >= int(latest)
    return Entry(
        user_id=automation.user_id,
        account_id=automation.account_id,
        automation_id=automation.id,
        period=automation.period,
        calendar=dates,
        latest=latest,
        due=following if is_fired else now,
        then=following,
    )
