"""Runs that a person asks for: the same way as any other, with who asked written down.

A run that is asked for decides like every other. What was asked may narrow what the automation
does, to one kind of action or one trade, and never widens it.
"""

from uuid import uuid4

from django.db import transaction

from accounts.errors import AccountInactive
from accounts.models import Event, User
from accounts.services import record_event
from automations import selectors, tasks
from automations.models import Automation, Execution


def run_now(
    automation: Automation, *, by: User, only_action: str = "", only_trade: str = ""
) -> str:
    """Execute an automation once, now; returns the slot its execution will have.

    Raises `AccountInactive` for one that is paused, or whose account is not the active one.
    """
    if not selectors.runnable([automation.id]):
        raise AccountInactive(
            "It cannot run: it is paused, or its account is not the active one or switched off."
        )
    slot = f"manual:{uuid4()}"
    with transaction.atomic():
        record_event(
            user=automation.user,
            account=automation.account,
            kind="run_requested",
            severity=Event.Severity.INFO,
            message=f"{automation.name}: {by.get_username()} asked for a run.",
            data={"automation": str(automation.id), "slot": slot, "by": by.get_username()},
        )
    tasks.start_execution(
        automation,
        slot=slot,
        cause=Execution.Cause.MANUAL,
        requested_by=by,
        only_action=only_action,
        only_trade=only_trade,
    )
    return slot


def run_all(kind: str, *, user_id: int, by: User) -> list[str]:
    """Execute all running automations of a kind of one user, now; returns their slots."""
    found = selectors.scheduled(user_id).filter(kind=kind).select_related("account__exchange")
    return [run_now(automation, by=by) for automation in found]
