"""What a person asks for: a run now, or what an automation has proposed. With who asked, always.

A run that is asked for decides like every other. What was asked may narrow what the automation
does, to one kind of action or one trade, and never widens it.
"""

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models.functions import Now

from accounts.errors import AccountInactive
from accounts.models import Event, User
from accounts.outbox import record_event
from automations import changes, errands, pausing, proposals, selectors
from automations.calling import call_a_worker
from automations.models import Automation, Execution, Proposal

RUNS_PER_MINUTE = 30
"""How many runs of one owner's automations may be asked for, by whomever."""

REQUESTED = "run_requested"


class TooManyRuns(Exception):
    """The owner's automations were asked to run too often; the message says how often they may."""


def run_now(
    automation: Automation, *, by: User, only_action: str = "", only_trade: str = ""
) -> str:
    """Execute an automation once, now; returns the slot its execution will have.

    `only_action` is a kind of action, such as `add_margin`. Raises `TooManyRuns`, and
    `AccountInactive` for one that is paused, or whose account is not the active one.
    """
    _require_patience(automation.user)
    _require_runnable(automation)
    return _start(automation, by, only_action=only_action, only_trade=only_trade)


def run_all(kind: str, *, user: User, by: User) -> dict[Automation, str]:
    """Execute all running automations of a kind of one user, now; returns their slots.

    They count as one run that is asked for, so that none of them is left out. Raises
    `TooManyRuns`.
    """
    _require_patience(user)
    found = selectors.scheduled(user.pk).filter(kind=kind)
    return {each: _start(each, by) for each in found.select_related("account__exchange", "user")}


def confirm(proposal: Proposal, *, by: User) -> str:
    """Have what was proposed done, as far as it is still wanted; returns its execution's slot.

    Raises `AlreadyDecided`, and `AccountInactive` when its automation cannot run now.
    """
    _require_runnable(proposal.automation)
    slot = proposals.confirm(proposal, by=by)
    call_a_worker(proposal.automation, slot=slot, cause=Execution.Cause.CONFIRMED)
    return slot


def _start(automation: Automation, by: User, **asked: str) -> str:
    slot, cause = f"manual:{uuid4()}", Execution.Cause.MANUAL
    with transaction.atomic():
        record_event(
            user=automation.user,
            account=automation.account,
            kind=REQUESTED,
            severity=Event.Severity.INFO,
            message=f"{automation.name}: {by.get_username()} asked for a run.",
            data={"automation": str(automation.id), "slot": slot, "by": by.get_username(), **asked},
        )
        changes.record(REQUESTED, automation, by=by, data={"slot": slot, **asked})
        errands.accept(automation, slot=slot, cause=cause, requested_by=by, **asked)
    call_a_worker(automation, slot=slot, cause=cause)
    return slot


def _require_runnable(automation: Automation) -> None:
    if not selectors.runnable([automation.id]):
        paused = pausing.said(pausing.pauses_of([automation])[automation.id])
        why = paused or "Its account is not the active one, or switched off."
        raise AccountInactive(f"It cannot run. {why}")


def _require_patience(owner: User) -> None:
    asked = Event.objects.filter(
        user=owner, kind=REQUESTED, created_at__gt=Now() - timedelta(minutes=1)
    )
    if asked.count() >= RUNS_PER_MINUTE:
        raise TooManyRuns(f"At most {RUNS_PER_MINUTE} runs may be asked for in a minute: wait.")
