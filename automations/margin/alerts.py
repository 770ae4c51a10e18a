"""Alerts: each change in one transaction with its event, and with the errands that it makes.

Of several monitors that see the same change, the one whose statement finds the row as it was
tells of it; the others do nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import Event, ExchangeAccount
from accounts.outbox import record_event
from automations import errands, selectors
from automations.calling import call_a_worker
from automations.margin.danger import BEGINS_AT, Change, Danger
from automations.margin.metrics import ALERTS
from automations.models import Automation, Execution, MarginAlert
from automations.rules.measures import CROSS, PLACES, Position

ACCOUNT = ""
"""What an alert names that is about an account as a whole."""

SEVERITIES = {
    Danger.WARNING: Event.Severity.WARNING,
    Danger.CRITICAL: Event.Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which a change was seen: the last price in USD, the free balance in sats."""

    price: Decimal
    balance: int


def enter(
    account: ExchangeAccount,
    found: Iterable[Change],
    known: Mapping[str, MarginAlert],
    seen: Circumstances,
) -> None:
    """Tell of an account's changes, and call its guards for each that is one for the worse.

    `known` are the alerts that they were found against, by what they name. A change that another
    monitor has told of, or that is not one any more, is left out.
    """
    # In the same order everywhere, so that two monitors never wait for each other.
    found = sorted(found, key=lambda change: change.name)
    is_worse = any(change.is_worse for change in found)
    guards = list(selectors.running_guards(account)) if is_worse else []
    with transaction.atomic():
        for change in found:
            alert = _write(account, change, known.get(change.name), seen)
            if alert is not None:
                _tell(account, change, seen, guards)
            if alert is not None and change.is_worse:
                _alarm(alert, guards)


def blind(account: ExchangeAccount, why: Exception) -> None:
    """Tell, once, that nobody knows how the account stands."""
    with transaction.atomic():
        _, is_new = MarginAlert.objects.get_or_create(
            account=account, trade_id=ACCOUNT, defaults={"level": MarginAlert.Level.BLIND}
        )
        if not is_new:
            return
        record_event(
            kind="margin_unknown",
            severity=Event.Severity.CRITICAL,
            user=account.user,
            account=account,
            message=f"Nobody knows how near to liquidation the positions of {account.name} are: "
            f"it cannot be read. {why}",
        )
    ALERTS.labels(MarginAlert.Level.BLIND).inc()


def sees_again(alert: MarginAlert) -> None:
    """Tell that the account can be read again."""
    message = f"{alert.account.name} can be read again."
    _drop(alert, "margin_recovered", Event.Severity.INFO, message)


def unwatch(alert: MarginAlert) -> None:
    """Tell that nobody looks at what was in danger, since no automation runs there."""
    what = _named(alert.trade_id) if alert.trade_id else "The account"
    message = f"{what} is not watched any more: no automation runs on {alert.account.name}."
    _drop(alert, "margin_unwatched", Event.Severity.WARNING, message)


def _write(
    account: ExchangeAccount, change: Change, known: MarginAlert | None, seen: Circumstances
) -> MarginAlert | None:
    """The alert as it is now, or was to the end; None where it is not as it was known."""
    measured = {"level": change.now, "price": seen.price, "margin_used": _used(change, seen)}
    if known is None:
        alert = MarginAlert(account=account, trade_id=change.name, **measured)
        MarginAlert.objects.bulk_create([alert], ignore_conflicts=True)
        is_ours = MarginAlert.objects.filter(account=account, crossing=alert.crossing).exists()
        return alert if is_ours else None
    if change.now is None:
        return known if _as_known(known).delete()[0] else None
    crossing = uuid4() if change.is_worse else known.crossing
    if not _as_known(known).update(**measured, crossing=crossing, crossed_at=Now()):
        return None
    return MarginAlert(account=account, level=change.now, crossing=crossing)


def _as_known(alert: MarginAlert) -> QuerySet[MarginAlert]:
    return MarginAlert.objects.filter(pk=alert.pk, level=alert.level, crossing=alert.crossing)


def _alarm(alert: MarginAlert, guards: Iterable[Automation]) -> None:
    """Count it, and call the guards."""
    transaction.on_commit(ALERTS.labels(alert.level).inc)
    for guard in guards:
        _call(guard, slot=f"monitor:{alert.crossing}")


def _call(guard: Automation, *, slot: str) -> None:
    """Ahead of all other work, and found by the sweep should the message be lost."""
    cause = Execution.Cause.MONITOR
    errands.accept(guard, slot=slot, cause=cause)
    # A lambda, since Django names the function it logs and a partial has no name.
    transaction.on_commit(lambda: call_a_worker(guard, slot=slot, cause=cause), robust=True)


def _tell(
    account: ExchangeAccount, change: Change, seen: Circumstances, guards: list[Automation]
) -> None:
    if change.position is None:
        kind, severity = "margin_closed", Event.Severity.WARNING
        message = f"{_named(change.name)} is not there any more: closed, or liquidated."
    elif change.now is None:
        kind, severity = "margin_recovered", Event.Severity.INFO
        message = f"{_measured(change.position, seen)} It is out of danger."
    else:
        kind, severity = f"margin_{change.now}", SEVERITIES[change.now]
        message = _measured(change.position, seen) + _said_of(change.now, change.is_worse, guards)
    record_event(
        kind=kind,
        severity=severity,
        user=account.user,
        account=account,
        message=message,
        data=_numbers(change, seen),
    )


def _said_of(level: Danger, is_worse: bool, guards: list[Automation]) -> str:
    if not is_worse:
        return f" It has eased to a {level}."
    acting = [guard.name for guard in guards if guard.mode != Automation.Mode.SHADOW]
    if acting:
        called = f"Called to protect it: {', '.join(acting)}."
    else:
        called = "Nothing protects it: no guard acts on its account."
    return f" {level.capitalize()} from {BEGINS_AT[level]:.0%}. {called}"


def _measured(position: Position, seen: Circumstances) -> str:
    """The sentence with a position's numbers."""
    used = position.margin_used(seen.price)
    text = f"{_named(position.name)} uses {used:.1%} of its margin at {seen.price:,} USD"
    distance = position.liquidation_distance(seen.price)
    if distance is None:
        return f"{text}."
    return f"{text}; liquidation at {position.liquidation_price:,} is {distance:.1%} away."


def _numbers(change: Change, seen: Circumstances) -> dict[str, Any]:
    """For programs: fractions as decimals, prices in USD, the balance in sats."""
    found: dict[str, Any] = {
        "trade_id": change.name,
        "level": change.now,
        "before": change.before,
        "price": seen.price,
        "balance": seen.balance,
    }
    if position := change.position:
        distance = position.liquidation_distance(seen.price)
        found |= {
            "margin_used": _used(change, seen),
            "liquidation_price": position.liquidation_price,
            "liquidation_distance": None if distance is None else distance.quantize(PLACES),
        }
    return found


def _used(change: Change, seen: Circumstances) -> Decimal | None:
    if change.position is None:
        return None
    return change.position.margin_used(seen.price).quantize(PLACES)


def _drop(alert: MarginAlert, kind: str, severity: Event.Severity, message: str) -> None:
    with transaction.atomic():
        if _as_known(alert).delete()[0]:
            record_event(
                kind=kind,
                severity=severity,
                user=alert.account.user,
                account=alert.account,
                message=message,
                data={"trade_id": alert.trade_id},
            )


def _named(name: str) -> str:
    return "The cross-margin position" if name == CROSS else f"Position {name}"
