"""Carrying out one automation for one slot, exactly once.

The crash path is the normal path: a run first finishes what an earlier one on the same account
left open, and a redelivered message finds the execution of its slot and does nothing.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from pydantic import TypeAdapter

from accounts.errors import AccountError
from accounts.gateway import open_client
from accounts.models import Event
from accounts.services import record_event
from automations import intents, sensing, turns
from automations.models import Automation, Execution, Intent
from automations.perform import perform
from automations.rules.base import Decision, Finding, Reason, Severity
from automations.rules.registry import kind_of
from automations.sensing import utc_now
from automations.snapshots import Snapshot
from exchanges import feed
from exchanges.client import ExchangeClient
from exchanges.errors import ExchangeError, PermanentError, TransientError, UnknownOutcome

FINDINGS = TypeAdapter(tuple[Finding, ...])


def execute(automation: Automation, *, slot: str, cause: str) -> Execution:
    """Decide on fresh data and act; returns the slot's execution.

    Raises `TransientError` when nothing was sent and it may be tried again.
    """
    started_at = utc_now()
    client = open_client(automation.account)
    with turns.turn(automation.account_id) as fence:
        finish_open(automation.account_id, client, fence)
        done = Execution.objects.filter(automation=automation, slot=slot).first()
        if done:
            return done
        snapshot = sensing.from_exchange(automation, client)
        turns.extend(automation.account_id, fence)
        decision = kind_of(automation.kind).evaluate(snapshot, automation.config)
        execution = _begin(automation, slot, cause, started_at, snapshot, decision)
        intents.plan(execution, decision.actions, snapshot, fence=fence)
        _carry_out(execution, client, fence)
    _note(automation, decision.reason)
    return execution


def finish_open(account_id: UUID, client: ExchangeClient, fence: int) -> None:
    """Finish what earlier runs of this account left open; the turn is ours, so they are over."""
    for execution in Execution.objects.filter(
        account_id=account_id, status=Execution.Status.PENDING
    ).select_related("automation__user", "account"):
        for intent in execution.intents.filter(state=Intent.State.SENDING, fence__lt=fence):
            intents.mark_unknown(intent, "The run that sent it was interrupted.")
        _carry_out(execution, client, fence)


def record_failure(automation: Automation, *, slot: str, cause: str, error: Exception) -> None:
    """Say that the slot's run failed for good, unless an execution says something already.

    What it was sending when it broke off is of unknown outcome.
    """
    text = _words(error)
    if not isinstance(error, TransientError):
        for intent in automation.intents.filter(slot=slot, state=Intent.State.SENDING):
            intents.mark_unknown(intent, f"The run broke off while sending: {text}")
    now = utc_now()
    with transaction.atomic():
        execution, is_new = Execution.objects.get_or_create(
            automation=automation,
            slot=slot,
            defaults={
                "account": automation.account,
                "account_name": automation.account.name,
                "cause": cause,
                "event": kind_of(automation.kind).event,
                "status": Execution.Status.ERROR,
                "reason_code": "failed",
                "reason_text": "The run failed before anything was sent.",
                "error": text,
                "inputs": {},
                "started_at": now,
                "finished_at": now,
            },
        )
        if is_new:
            _tell(execution, Severity.WARNING, f"{execution.reason_text} {text}")


def note_quiet(
    automation: Automation, *, slot: str, snapshot: Snapshot, decision: Decision
) -> None:
    """Remember a check that had nothing to do; a row is written when the reason changed."""
    if automation.reason_code == decision.reason.code:
        _note(automation, decision.reason)
        return
    now = utc_now()
    execution = _begin(automation, slot, Execution.Cause.TICK, snapshot.now, snapshot, decision)
    execution.status, execution.finished_at = Execution.Status.COMPLETED, now
    with transaction.atomic():
        inserted = Execution.objects.bulk_create([execution], ignore_conflicts=True)
        _note(automation, decision.reason)
        if inserted and decision.reason.severity is not Severity.INFO:
            _tell(execution, decision.reason.severity, decision.reason.text)


def note_blind(automation: Automation, error: Exception) -> None:
    """Remember that the automation could not see: stale or absent data is never safe."""
    text = f"It is blind: market or account could not be read. {_words(error)}"
    _note_trouble(automation, Reason("blind", text, Severity.WARNING))


def note_broken(automation: Automation, error: Exception) -> None:
    """Remember that the automation could not be evaluated, for a fault of the platform's own."""
    text = f"It could not be evaluated: {_words(error)}. An operator finds more in the log."
    _note_trouble(automation, Reason("broken", text, Severity.CRITICAL))


