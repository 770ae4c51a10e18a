"""The outbox: what happened to whom, written in the transaction that made it happen."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.models import Event, ExchangeAccount, User


def record_events(
    users: Iterable[User],
    *,
    kind: str,
    severity: Event.Severity,
    message: str,
    account: ExchangeAccount | None = None,
) -> None:
    """The same for many users at once, in one statement."""
    Event.objects.bulk_create(
        Event(kind=kind, severity=severity, user=user, account=account, message=message)
        for user in users
    )


def record_event(
    *,
    kind: str,
    severity: Event.Severity,
    user: User,
    message: str,
    account: ExchangeAccount | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Put what happened into the outbox; call it in the transaction of the change itself.

    `data` is anything Django's JSON encoder writes (decimals and times as strings), and never
    a secret: events are shown to users and delivered to their channels.
    """
    return Event.objects.create(
        kind=kind,
        severity=severity,
        user=user,
        account=account,
        message=message,
        data=dict(data or {}),
    )
