"""What an owner allows all automations of an account together: set here, kept by `risk`."""

from django.db import transaction

from accounts.audit import record_audit
from accounts.models import ExchangeAccount, User
from automations.models import AccountLimits

SET = ("sats_per_position", "sats_per_day", "orders_per_day", "leverage", "exposure")


@transaction.atomic
def set_limits(limits: AccountLimits, *, by: User) -> AccountLimits:
    """Save limits that were checked, new ones or changed; None is no limit."""
    account = limits.account
    # Whoever sets them at the same time waits here, so that each says what it really replaced.
    ExchangeAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
    before = AccountLimits.objects.filter(pk=account.pk).first() or AccountLimits(account=account)
    limits.save()
    if changed := _differences(before, limits):
        record_audit(
            "limits_set",
            by=by,
            subject=f"account/{account.pk}",
            user=account.user,
            account=account,
            data=changed,
        )
    return limits


def _differences(before: AccountLimits, after: AccountLimits) -> dict[str, list[object]]:
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in SET}
    return {name: [old, new] for name, (old, new) in pairs.items() if old != new}
