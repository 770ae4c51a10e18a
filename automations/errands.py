"""Errands: what is to be executed, kept in PostgreSQL until its execution is written.

A message of the broker only says that there is an errand. It may be lost, come twice or late:
the errand is unique per (automation, slot), whoever holds the account's turn runs it, and
`sweep` finds the one that nobody ran.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from automations.models import Automation, Errand, Execution
from automations.reading import utc_now
from automations.rules.registry import kind_of

LAPSES_AFTER = timedelta(seconds=60)
PERIODS = 4
"""An errand is too old after so many periods of its automation, and not before `LAPSES_AFTER`."""


def accept(automation: Automation, *, slot: str, cause: str, **asked: Any) -> None:
    """Note that `automation` is to be executed for `slot`, unless it was already.

    `asked` says who asked for it, and for what: the fields of an `Errand`.
    """
    if Execution.objects.filter(automation=automation, slot=slot).exists():
        return
    errand = Errand(
        automation=automation,
        account_id=automation.account_id,
        slot=slot,
        cause=cause,
        rank=kind_of(automation.kind).rank,
        **asked,
    )
    Errand.objects.bulk_create([errand], ignore_conflicts=True)


def is_done(errand: Errand) -> bool:
    """Whether its execution was written meanwhile: a message that came again may be late."""
    return Execution.objects.filter(automation=errand.automation, slot=errand.slot).exists()


def is_overtaken(errand: Errand) -> bool:
    """Whether it is so old that later ticks have to decide: it was meant for another market."""
    lifetime = max(LAPSES_AFTER, PERIODS * timedelta(seconds=errand.automation.period))
    return utc_now() - errand.created_at > lifetime


def due(account_id: UUID) -> QuerySet[Errand]:
    """An account's errands that may be run now: protect, then exit, then everything else."""
    waiting = Errand.objects.filter(account_id=account_id, not_before__lte=Now()).select_related(
        "automation__account__exchange",
        "automation__account__user",
        "automation__user",
        "proposal",
    )
    return waiting.defer("automation__account__sealed_credentials")


def begin(errand: Errand) -> bool:
    """Count a run of `errand` and put off the next one; False when it has had all its runs."""
    retries = errand.automation.policy.retries
    begun = Errand.objects.filter(pk=errand.pk, attempts__lte=retries).update(
        attempts=F("attempts") + 1, not_before=Now() + _wait(errand.automation, errand.attempts)
    )
    errand.attempts += begun
    return bool(begun)


def put_off(errand: Errand) -> None:
    """Put off the next run once more: the present one, which failed, may have taken long."""
    wait = _wait(errand.automation, errand.attempts - 1)
    Errand.objects.filter(pk=errand.pk).update(not_before=Now() + wait)


def is_last_run(errand: Errand) -> bool:
    """Whether no further run of `errand` will follow the present one."""
    return errand.attempts > errand.automation.policy.retries or is_overtaken(errand)


def _wait(automation: Automation, runs_before: int) -> timedelta:
    """The shortest time after which its message may come again: see `tasks.ExecuteTask.retry`."""
    return timedelta(seconds=automation.policy.backoff * 2**runs_before / 2)


def finish(automation: Automation, slot: str) -> None:
    """Forget the errand; call it in the transaction that writes its execution."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An errand is finished in the transaction of its execution.")
    Errand.objects.filter(automation=automation, slot=slot).delete()
