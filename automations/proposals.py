"""Proposals: what an automation would do, waiting for a person's yes."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from automations import errands, journal, sensing
from automations.intents import ACTION
from automations.models import Automation, Errand, Execution, Proposal
from automations.perform import target_of
from automations.rules.base import Decision, Reason, Severity
from automations.snapshots import Snapshot

OPEN_FOR = timedelta(minutes=15)
"""How long a proposal waits for its yes: prices move."""

State = Proposal.State


class AlreadyDecided(Exception):
    """The proposal was confirmed, declined or has expired; the message says which."""


@transaction.atomic
def propose(errand: Errand, decision: Decision, snapshot: Snapshot) -> None:
    """Ask the owner, unless the last question still waits; the errand is over."""
    automation = errand.automation
    errands.finish(automation, errand.slot)
    journal.note_decision(automation, decision)
    expire()
    proposal = Proposal(
        automation=automation,
        account_id=automation.account_id,
        actions=[_said(automation, action) for action in decision.actions],
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
    """Say no; the automation proposes again when it still wants the same. `AlreadyDecided`."""
    expire()
    _decide(proposal, State.DECLINED, by)


def expire() -> int:
    """Close what waited too long; how many that were."""
    late = Proposal.objects.filter(state=State.OPEN, expires_at__lte=timezone.now())
    return late.update(state=State.EXPIRED)


def _decide(proposal: Proposal, state: Proposal.State, by: User) -> None:
    decided = Proposal.objects.filter(pk=proposal.pk, state=State.OPEN).update(
        state=state, decided_by=by, decided_at=timezone.now()
    )
    proposal.refresh_from_db()
    if not decided:
        raise AlreadyDecided(f"It was {proposal.state} already.")


def _is_stored(proposal: Proposal) -> bool:
    return Proposal.objects.filter(pk=proposal.pk).exists()


def _said(automation: Automation, action: Any) -> dict[str, Any]:
    said: dict[str, Any] = ACTION.dump_python(action, mode="json")
    return {**said, "target": target_of(action, automation.id)}
