"""Who did what: written in the transaction that does it, and never changed."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Audit, ExchangeAccount, User


def record_audit(
    action: str,
    *,
    by: User | None,
    subject: str,
    user: User | None = None,
    account: ExchangeAccount | None = None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> Audit:
    """Write down who did something; call it in the transaction of the change itself.

    `by` is None for the platform itself. `subject` names what was changed, as `account/<id>` or
    `automation/<id>`; `user` and `account` are whose it is. `data` is anything Django's JSON
    encoder writes, and never a secret.
    """
    return Audit.objects.create(
        action=action,
        by=by,
        user=user,
        account=account,
        subject=subject,
        reason=reason,
        data=dict(data or {}),
    )
