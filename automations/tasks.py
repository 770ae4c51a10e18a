"""The Celery tasks: thin, and their messages carry ids, slots and causes, nothing else.

`evaluate` and `refresh` may be lost or repeated without harm: they are acknowledged at once and
never retried, the next tick comes anyway. `execute` is acknowledged when it is over, and retried
with the patience of its automation's kind, as long as nothing was sent.
"""

import random
from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

from accounts.errors import AccountError
from automations import evaluation, schedule, selectors
from automations.evaluation import Looked, Tick
from automations.execution import execute as carry_out
from automations.execution import record_failure
from automations.models import Automation, Execution
from automations.rules.registry import kind_of
from exchanges.errors import PermanentError, TransientError

HARD_LIMIT_AFTER = 10
"""Seconds between the soft time limit, which a run can still record, and the hard one."""

REFRESH_LIMIT = timedelta(seconds=30)
"""How long a refresh may take. However slow the exchange was, what it said is then looked at."""


@shared_task(name="automations.evaluate")
def evaluate(ticks: list[Tick]) -> None:
    """Look at automations whose period is over, and start what has to be done."""
    looked = evaluation.look(ticks)
    _start_due(looked)
    for stale in looked.stale.values():
        refresh.delay(stale)


@shared_task(
    name="automations.refresh",
    soft_time_limit=REFRESH_LIMIT.seconds,
    time_limit=REFRESH_LIMIT.seconds + HARD_LIMIT_AFTER,
)
def refresh(ticks: list[Tick]) -> None:
    """Read the account of these automations anew, and look at them at once."""
    if evaluation.refresh(ticks):
        _start_due(evaluation.look(ticks, fresh=REFRESH_LIMIT))


@shared_task(name="automations.reconcile_schedule")
def reconcile_schedule() -> None:
    """Bring the schedule in Redis in line with the database."""
    schedule.reconcile_schedule()


def start_execution(automation: Automation, *, slot: str, cause: str) -> None:
    """Queue a run: protective kinds ahead of all other work."""
    kind = kind_of(automation.kind)
    execute.apply_async(
        args=(str(automation.id), slot, cause),
        queue="critical" if kind.is_protective else "execute",
        soft_time_limit=kind.timeout,
        time_limit=kind.timeout + HARD_LIMIT_AFTER,
    )


def _start_due(looked: Looked) -> None:
    for automation, slot in looked.due:
        start_execution(automation, slot=slot, cause=Execution.Cause.TICK)


class ExecuteTask(Task):  # type: ignore[type-arg]
    """Retries as its automation's kind says, and records when that was in vain."""

    autoretry_for = (TransientError, OperationalError, InterfaceError)

    def retry(self, *args: Any, **options: Any) -> Any:
        """Retry after the kind's back-off, doubled each time, with jitter."""
        automation_id, *_ = self.request.args or ()
        kind = kind_of(Automation.objects.get(pk=automation_id).kind)
        longest = kind.backoff * 2**self.request.retries
        options["countdown"] = random.uniform(longest / 2, longest)  # noqa: S311
        options["max_retries"] = kind.retries
        return super().retry(*args, **options)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Leave an execution that says why there is no result."""
        automation_id, slot, cause = args
        automation = Automation.objects.select_related("account").get(pk=automation_id)
        record_failure(automation, slot=slot, cause=cause, error=exc)


@shared_task(
    name="automations.execute",
    base=ExecuteTask,
    acks_late=True,
    throws=(TransientError, PermanentError, AccountError, SoftTimeLimitExceeded),
)
def execute(automation_id: str, slot: str, cause: str) -> None:
    """Decide once more on fresh data, and act."""
    found = selectors.runnable([automation_id])
    if not found:
        schedule.remove(automation_id)
        return
    carry_out(found[0], slot=slot, cause=cause)
