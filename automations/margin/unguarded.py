"""Positions that lost their guards, by a switch to another account or by a pause.

What takes the guards away may ask no exchange, so its transaction writes one row that names them
and no position: those are still to be listed. The monitor does that as soon as it has read the
account, a few seconds later, and after a crash just the same: then a row for each position that a
guard was meant to protect takes its place, and one event lists them. From then on the account is
watched whether anything runs on it or not, and its margin alerts go on, until each of them is
closed or guarded again. Their owner is reminded every hour until everything is acknowledged.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import ValidationError

from accounts.audit import record_audit
from accounts.models import Event, ExchangeAccount, User
from accounts.outbox import record_event
from automations import selectors
from automations.margin.danger import positions_of
from automations.models import Automation, UnguardedPosition
from automations.rules.measures import CROSS, Position
from automations.rules.registry import kind_of
from automations.rules.scope import Scope
from exchanges.types import Aged, Holdings

UNKNOWN = ""
"""The `trade_id` of a row whose positions are still to be listed."""

REMIND_EVERY = timedelta(hours=1)

LISTED, REMINDER = "unguarded_positions", "unguarded_reminder"

_NOT_ACKNOWLEDGED = {"acknowledged_by": None, "acknowledged_at": None}

End = UnguardedPosition.End


def note_switch(*, left: ExchangeAccount | None, **kwargs: Any) -> None:
    """Write down, in the transaction of a switch, what was guarding the account that was left."""
    if left is None:
        return
    guards = sorted(guard.name for guard in _guards_of(left))
    note_loss(left, guards)
    if guards and not left.is_connected:
        _tell(
            left,
            LISTED,
            f"{left.name} is disconnected: what it still holds cannot be seen any more, and"
            f" nothing guards it. Guarded until now: by {', '.join(guards)}.",
        )


def running_on(account: ExchangeAccount) -> list[str]:
    """The names of what protects the account now."""
    return sorted(each.name for each in selectors.running_guards(account) & _guards_of(account))


def note_loss(account: ExchangeAccount, guards: Sequence[str]) -> None:
    """Write down, in the transaction that takes these guards away, what guarded the account."""
    if guards:
        UnguardedPosition.objects.update_or_create(
            account=account,
            trade_id=UNKNOWN,
            ended_at=None,
            defaults={"guards": list(guards), "lost_at": Now(), **_NOT_ACKNOWLEDGED},
        )


def settle(account: ExchangeAccount, holdings: Aged[Holdings]) -> None:
    """List what is to be listed, and end what is closed or guarded again, as the account stands."""
    positions = {position.name: position for position in positions_of(holdings.value)}
    with transaction.atomic():
        rows = list(_open(account).select_for_update())
        guarded = _scopes(selectors.running_guards(account) & _guards_of(account))
        for row in (each for each in rows if each.trade_id != UNKNOWN):
            position = positions.get(row.trade_id)
            if position is None and _is_read(row.trade_id, holdings.value):
                _end(row, End.CLOSED)
            elif position is not None and _includes(guarded, position):
                _end(row, End.GUARDED)
        for row in (each for each in rows if each.trade_id == UNKNOWN):
            if holdings.at >= row.lost_at:
                left = [each for each in positions.values() if not _includes(guarded, each)]
                _list(row, left, has_cross=holdings.value.cross is not None)


def acknowledge(row: UnguardedPosition, *, by: User) -> bool:
    """Note that its owner, or an operator, knows; False when it was noted or is over already."""
    rows = UnguardedPosition.objects.filter(pk=row.pk, ended_at=None, acknowledged_at=None)
    with transaction.atomic():
        if not rows.update(acknowledged_by=by, acknowledged_at=timezone.now()):
            return False
        record_audit(
            "unguarded_acknowledged",
            by=by,
            subject=f"unguarded/{row.pk}",
            user=row.account.user,
            account=row.account,
            data={"trade_id": row.trade_id, "guards": row.guards},
        )
    return True


def remind() -> None:
    """Remind the owners of what was not acknowledged, each account once per hour."""
    waiting = UnguardedPosition.objects.filter(
        ended_at=None, acknowledged_at=None, lost_at__lte=Now() - REMIND_EVERY
    )
    accounts = ExchangeAccount.objects.filter(unguarded_positions__in=waiting).distinct()
    for account in accounts.select_related("user"):
        _remind(account)


def _remind(account: ExchangeAccount) -> None:
    with transaction.atomic():
        # Their lock lets two monitors look one after the other.
        rows = list(_open(account).filter(acknowledged_at=None).select_for_update())
        told = Event.objects.filter(
            user=account.user,
            account=account,
            kind__in=[LISTED, REMINDER],
            created_at__gt=timezone.now() - REMIND_EVERY,
        )
        if rows and not told.exists():
            names = ", ".join(row.trade_id or "positions that could not be read" for row in rows)
            _tell(
                account,
                REMINDER,
                f"Nothing guards on {account.name}: {names}. Acknowledge it, close them, or let"
                " them be guarded again.",
                positions=[row.trade_id for row in rows],
            )


def _list(row: UnguardedPosition, unguarded: Iterable[Position], *, has_cross: bool) -> None:
    """Put a row per position that one of the guards was meant for in the place of this one."""
    named = Automation.objects.filter(account=row.account, name__in=row.guards)
    meant = _scopes(named.filter(kind__in=selectors.PROTECTIVE))
    if not has_cross and any(scope.cross for scope in meant):
        return
    # Guards that were renamed or changed meanwhile may have been meant for anything.
    found = [position for position in unguarded if not meant or _includes(meant, position)]
    _end(row, End.LISTED)
    for position in found:
        UnguardedPosition.objects.update_or_create(
            account=row.account,
            trade_id=position.name,
            ended_at=None,
            defaults={
                "guards": row.guards,
                "seen": _seen(position),
                "lost_at": row.lost_at,
                **_NOT_ACKNOWLEDGED,
            },
        )
    if found:
        _tell_listed(row, found)


def _tell_listed(row: UnguardedPosition, found: Sequence[Position]) -> None:
    names = ", ".join(position.name for position in found)
    _tell(
        row.account,
        LISTED,
        f"Positions of {row.account.name} have lost their guard ({', '.join(row.guards)}): {names}."
        " Alerts for them go on; acknowledge that nothing guards them, close them, or let it guard"
        " them again.",
        positions=[{"trade_id": each.name, **_seen(each)} for each in found],
        guards=row.guards,
    )


def _open(account: ExchangeAccount) -> QuerySet[UnguardedPosition]:
    return UnguardedPosition.objects.filter(account=account, ended_at=None)


def _end(row: UnguardedPosition, end: UnguardedPosition.End) -> None:
    UnguardedPosition.objects.filter(pk=row.pk, ended_at=None).update(ended=end, ended_at=Now())


def _guards_of(account: ExchangeAccount) -> QuerySet[Automation]:
    """What protects the account whenever it is the active one; what only records does not."""
    guards = Automation.objects.filter(
        account=account, is_active=True, kind__in=selectors.PROTECTIVE
    )
    return guards.exclude(mode=Automation.Mode.SHADOW)


def _scopes(guards: Iterable[Automation]) -> list[Scope]:
    """What each is meant for; one whose config does not parse protects nothing."""
    scopes = []
    for guard in guards:
        with suppress(ValidationError):
            scopes.append(kind_of(guard.kind).parse(guard.config).scope)
    return scopes


def _includes(scopes: Iterable[Scope], position: Position) -> bool:
    return any(scope.includes(position) for scope in scopes)


def _is_read(name: str, holdings: Holdings) -> bool:
    return name != CROSS or holdings.cross is not None


def _seen(position: Position) -> dict[str, Any]:
    """As JSON: USD as text, margin in sats."""
    level = position.liquidation_price
    return {
        "side": position.side.value,
        "quantity": position.quantity,
        "price": str(position.basis),
        "margin": position.margin,
        "liquidation_price": None if level is None else str(level),
    }


def _tell(account: ExchangeAccount, kind: str, message: str, **data: Any) -> None:
    record_event(
        kind=kind,
        severity=Event.Severity.CRITICAL,
        user=account.user,
        account=account,
        message=message,
        data=data,
    )
