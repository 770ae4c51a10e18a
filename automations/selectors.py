"""Everything that reads automations."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import ExchangeAccount
from automations.models import Automation, Execution, Restriction, UnguardedPosition
from automations.rules.registry import KINDS

PROTECTIVE = [name for name, kind in KINDS.items() if kind.is_protective]


def automations_of(user_id: int) -> QuerySet[Automation]:
    """A user's automations, newest first; deleted ones are left out."""
    return Automation.objects.filter(user_id=user_id, deleted_at=None).select_related(
        "account__exchange", "paused_by"
    )


def executions_of(user_id: int) -> QuerySet[Execution]:
    """A user's executions, newest first."""
    return Execution.objects.filter(automation__user_id=user_id)


def scheduled(user_id: int | None = None) -> QuerySet[Automation]:
    """What should be running: active automations on their users' active, connected accounts, where
    nobody has paused account, user or everything."""
    paused = restrictions_on(OuterRef("account"), OuterRef("user")).filter(
        what=Restriction.What.PAUSED
    )
    running = Automation.objects.filter(
        ~Exists(paused),
        is_active=True,
        account__is_active=True,
        account__exchange__is_enabled=True,
        user__is_active=True,
    )
    return running if user_id is None else running.filter(user_id=user_id)


def watched_accounts() -> QuerySet[ExchangeAccount]:
    """The accounts on which something should be running, or positions have lost their guard, with
    what watching them needs."""
    running = scheduled().filter(account=OuterRef("pk"))
    unguarded = UnguardedPosition.objects.filter(account=OuterRef("pk"), ended_at=None)
    usable = Q(disconnected_at=None, exchange__is_enabled=True, user__is_active=True)
    accounts = ExchangeAccount.objects.filter(Exists(running) | usable & Exists(unguarded))
    return accounts.select_related("exchange", "user").defer("sealed_credentials")


def running_guards(account: ExchangeAccount) -> QuerySet[Automation]:
    """What should be protecting an account now."""
    return scheduled().filter(account=account, kind__in=PROTECTIVE)


def runnable(ids: Collection[str | UUID]) -> list[Automation]:
    """Those of `ids` that should be running now, with what a run needs of their accounts."""
    chosen = scheduled().filter(pk__in=ids).select_related("account__exchange", "account__user")
    return list(chosen.defer("account__sealed_credentials"))


def restrictions_on(account: Any, user: Any) -> QuerySet[Restriction]:
    """What holds for an account of a user: its own, the user's, and what holds everywhere."""
    everywhere = Q(user=None, account=None)
    return Restriction.objects.filter(
        everywhere | Q(user=user) | Q(account=account), lifted_at=None
    )
