"""Everything that reads automations."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import ExchangeAccount
from automations.models import Automation, Execution


def automations_of(user_id: int) -> QuerySet[Automation]:
    """A user's automations, newest first; deleted ones are left out."""
    return Automation.objects.filter(user_id=user_id, deleted_at=None).select_related(
        "account__exchange"
    )


def executions_of(user_id: int) -> QuerySet[Execution]:
    """A user's executions, newest first."""
    return Execution.objects.filter(automation__user_id=user_id)


def scheduled(user_id: int | None = None) -> QuerySet[Automation]:
    """What should be running: active automations on their users' active, connected accounts."""
    running = Automation.objects.filter(
        is_active=True,
        account__is_active=True,
        account__exchange__is_enabled=True,
        user__is_active=True,
    )
    return running if user_id is None else running.filter(user_id=user_id)


def watched_accounts() -> QuerySet[ExchangeAccount]:
    """The accounts on which something should be running, with what watching them needs."""
    running = scheduled().filter(account=OuterRef("pk"))
    accounts = ExchangeAccount.objects.filter(Exists(running)).select_related("exchange", "user")
    return accounts.defer("sealed_credentials")


def runnable(ids: Collection[str | UUID]) -> list[Automation]:
    """Those of `ids` that should be running now, with what a run needs of their accounts."""
    chosen = scheduled().filter(pk__in=ids).select_related("account__exchange", "account__user")
    return list(chosen.defer("account__sealed_credentials"))
