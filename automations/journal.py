"""What is written down about runs and troubles, and who is told; quiet checks: `quiet`."""

import logging
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F
from pydantic import TypeAdapter

from accounts.errors import AccountError
from accounts.models import Event
from accounts.outbox import record_event
from automations import errands, sensing
from automations.metrics import TIMEOUTS
from automations.models import Automation, Errand, Execution, Intent
from automations.reading import utc_now
from automations.rules.base import Decision, Finding, Reason, Severity
from automations.rules.registry import kind_of
from automations.snapshots import Snapshot
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

TIMED_OUT = "automation_timeout"
UNSENT = (Intent.State.PLANNED, Intent.State.LAPSED)

FINDINGS = TypeAdapter(tuple[Finding, ...])


def execution_of(
    automation: Automation,
    *,
    slot: str,
    cause: str,
    started_at: datetime,
    snapshot: Snapshot,
    decision: Decision,
    requested_by: int | None = None,
) -> Execution:
    """An execution that says what was decided and on what; not saved.

    Without actions it is over: `pending` when it waits for something, else `completed`.
    """
    first = decision.actions[0] if decision.actions else None
    is_pending = first is not None or decision.waits
    return Execution(
        automation=automation,
        account=automation.account,
        account_name=automation.account.name,
        slot=slot,
        cause=cause,
        mode=automation.mode,
        requested_by_id=requested_by,
        event=kind_of(automation.kind).event,
        action=first.kind if first else "",
        trade_id=getattr(first, "trade_id", ""),
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        inputs=sensing.as_inputs(snapshot),
        findings=FINDINGS.dump_python(decision.findings, mode="json"),
        memory=automation.memory,
        status=Execution.Status.PENDING if is_pending else Execution.Status.COMPLETED,
        started_at=started_at,
        finished_at=None if first else utc_now(),
    )


def note_decision(automation: Automation, decision: Decision) -> None:
    """Show the decision as the automation's present one, and tell the hindrances that are new.

    Call it in the transaction that records the decision. A hindrance is told once per position,
    and again only after it was gone.
    """
    standing = decision.hindrances
    for key in sorted(standing.keys() - set(automation.told)):
        tell(automation, standing[key], kind="automation_hindered", trade=key.split()[0])
    automation.told = sorted(standing)
    if decision.memory is not None:
        automation.memory = decision.memory.model_dump(mode="json")
    _note(
        automation,
        decision.reason,
        decision.verdict,
        told=automation.told,
        memory=automation.memory,
    )


def record_failure(errand: Errand, error: Exception) -> None:
    """Say that the errand's run failed for good before anything was sent; its errand is over."""
    reason = Reason("failed", "The run failed before anything was sent.", _severity(errand))
    _record_undone(errand, reason, error=words(error))


@transaction.atomic
def tell_timeout(errand: Errand) -> None:
    """Tell, and count, that a run was stopped at its limit, and is tried again."""
    reason = _stopped(errand)
    again = replace(reason, text=f"{reason.text} It is tried again.")
    tell(errand.automation, again, kind=TIMED_OUT)
    TIMEOUTS.labels(errand.automation.kind).inc()


@transaction.atomic
def record_timeout(errand: Errand, *, began_at: datetime) -> None:
    """Say, and count, that a run was stopped at its limit for good; its errand is over.

    An execution of which nothing was sent becomes one of a time-out, and tells of it when it is
    concluded. One of which something was keeps its own reason.
    """
    reason, its_own = _stopped(errand), {"automation": errand.automation, "slot": errand.slot}
    sent = Intent.objects.filter(**its_own).exclude(state__in=UNSENT)
    unsent = Execution.objects.filter(**its_own, finished_at=None).exclude(Exists(sent))
    if unsent.update(event=TIMED_OUT, reason_code=reason.code, reason_text=reason.text):
        errands.finish(errand.automation, errand.slot)
    elif errands.is_done(errand):
        errands.finish(errand.automation, errand.slot)
        tell(errand.automation, reason, kind=TIMED_OUT)
    else:
        _record_undone(errand, reason, event=TIMED_OUT, began_at=began_at)
    TIMEOUTS.labels(errand.automation.kind).inc()


def record_overtaken(errand: Errand) -> None:
    """Say that the errand was dropped, since nobody got to it in time."""
    age = round((utc_now() - errand.created_at).total_seconds())
    text = f"It was dropped {age:,} s after it was found: later ticks decide on what is so now."
    log.warning("Automation %s, %s: %s", errand.automation_id, errand.slot, text)
    reason = Reason("overtaken", text, Severity.WARNING)
    _record_undone(errand, reason)


def record_withdrawn(errand: Errand) -> None:
    """Say that the errand was dropped, since its automation is not to run any more."""
    text = "It was dropped before it acted: it was paused, or its account is no longer the active"
    reason = Reason("withdrawn", f"{text} one.")
    _record_undone(errand, reason)


def _stopped(errand: Errand) -> Reason:
    account, limit = errand.automation.account.name, errand.automation.policy.timeout
    return Reason("timeout", f"{account}: stopped after {limit} s, its limit.", _severity(errand))


def _severity(errand: Errand) -> Severity:
    return Severity.CRITICAL if errand.is_protective else Severity.WARNING


@transaction.atomic
def _record_undone(
    errand: Errand,
    reason: Reason,
    *,
    error: str = "",
    event: str = "",
    began_at: datetime | None = None,
) -> None:
    """Finish the errand with an execution that sent nothing; what is no mere information is an
    error, and told, but only once. `event` is its kind's own unless given."""
    automation, now = errand.automation, utc_now()
    errands.finish(automation, errand.slot)
    is_error = reason.severity is not Severity.INFO
    event = event or kind_of(automation.kind).event
    _, is_new = Execution.objects.get_or_create(
        automation=automation,
        slot=errand.slot,
        defaults={
            "account": automation.account,
            "account_name": automation.account.name,
            "cause": errand.cause,
            "event": event,
            "status": Execution.Status.ERROR if is_error else Execution.Status.COMPLETED,
            "reason_code": reason.code,
            "reason_text": reason.text,
            "error": error,
            "inputs": {},
            "started_at": began_at or now,
            "finished_at": now,
        },
    )
    if is_new and is_error:
        told = replace(reason, text=f"{reason.text} {error}".strip())
        tell(automation, told, kind=event)
        _note(automation, told, reason.code)


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
