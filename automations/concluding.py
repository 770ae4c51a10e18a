"""The result of an execution, once all its intents have theirs, and who is told."""

from dataclasses import replace

from django.db import transaction

from automations import journal, sagas
from automations.models import Automation, Execution, Intent
from automations.reading import utc_now
from automations.rules.base import Reason, Severity

DONE = {Intent.State.CONFIRMED, Intent.State.SATISFIED}
HARMLESS = {*DONE, Intent.State.SHADOW}
UNDECIDED = {
    Intent.State.PLANNED,
    Intent.State.SENDING,
    Intent.State.UNKNOWN,
    Intent.State.NEEDS_OPERATOR,
}


def conclude(execution: Execution) -> None:
    """Give a pending execution its result, once all its intents have theirs."""
    found = list(execution.intents.order_by("leg"))
    if {Intent.State(intent.state) for intent in found} & UNDECIDED:
        return
    failed = [intent for intent in found if Intent.State(intent.state) not in HARMLESS]
    error, is_closed_only = " ".join(intent.error for intent in failed), sagas.broke_off(found)
    if is_closed_only:
        error = f"{sagas.CLOSED_ONLY} {error}"
    status = _status(found, failed)
    concluded = Execution.objects.filter(pk=execution.pk, finished_at=None)
    changes = {"status": status, "error": error, "trade_id": _trade_id(execution, found)}
    with transaction.atomic():
        if not concluded.update(**changes, finished_at=utc_now()):
            return
        severity = Severity.CRITICAL if failed else Severity.INFO
        code = sagas.CLOSED_ONLY_CODE if is_closed_only else execution.reason_code
        reason = Reason(code, f"{execution.reason_text} {error}".strip(), severity)
        _tell(execution, reason)


def _tell(execution: Execution, reason: Reason) -> None:
    """What was done, or what would have been."""
    kind = execution.event
    if execution.mode == Automation.Mode.SHADOW:
        kind = "shadow_decision"
        reason = replace(reason, text=f"In shadow mode, nothing was sent. {reason.text}")
    journal.tell(execution.automation, reason, kind=kind, execution=str(execution.id))


def _status(found: list[Intent], failed: list[Intent]) -> Execution.Status:
    if failed:
        return Execution.Status.ERROR
    is_done = any(Intent.State(intent.state) in DONE for intent in found)
    return Execution.Status.SUCCESS if is_done else Execution.Status.COMPLETED


def _trade_id(execution: Execution, found: list[Intent]) -> str:
    """The trade that it acted on, or that it opened."""
    return execution.trade_id or next((intent.trade_id for intent in found), "")
