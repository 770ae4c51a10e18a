"""Checks that had nothing to do, of many automations at once.

A quiet tick costs no row: one span per automation and verdict, refreshed in place, says since
when and how often it was so. An execution is written only where the verdict is new. So a batch
costs the same few statements for one automation and for many.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from automations import journal, sensing
from automations.models import Automation, Execution, QuietSpan
from automations.reading import utc_now
from automations.rules.base import Decision
from automations.snapshots import Snapshot

TICK = ("last_slot", "lateness_ms")


@dataclass(frozen=True, slots=True)
class QuietCheck:
    """An automation that was looked at for `slot`, and has nothing to do."""

    automation: Automation
    slot: str
    snapshot: Snapshot
    decision: Decision


@transaction.atomic
def record(checks: Sequence[QuietCheck]) -> None:
    """Remember the checks, one per automation, all or nothing."""
    verdicts = _lock_verdicts([check.automation.id for check in checks])
    spans = _last_spans(verdicts)
    continued: list[tuple[QuietCheck, QuietSpan]] = []
    changed: list[Automation] = []
    for check in checks:
        verdict, span = check.decision.verdict, spans.get(check.automation.id)
        if span and verdict == span.verdict == verdicts[check.automation.id]:
            continued.append((check, span))
        else:
            _begin_span(check)
            changed.append(check.automation)
    _prolong(continued)
    Automation.objects.bulk_update(changed, TICK)


@transaction.atomic
def record_ticks(automations: Sequence[Automation]) -> None:
    """Remember for which ticks automations were looked at that have something to do."""
    _lock_verdicts([automation.id for automation in automations])
    Automation.objects.bulk_update(automations, TICK)


def _lock_verdicts(ids: Collection[UUID]) -> dict[UUID, str]:
    """The present verdicts, which nobody changes meanwhile; in order, so that no two batches
    wait for each other.
    """
    rows = Automation.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return dict(rows.values_list("pk", "verdict"))


def _last_spans(ids: Collection[UUID]) -> dict[UUID, QuietSpan]:
    last = QuietSpan.objects.filter(automation=OuterRef("pk")).order_by("-id").values("pk")[:1]
    lasts = Automation.objects.filter(pk__in=ids).values(last=Subquery(last))
    spans = QuietSpan.objects.filter(pk__in=lasts).defer("first_inputs", "latest_inputs")
    return {span.automation_id: span for span in spans}


def _prolong(continued: Sequence[tuple[QuietCheck, QuietSpan]]) -> None:
    now = utc_now()
    for check, span in continued:
        automation, reason = check.automation, check.decision.reason
        automation.checked_at = span.last_seen_at = now
        if check.decision.memory is not None:
            automation.memory = check.decision.memory.model_dump(mode="json")
        automation.reason_code = reason.code
        automation.reason_text = span.reason_text = reason.text
        span.latest_inputs = sensing.as_inputs(check.snapshot)
        span.count += 1
    QuietSpan.objects.bulk_update(
        [span for _, span in continued], ["last_seen_at", "count", "reason_text", "latest_inputs"]
    )
    Automation.objects.bulk_update(
        [check.automation for check, _ in continued],
        ["checked_at", "reason_code", "reason_text", "memory", *TICK],
    )


def _begin_span(check: QuietCheck) -> None:
    automation, decision, now = check.automation, check.decision, utc_now()
    journal.note_decision(automation, decision)
    execution = journal.execution_of(
        automation,
        slot=check.slot,
        cause=Execution.Cause.TICK,
        started_at=check.snapshot.now,
        snapshot=check.snapshot,
        decision=decision,
    )
    Execution.objects.bulk_create([execution], ignore_conflicts=True)
    QuietSpan.objects.create(
        automation=automation,
        verdict=decision.verdict,
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        first_seen_at=now,
        last_seen_at=now,
        first_inputs=execution.inputs,
        latest_inputs=execution.inputs,
    )
