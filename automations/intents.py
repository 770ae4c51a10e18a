"""Intents: written before anything leaves, claimed by one run, settled by what came back.

Every change of state is one conditional update: it hits one row, or nothing happened. A state
only ever follows from a definite answer; what is not known stays `unknown`, is never sent
again, and a person hears of it.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from pydantic import TypeAdapter

from accounts.models import Event, User
from accounts.services import record_event
from automations.models import Automation, Execution, Intent, TradeLog, Turn
from automations.perform import cost_of, target_of
from automations.rules.base import Action
from automations.sensing import past_actions, unsettled_trades, utc_now
from automations.snapshots import Snapshot
from automations.turns import AccountBusy
from exchanges.client import Signature
from exchanges.types import Trade

CLAIM_WITHIN = timedelta(seconds=20)
SEND_WITHIN = timedelta(seconds=5)
"""How long after its signing a request's first byte may leave: well inside the exchange's
window, with room for queueing at its edge."""

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
TRADE = TypeAdapter(Trade)


@transaction.atomic
def plan(
    execution: Execution, actions: tuple[Action, ...], snapshot: Snapshot, *, fence: int
) -> None:
    """Write an execution and its intents, all or nothing.

    The turn's row is locked meanwhile, and what the decision counted against its caps must still
    be so; raises `AccountBusy` when it is not, or when the turn is lost.
    """
    held = Turn.objects.select_for_update().filter(
        account_id=execution.account_id, fence=fence, until__gt=Now()
    )
    if not held.exists():
        raise AccountBusy("The account's turn was lost to another run.")
    if _counted(execution.automation) != (snapshot.past, snapshot.unsettled):
        raise AccountBusy("Something was sent for this account since the decision was made.")
    generation = User.objects.values_list("account_generation", flat=True).get(
        pk=execution.automation.user_id
    )
    execution.save(force_insert=True)
    Intent.objects.bulk_create(
        _intent(execution, action, leg, snapshot, generation) for leg, action in enumerate(actions)
    )


def claim(intent: Intent, *, fence: int) -> Signature | None:
    """Make `intent` ours to send, or return None; commits before returning.

    Checked in the same statement: still planned and within its deadline, the turn still ours,
    the automation still active, the user's account not switched since.
    """
    signed_at = utc_now()
    try:
        with transaction.atomic():
            claimed = _claimable(intent, fence).update(
                state=Intent.State.SENDING, fence=fence, signed_at=signed_at, error=""
            )
            if not claimed:
                return None
            _log(intent, signed_at=signed_at)
    except IntegrityError:
        return None  # another intent on the same target is under way or unknown
    intent.refresh_from_db()
    return Signature(signed_at, min(intent.deadline, signed_at + SEND_WITHIN))


def put_back(intent: Intent, error: str) -> None:
    """Nothing was done, for certain: the intent may be claimed again until its deadline."""
    if _move(intent, {Intent.State.SENDING}, Intent.State.PLANNED, error):
        _close_log(intent, "not_sent", error=error)


def confirm(intent: Intent, answer: Trade) -> None:
    """The exchange said it is done."""
    if _settle(intent, Intent.State.CONFIRMED):
        _close_log(intent, "confirmed", answer=answer)


def reject(intent: Intent, error: str) -> None:
    """The exchange declined it, or the request was wrong."""
    if _settle(intent, Intent.State.REJECTED, error):
        _close_log(intent, "rejected", error=error)


def lapse(intent: Intent, error: str) -> None:
    """It was not sent, and no longer will be."""
    _move(intent, {Intent.State.PLANNED}, Intent.State.LAPSED, error)


@transaction.atomic
def mark_unknown(intent: Intent, error: str) -> None:
    """It was sent, or may have been, and what became of it is not known: block, and alert."""
    if not _move(intent, {Intent.State.SENDING}, Intent.State.UNKNOWN, error):
        return
    _close_log(intent, "unknown", error=error)
    record_event(
        user=intent.automation.user,
        account=intent.account,
        kind="outcome_unknown",
        severity=Event.Severity.CRITICAL,
        message=(
            f"{intent.automation.name}: {intent.action['kind']} on {intent.target} was sent, "
            "and the exchange's answer is not known. Nothing more is sent for this position "
            "until someone has looked at the exchange."
        ),
        data={"intent": str(intent.id)},
    )


def _counted(automation: Automation) -> tuple[object, object]:
    return past_actions(automation), unsettled_trades(automation.account_id)


def _intent(
    execution: Execution, action: Action, leg: int, snapshot: Snapshot, generation: int
) -> Intent:
    trades = {trade.id: trade for trade in snapshot.holdings.value.trades}
    return Intent(
        execution=execution,
        automation=execution.automation,
        account_id=execution.account_id,
        slot=execution.slot,
        leg=leg,
        generation=generation,
        target=target_of(action),
        action=ACTION.dump_python(action, mode="json"),
        sats=cost_of(action),
        seen=TRADE.dump_python(trades[action.trade_id], mode="json"),
        deadline=utc_now() + CLAIM_WITHIN,
    )


def _claimable(intent: Intent, fence: int) -> QuerySet[Intent]:
    turn = Turn.objects.filter(account=OuterRef("account"), fence=fence, until__gt=Now())
    active = Automation.objects.filter(
        pk=OuterRef("automation"), is_active=True, account__is_active=True
    )
    same_generation = User.objects.filter(
        pk=intent.automation.user_id, account_generation=OuterRef("generation")
    )
    return Intent.objects.filter(
        Exists(turn),
        Exists(active),
        Exists(same_generation),
        pk=intent.pk,
        state=Intent.State.PLANNED,
        deadline__gt=Now(),
    )


def _settle(intent: Intent, state: Intent.State, error: str = "") -> bool:
    """A definite answer settles what is under way, and what was given up as unknown meanwhile."""
    return _move(intent, {Intent.State.SENDING, Intent.State.UNKNOWN}, state, error)


def _move(intent: Intent, before: set[Intent.State], state: Intent.State, error: str = "") -> bool:
    is_over = state in (Intent.State.CONFIRMED, Intent.State.REJECTED, Intent.State.LAPSED)
    moved = Intent.objects.filter(
        Q(fence=intent.fence) if intent.fence else Q(fence__isnull=True),
        pk=intent.pk,
        state__in=before,
    ).update(state=state, error=error, settled_at=Now() if is_over else None)
    intent.refresh_from_db()
    return bool(moved)


def _log(intent: Intent, *, signed_at: datetime) -> None:
    TradeLog.objects.create(
        intent=intent,
        account_id=intent.account_id,
        account_name=intent.account.name,
        action=intent.action["kind"],
        trade_id=intent.action["trade_id"],
        sats=intent.sats,
        sent_at=signed_at,
    )


def _close_log(
    intent: Intent, outcome: str, *, answer: Trade | None = None, error: str = ""
) -> None:
    TradeLog.objects.filter(intent=intent, outcome__in=("sending", "unknown")).update(
        outcome=outcome,
        answer=answer and TRADE.dump_python(answer, mode="json"),
        error=error,
        answered_at=utc_now(),
    )
