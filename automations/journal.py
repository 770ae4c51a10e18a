"""What is written down about every check and run, and who is told.

A quiet tick costs no row: one span per automation and reason, refreshed in place, says since
when and how often it was so. An execution is written when something was done or failed, or when
the reason changed.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from pydantic import TypeAdapter

from accounts.errors import AccountError
from accounts.models import Event
from accounts.outbox import record_event
from automations import errands, sensing
from automations.models import Automation, Execution, QuietSpan
from automations.rules.base import Decision, Finding, Reason, Severity
from automations.rules.registry import kind_of
from automations.sensing import utc_now
from automations.snapshots import Snapshot
from exchanges.errors import ExchangeError

FINDINGS = TypeAdapter(tuple[Finding, ...])


def execution_of(
    automation: Automation,
    *,
    slot: str,
    cause: str,
    started_at: datetime,
    snapshot: Snapshot,
    decision: Decision,
) -> Execution:
    """An execution that says what was decided and on what; not saved."""
    first = decision.actions[0] if decision.actions else None
    return Execution(
        automation=automation,
        account=automation.account,
        account_name=automation.account.name,
        slot=slot,
        cause=cause,
        event=kind_of(automation.kind).event,
        action=first.kind if first else "",
        trade_id=first.trade_id if first else "",
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        inputs=sensing.as_inputs(snapshot),
        findings=FINDINGS.dump_python(decision.findings, mode="json"),
        started_at=started_at,
    )


@transaction.atomic
def record_quiet(
    automation: Automation, *, slot: str, snapshot: Snapshot, decision: Decision
) -> None:
    """Remember a check that had nothing to do; an execution only when its verdict is new."""
    inputs = sensing.as_inputs(snapshot)
    is_known = _continue_span(automation, decision, inputs)
    note_decision(automation, decision)
    if is_known:
        return
    _begin_span(automation, decision, inputs)
    execution = execution_of(
        automation,
        slot=slot,
        cause=Execution.Cause.TICK,
        started_at=snapshot.now,
        snapshot=snapshot,
        decision=decision,
    )
    execution.status, execution.finished_at = Execution.Status.COMPLETED, utc_now()
    Execution.objects.bulk_create([execution], ignore_conflicts=True)


def note_decision(automation: Automation, decision: Decision) -> None:
    """Show the decision as the automation's present one, and tell the hindrances that are new.

    Call it in the transaction that records the decision. A hindrance is told once per position,
    and again only after it was gone.
    """
    standing = decision.hindrances
    for key in sorted(standing.keys() - set(automation.told)):
        tell(automation, standing[key], kind="automation_hindered", trade=key.split()[0])
    automation.told = sorted(standing)
    _note(automation, decision.reason, decision.verdict, told=automation.told)


def record_failure(automation: Automation, *, slot: str, cause: str, error: Exception) -> None:
    """Say that the slot's run failed for good before anything was sent; its errand is over."""
    kind, now = kind_of(automation.kind), utc_now()
    severity = Severity.CRITICAL if kind.is_protective else Severity.WARNING
    text = f"The run failed before anything was sent. {words(error)}"
    with transaction.atomic():
        errands.finish(automation, slot)
        _, is_new = Execution.objects.get_or_create(
            automation=automation,
            slot=slot,
            defaults={
                "account": automation.account,
                "account_name": automation.account.name,
                "cause": cause,
                "event": kind.event,
                "status": Execution.Status.ERROR,
                "reason_code": "failed",
                "reason_text": "The run failed before anything was sent.",
                "error": words(error),
                "inputs": {},
                "started_at": now,
                "finished_at": now,
            },
        )
        if is_new:
            reason = Reason("failed", text, severity)
            tell(automation, reason, kind=kind.event)
            _note(automation, reason, reason.code)


def record_blind(automation: Automation, error: Exception) -> None:
    """Remember that the automation could not see: stale or absent data is never safe."""
    text = f"It is blind: market or account could not be read. {words(error)}"
    _record_trouble(automation, Reason("blind", text, Severity.WARNING))


def record_broken(automation: Automation, error: Exception) -> None:
    """Remember that the automation could not be evaluated, for a fault of the platform's own."""
    text = f"It could not be evaluated: {words(error)}. An operator finds more in the log."
    _record_trouble(automation, Reason("broken", text, Severity.CRITICAL))


def tell(automation: Automation, reason: Reason, *, kind: str, **data: str) -> None:
    """Put it into the owner's outbox; call it in the transaction of what it tells."""
    record_event(
        user=automation.user,
        account=automation.account,
        kind=kind,
        severity=Event.Severity(reason.severity.value),
        message=f"{automation.name}: {reason.text}",
        data={"automation": str(automation.id), "reason": reason.code, **data},
    )


def words(error: Exception) -> str:
    """What may be shown of an error: only ours are written for users."""
    return str(error) if isinstance(error, (ExchangeError, AccountError)) else type(error).__name__


@transaction.atomic
def _record_trouble(automation: Automation, reason: Reason) -> None:
    if automation.verdict != reason.code:
        tell(automation, reason, kind=f"automation_{reason.code}")
    _note(automation, reason, reason.code)


def _note(automation: Automation, reason: Reason, verdict: str, **changes: object) -> None:
    Automation.objects.filter(pk=automation.pk).update(
        checked_at=utc_now(),
        reason_code=reason.code,
        reason_text=reason.text,
        verdict=verdict,
        updated_at=F("updated_at"),
        **changes,
    )


def _continue_span(automation: Automation, decision: Decision, inputs: dict[str, Any]) -> bool:
    """Prolong the automation's last span if the verdict is still the same."""
    if automation.verdict != decision.verdict:
        return False
    last = QuietSpan.objects.filter(automation=automation).order_by("-id").values("pk")[:1]
    continued = QuietSpan.objects.filter(pk__in=last, verdict=decision.verdict).update(
        last_seen_at=utc_now(),
        count=F("count") + 1,
        reason_text=decision.reason.text,
        latest_inputs=inputs,
    )
    return bool(continued)


def _begin_span(automation: Automation, decision: Decision, inputs: dict[str, Any]) -> None:
    now = utc_now()
    QuietSpan.objects.create(
        automation=automation,
        verdict=decision.verdict,
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        first_seen_at=now,
        last_seen_at=now,
        first_inputs=inputs,
        latest_inputs=inputs,
    )
