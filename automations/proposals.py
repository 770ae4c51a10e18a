"""Proposals: what an automation would do, waiting for a person's yes."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import record_audit
from accounts.models import User
from automations import errands, journal, sensing
from automations.intents import ACTION
from automations.models import Automation, Errand, Execution, Proposal
from automations.perform import target_of
from automations.rules.base import Decision, Reason, Severity
from automations.snapshots import Snapshot

OPEN_FOR = timedelta(minutes=15)
"""How long a proposal waits for its yes: prices move."""

DECLINED_FOR = timedelta(hours=1)
"""How long what was declined is not proposed again by a tick."""

State = Proposal.State


class AlreadyDecided(Exception):
    """The proposal was confirmed, declined or has expired; the message says which."""


def answer_to(automation: Automation, decision: Decision) -> Reason | None:
    """Why a tick need not ask for these actions: they are asked for, or were just declined."""
    late = timezone.now() - DECLINED_FOR
    for asked in automation.proposals.filter(
        Q(state=State.OPEN, expires_at__gt=timezone.now())
        | Q(state=State.DECLINED, decided_at__gt=late)
    ):
        if asked.state == State.OPEN:
            return Reason("confirmation_wanted", "It waits for a person's yes.")
        if asked.decided_at and _wishes(asked.actions) == _wishes(_all_said(automation, decision)):
            until = asked.decided_at + DECLINED_FOR
            return Reason("declined", f"A person said no; it asks again from {until:%H:%M} UTC on.")
    return None


@transaction.atomic
def propose(execution: Execution, errand: Errand, decision: Decision, snapshot: Snapshot) -> None:
    """Ask the owner, unless the last question still waits; `execution` says so, and is over."""
    automation = errand.automation
    errands.finish(automation, errand.slot)
    journal.note_decision(automation, decision)
    expire()
    execution.finished_at = timezone.now()
    Execution.objects.bulk_create([execution], ignore_conflicts=True)
    proposal = Proposal(
        automation=automation,
        account_id=automation.account_id,
        actions=_all_said(automation, decision),
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        inputs=sensing.as_inputs(snapshot),
        expires_at=timezone.now() + OPEN_FOR,
    )
    if Proposal.objects.bulk_create([proposal], ignore_conflicts=True) and _is_stored(proposal):
        text = f"{decision.reason.text} Please confirm until {proposal.expires_at:%H:%M} UTC."
        reason = Reason("proposed", text, Severity.CRITICAL)
        journal.tell(automation, reason, kind="confirmation_wanted", proposal=str(proposal.id))


def confirm(proposal: Proposal, *, by: User) -> str:
    """Say yes: returns the slot under which it is carried out. Raises `AlreadyDecided`."""
    expire()
    slot = f"confirmed:{proposal.id}"
    with transaction.atomic():
        _decide(proposal, State.CONFIRMED, by)
        errands.accept(
            proposal.automation,
            slot=slot,
            cause=Execution.Cause.CONFIRMED,
            requested_by=by,
            proposal=proposal,
        )
    return slot


def decline(proposal: Proposal, *, by: User) -> None:
    """Say no; the same is proposed again after `DECLINED_FOR`. Raises `AlreadyDecided`."""
    expire()
    _decide(proposal, State.DECLINED, by)


def expire() -> int:
    """Close what waited too long; how many that were."""
    late = Proposal.objects.filter(state=State.OPEN, expires_at__lte=timezone.now())
    return late.update(state=State.EXPIRED)


@transaction.atomic
def _decide(proposal: Proposal, state: Proposal.State, by: User) -> None:
    decided = Proposal.objects.filter(pk=proposal.pk, state=State.OPEN).update(
        state=state, decided_by=by, decided_at=timezone.now()
    )
    proposal.refresh_from_db()
    if not decided:
        raise AlreadyDecided(f"It was {proposal.state} already.")
    automation = proposal.automation
    record_audit(
        f"proposal_{state}",
        by=by,
        subject=f"proposal/{proposal.pk}",
        user=automation.user,
        account=proposal.account,
        data={"automation": str(automation.pk), "actions": proposal.actions},
    )


def _is_stored(proposal: Proposal) -> bool:
    return Proposal.objects.filter(pk=proposal.pk).exists()


def _all_said(automation: Automation, decision: Decision) -> list[dict[str, Any]]:
    return [_said(automation, action) for action in decision.actions]


def _wishes(actions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What actions want, whatever the amounts at the present price."""
    return [(action["kind"], action["target"]) for action in actions]


def _said(automation: Automation, action: Any) -> dict[str, Any]:
    said: dict[str, Any] = ACTION.dump_python(action, mode="json")
    return {**said, "target": target_of(action, automation.id)}