def _note_trouble(automation: Automation, reason: Reason) -> None:
    if automation.reason_code != reason.code:
        record_event(
            user=automation.user,
            account=automation.account,
            kind=f"automation_{reason.code}",
            severity=Event.Severity(reason.severity.value),
            message=f"{automation.name}: {reason.text}",
            data={"automation": str(automation.id)},
        )
    _note(automation, reason)


def _words(error: Exception) -> str:
    """What may be shown of an error: only ours are written for users."""
    return str(error) if isinstance(error, (ExchangeError, AccountError)) else type(error).__name__


def _begin(
    automation: Automation,
    slot: str,
    cause: str,
    started_at: datetime,
    snapshot: Snapshot,
    decision: Decision,
) -> Execution:
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


def _carry_out(execution: Execution, client: ExchangeClient, fence: int) -> None:
    for intent in execution.intents.filter(state=Intent.State.PLANNED).order_by("leg"):
        _send(intent, client, fence)
    _conclude(execution)


def _send(intent: Intent, client: ExchangeClient, fence: int) -> None:
    signature = intents.claim(intent, fence=fence)
    if signature is None:
        intents.lapse(intent, "It could no longer be claimed: too late, paused or switched.")
        return
    try:
        answer = perform(client, intents.ACTION.validate_python(intent.action), signature)
    except TransientError as error:
        intents.put_back(intent, str(error))
        raise
    except PermanentError as error:
        intents.reject(intent, str(error))
    except UnknownOutcome as error:
        intents.mark_unknown(intent, str(error))
    else:
        intents.confirm(intent, answer)
    feed.invalidate_holdings(intent.account_id, at=utc_now())


def _conclude(execution: Execution) -> None:
    """Give a pending execution its result, once all its intents have theirs."""
    found = list(execution.intents.order_by("leg"))
    states = {Intent.State(intent.state) for intent in found}
    if states & {Intent.State.PLANNED, Intent.State.SENDING, Intent.State.UNKNOWN}:
        return
    failed = [intent for intent in found if intent.state != Intent.State.CONFIRMED]
    if failed:
        status, error = Execution.Status.ERROR, " ".join(intent.error for intent in failed)
    else:
        status = Execution.Status.SUCCESS if found else Execution.Status.COMPLETED
        error = ""
    concluded = Execution.objects.filter(pk=execution.pk, status=Execution.Status.PENDING)
    with transaction.atomic():
        if not concluded.update(status=status, error=error, finished_at=utc_now()):
            return
        execution.refresh_from_db()
        if found:
            severity = Severity.CRITICAL if failed else Severity.INFO
            _tell(execution, severity, f"{execution.reason_text} {error}".strip())


def _note(automation: Automation, reason: Reason) -> None:
    Automation.objects.filter(pk=automation.pk).update(
        checked_at=utc_now(),
        reason_code=reason.code,
        reason_text=reason.text,
        updated_at=F("updated_at"),
    )


def _tell(execution: Execution, severity: Severity, text: str) -> None:
    record_event(
        user=execution.automation.user,
        account=execution.account,
        kind=execution.event,
        severity=Event.Severity(severity.value),
        message=f"{execution.automation.name}: {text}",
        data={"execution": str(execution.id)},
    )
