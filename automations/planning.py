"""From a decision to rows: what is wanted is committed before anything leaves.

One transaction holds the row of the account's turn, counts again what the decision counted
against its caps, and writes execution, intents, the rule's memory, and what is to be told.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import User
from automations import errands, journal
from automations.intents import ACTION, TRADE
from automations.models import Automation, Execution, Intent, Turn
from automations.past import Past, recall
from automations.perform import (
    cost_of,
    is_idempotent,
    is_opening,
    needs_the_one_before,
    spent_by,
    target_of,
)
from automations.rules.actions import Action
from automations.rules.base import Decision
from automations.snapshots import Snapshot
from automations.turns import AccountBusy

CLAIM_WITHIN = timedelta(seconds=10)
"""How long after the decision an intent may be claimed: no old wish is ever sent. It is measured
by the database's clock, since the one of a machine may be wrong."""

FOLLOW_WITHIN = timedelta(seconds=60)
"""The same for a step that waits for the one before it, whose outcome may have to be read back."""


@transaction.atomic
def plan(execution: Execution, decision: Decision, snapshot: Snapshot, *, fence: int) -> None:
    """Write an execution, its intents and what is to be told of it, all or nothing.

    The turn's row is locked meanwhile, and what the decision counted against its caps must still
    be so; raises `AccountBusy` when it is not, or when the turn is lost.
    """
    _hold_turn(execution, fence)
    automation = execution.automation
    running = [trade.id for trade in snapshot.holdings.value.trades]
    if recall([automation], running)[automation.id] != Past.seen_in(snapshot):
        raise AccountBusy("Something was sent for this account since the decision was made.")
    generation = User.objects.values_list("account_generation", flat=True).get(
        pk=automation.user_id
    )
    execution.save(force_insert=True)
    errands.finish(automation, execution.slot)
    Intent.objects.bulk_create(
        _intent(execution, action, leg, snapshot, generation)
        for leg, action in enumerate(decision.actions)
    )
    journal.note_decision(automation, decision)


def _hold_turn(execution: Execution, fence: int) -> None:
    held = Turn.objects.select_for_update().filter(
        account_id=execution.account_id, fence=fence, until__gt=Now()
    )
    if not held.exists():
        raise AccountBusy("The account's turn was lost to another run.")


def _intent(
    execution: Execution, action: Action, leg: int, snapshot: Snapshot, generation: int
) -> Intent:
    is_shadow = execution.mode == Automation.Mode.SHADOW
    return Intent(
        execution=execution,
        automation=execution.automation,
        account_id=execution.account_id,
        slot=execution.slot,
        leg=leg,
        generation=generation,
        target=target_of(action, execution.automation_id),
        action=ACTION.dump_python(action, mode="json"),
        trade_id=getattr(action, "trade_id", ""),
        sats=cost_of(action, snapshot.price),
        spent=spent_by(action),
        state=Intent.State.SHADOW if is_shadow else Intent.State.PLANNED,
        is_idempotent=is_idempotent(action),
        is_opening=is_opening(action),
        seen=_seen(action, snapshot),
        deadline=Now() + (FOLLOW_WITHIN if needs_the_one_before(action) else CLAIM_WITHIN),
    )


def _seen(action: Action, snapshot: Snapshot) -> dict[str, Any] | None:
    """The trade an action acts on, as it was when it was decided."""
    trades = {trade.id: trade for trade in snapshot.holdings.value.trades}
    found = trades.get(getattr(action, "trade_id", ""))
    return None if found is None else TRADE.dump_python(found, mode="json")
