"""Everything that reads accounts, and what happened and was done to them."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.errors import AccountNotFound
from accounts.models import Audit, Event, ExchangeAccount


def accounts_of(user_id: int) -> QuerySet[ExchangeAccount]:
    """All accounts of a user, disconnected ones too, oldest first."""
    return ExchangeAccount.objects.filter(user_id=user_id).select_related("exchange", "user")


def get_account(*, user_id: int, account_id: UUID) -> ExchangeAccount:
    """Return an account of this user, or raise `AccountNotFound`."""
    try:
        return accounts_of(user_id).get(pk=account_id)
    except ExchangeAccount.DoesNotExist:
        raise AccountNotFound(f"There is no account {account_id}.") from None


def active_account(user_id: int) -> ExchangeAccount | None:
    """Return the account whose automations run; None when the user has not activated any."""
    return accounts_of(user_id).filter(is_active=True).first()


def events_of(user_id: int) -> QuerySet[Event]:
    """Everything that happened to a user, newest first."""
    return Event.objects.filter(user_id=user_id)


def audits_of(user_id: int) -> QuerySet[Audit]:
    """Everything that was done to what is a user's, newest first."""
    return Audit.objects.filter(user_id=user_id).select_related("by")
