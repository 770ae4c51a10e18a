"""How it stands with the schedule: what runs, what is due when, how late it was, what was left out.

Due times are Redis' own. Where it does not answer they are not known, which is said, and never
taken for "nothing is due".
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import redis
from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import ExchangeAccount, User
from accounts.selectors import active_account
from automations import pausing, schedule, selectors
from automations.models import Automation, Execution, ScheduleRevision, Skip
from automations.pausing import Pause
from automations.timetable import entries, firing

log = logging.getLogger(__name__)

SWITCHED_OFF = "The scheduler is switched off by AUTOMATION_SCHEDULER_ENABLED."
SILENT = "No beat has looked at what is due for ten seconds: nothing is looked at until one does."
UNKNOWN = "Redis does not answer, so it is not known what is due when."


@dataclass(frozen=True, slots=True)
class OfAutomation:
    """One automation: whether it runs, when it is due, how its last look went, what was left out.

    `lateness_ms` is how long after its time the last tick was looked at, in milliseconds.
    """

    automation: Automation
    is_running: bool
    paused: Sequence[Pause]
    next_due_at: datetime | None
    last_execution: Execution | None
    skips: Sequence[Skip]


@dataclass(frozen=True, slots=True)
class OfMany:
    """The automations of an account, or of a user's active account; `message` says it in words."""

    is_active: bool
    message: str
    account: ExchangeAccount | None
    paused: Sequence[Pause]
    automations: Sequence[OfAutomation]


@dataclass(frozen=True, slots=True)
class OfScheduler:
    """The whole scheduler. `behind` is how many users' entries are still to be written."""

    is_running: bool
    message: str
    paused: Sequence[Pause]
    last_tick_at: datetime | None
    entries: int | None
    behind: int


def of_user(user: User) -> OfMany:
    """What is scheduled for a user: the automations of the active account."""
    account = active_account(user.pk)
    if account is None:
        message = "No account is active, so nothing is scheduled: connect or activate one."
        return OfMany(False, message, None, pausing.pauses_above(user=user), ())
    return of_account(account)


def of_account(account: ExchangeAccount) -> OfMany:
    """What is scheduled on an account, which need not be the active one."""
    found = selectors.automations_of(account.user_id).filter(account=account)
    automations = of_automations(found)
    paused = pausing.pauses_above(account=account)
    running = sum(each.is_running for each in automations)
    message = pausing.said(paused) or _said(account, running)
    return OfMany(bool(running), message, account, paused, automations)


def of_automations(found: QuerySet[Automation]) -> list[OfAutomation]:
    """Of each of these, in a constant number of statements."""
    automations = list(found.select_related("account", "paused_by"))
    ids = [each.id for each in automations]
    running = {each.id for each in selectors.scheduled().filter(pk__in=ids)}
    due_at, paused = due(automations), pausing.pauses_of(automations)
    skips, executions = _skips(ids), _last_executions(ids)
    return [
        OfAutomation(
            automation=each,
            is_running=each.id in running and settings.SCHEDULER_ENABLED,
            paused=paused[each.id],
            next_due_at=due_at.get(each.id),
            last_execution=executions.get(each.id),
            skips=skips[each.id],
        )
        for each in automations
    ]


def of_scheduler() -> OfScheduler:
    """How it stands with the scheduler as a whole."""
    paused = pausing.pauses_above()
    try:
        last_tick_at, count = firing.last_tick(), entries.count()
    except redis.RedisError as error:
        log.warning("The scheduler cannot be asked: %s", type(error).__name__)
        last_tick_at = count = None
    message = _why_still(paused, last_tick_at, count)
    return OfScheduler(
        is_running=not message,
        message=message or f"It runs. Entries in the schedule: {count}.",
        paused=paused,
        last_tick_at=last_tick_at,
        entries=count,
        behind=ScheduleRevision.objects.filter(applied__lt=F("revision")).count(),
    )


def _why_still(paused: Collection[Pause], last_tick_at: datetime | None, count: int | None) -> str:
    if not settings.SCHEDULER_ENABLED:
        return SWITCHED_OFF
    if paused:
        return pausing.said(paused)
    if count is None:
        return UNKNOWN
    return "" if last_tick_at else SILENT


def _said(account: ExchangeAccount, running: int) -> str:
    if not settings.SCHEDULER_ENABLED:
        return SWITCHED_OFF
    if not account.is_active:
        return f"{account.name} is not the active account, so nothing of it is scheduled."
    if not running:
        return f"No automation on {account.name} is active, so nothing is scheduled."
    return f"Scheduled on {account.name}: {running}."


def due(automations: Sequence[Automation]) -> dict[UUID, datetime | None]:
    """When each is looked at next; empty where that is not known."""
    try:
        return schedule.next_due(automations)
    except redis.RedisError as error:
        log.warning("What is due cannot be asked for: %s", type(error).__name__)
        return {}


def _skips(ids: Collection[UUID]) -> defaultdict[UUID, list[Skip]]:
    skips: defaultdict[UUID, list[Skip]] = defaultdict(list)
    for skip in Skip.objects.filter(automation__in=ids):
        skips[skip.automation_id].append(skip)
    return skips


def _last_executions(ids: Collection[UUID]) -> dict[UUID, Execution]:
    last = Execution.objects.filter(automation=OuterRef("pk")).order_by("-started_at")
    found = Automation.objects.filter(pk__in=ids).values(last=Subquery(last.values("pk")[:1]))
    executions = Execution.objects.filter(pk__in=found).defer("inputs", "findings", "memory")
    return {each.automation_id: each for each in executions}
