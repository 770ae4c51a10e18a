"""The Celery tasks: thin, and their messages carry ids, slots and causes, nothing else.

`evaluate` and `refresh` may be lost or repeated without harm: they are acknowledged at once and
never retried, the next tick comes anyway. `execute` is acknowledged when it is over, and retried
with the patience of its automation, as long as nothing was sent.
"""

import random
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, OperationalError

from accounts.errors import AccountError
from automations import errands, evaluation, quiet, schedule, selectors
from automations.calling import call_a_worker
from automations.evaluation import Looked, Tick
from automations.execution import GRACE, drain
from automations.execution import execute as carry_out
from automations.models import MAX_TIMEOUT, Automation, Execution
from exchanges import deadline
from exchanges.errors import PermanentError, TransientError

TO_BEGIN = 5
"""Seconds until the first errand is run."""

SOFT_LIMIT = TO_BEGIN + MAX_TIMEOUT + GRACE
"""Seconds after which Celery stops whoever runs an account's errands. Each run has its own limit
and keeps to it by itself: this is for code that does not get as far as the next request."""

HARD_LIMIT_AFTER = 10
"""Seconds between the soft time limit, which a run can still record, and the hard one."""

REFRESH_LIMIT = 40
"""Seconds a refresh may take: three answers, each with its own time limit."""

REFRESH_EXPIRES = 30
"""Seconds after which a refresh that no worker took up is dropped: later ticks bring their own."""


@shared_task(name="automations.evaluate")
def evaluate(ticks: list[Tick]) -> None:
    """Look at automations whose period is over, and start what has to be done."""
    looked = evaluation.look(ticks)
    _start_due(looked)
    for stale in looked.stale.values():
        refresh.apply_async(args=(stale,), expires=REFRESH_EXPIRES)


@shared_task(
    name="automations.refresh",
    soft_time_limit=REFRESH_LIMIT,
    time_limit=REFRESH_LIMIT + HARD_LIMIT_AFTER,
)
def refresh(ticks: list[Tick]) -> None:
    """Read the account of these automations anew, and look at them at once."""
    _start_due(evaluation.look_afresh(ticks))


def start_execution(automation: Automation, *, slot: str, cause: str, **asked: Any) -> None:
    """Note the errand, which no lost message can undo, and call a worker.

    `asked` says who asked for it, and for what: the fields of an `Errand`.
    """
    errands.accept(automation, slot=slot, cause=cause, **asked)
    call_a_worker(automation, slot=slot, cause=cause)


def _start_due(looked: Looked) -> None:
    for automation, slot in looked.due:
        start_execution(automation, slot=slot, cause=Execution.Cause.TICK)
    quiet.record_ticks([automation for automation, _ in looked.due])


class Forged(Exception):
    """A message names an automation that there is not; whoever wrote it was not one of us."""


def _named(automation_id: str) -> Automation:
    automations = Automation.objects.select_related("account__exchange", "account__user")
    try:
        return automations.get(pk=UUID(automation_id))
    except (ValueError, TypeError, AttributeError, Automation.DoesNotExist):
        raise Forged(f"There is no automation {automation_id!r}.") from None


LONGEST_WAIT = 60
"""Seconds before a retry: a message that waits for longer than the broker's visibility timeout
would come twice."""


class ExecuteTask(Task):  # type: ignore[type-arg]
    """Retries as its automation's policy says."""

    autoretry_for = (TransientError, OperationalError, InterfaceError)
    default_retry_delay = 1  # when a worker's child is lost, which does not go through `retry`

    def retry(self, *args: Any, **options: Any) -> Any:
        """Retry after the automation's back-off, doubled each time, with jitter."""
        retries, backoff = self._patience()
        longest = min(backoff * 2**self.request.retries, LONGEST_WAIT)
        options["countdown"] = random.uniform(longest / 2, longest)  # noqa: S311
        options["max_retries"] = retries
        return super().retry(*args, **options)

    def _patience(self) -> tuple[int, int]:
        """Retries and back-off of the automation; middling ones without a database."""
        automation_id, *_ = self.request.args or ()
        try:
            policy = Automation.objects.get(pk=automation_id).policy
        except DatabaseError:
            return 3, 5
        return policy.retries, policy.backoff


@shared_task(
    name="automations.execute",
    base=ExecuteTask,
    acks_late=True,
    soft_time_limit=SOFT_LIMIT,
    time_limit=SOFT_LIMIT + HARD_LIMIT_AFTER,
    throws=(TransientError, PermanentError, AccountError, SoftTimeLimitExceeded, Forged),
)
def execute(automation_id: str, slot: str, cause: str) -> None:
    """Decide once more on fresh data, and act; finish what is open even if nothing may begin."""
    automation = _named(automation_id)
    with deadline.within(SOFT_LIMIT):
        if selectors.runnable([automation_id]):
            carry_out(automation, slot=slot, cause=cause)
            return
        drain(automation.account)
    schedule.write([automation.user_id])
