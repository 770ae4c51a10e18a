"""Intents: written before anything leaves, claimed by one run, settled by what came back.

Every change of state is one conditional update: it hits one row, or nothing happened. A state
only ever follows from a definite answer; what is not known stays `unknown`, is never sent
again, and a person hears of it.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from pydantic import TypeAdapter

from accounts.models import User
from automations import errands, journal
from automations.memory import Memory, recall
from automations.models import Automation, Execution, Intent, TradeLog, Turn
from automations.perform import cost_of, is_idempotent, target_of
from automations.rules.base import Action, Decision, Reason, Severity
from automations.sensing import utc_now
from automations.snapshots import Snapshot
from automations.turns import AccountBusy
from exchanges.client import Signature
from exchanges.types import Trade

CLAIM_WITHIN = timedelta(seconds=10)
"""How long after the decision an intent may be claimed: no old wish is ever sent. It is measured
by the database's clock, since the one of a machine may be wrong."""

SEND_WITHIN = timedelta(seconds=5)
"""How long after its signing a request's first byte may leave: well inside the exchange's
window, with room for queueing at its edge."""

ONE_PER_TARGET = "intent_one_open_per_target"
OPEN_OUTCOMES = ("sending", "unknown", "needs_operator", "lapsed")

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
TRADE = TypeAdapter(Trade)


@transaction.atomic
def plan(execution: Execution, decision: Decision, snapshot: Snapshot, *, fence: int) -> None:
    """Write an execution, its intents and what is to be told of it, all or nothing.

    The turn's row is locked meanwhile, and what the decision counted against its caps must still
    be so; raises `AccountBusy` when it is not, or when the turn is lost.
    """
    held = Turn.objects.select_for_update().filter(
        account_id=execution.account_id, fence=fence, until__gt=Now()
    )
    if not held.exists():
        raise AccountBusy("The account's turn was lost to another run.")
    if _counted(execution.automation, snapshot) != _seen_in(snapshot):
        raise AccountBusy("Something was sent for this account since the decision was made.")
    generation = User.objects.values_list("account_generation", flat=True).get(
        pk=execution.automation.user_id
    )
    execution.save(force_insert=True)
    errands.finish(execution.automation, execution.slot)
    Intent.objects.bulk_create(
        _intent(execution, action, leg, snapshot, generation)
        for leg, action in enumerate(decision.actions)
    )
    journal.note_decision(execution.automation, decision)


def claim(intent: Intent, *, fence: int) -> Signature | None:
    """Make `intent` ours to send, or return None; commits before returning.

    Checked in the same statement: still planned and within its deadline, the turn still ours,
    the automation still active, the user's account not switched since.
    """
    signed_at = utc_now()
    try:
        with transaction.atomic():
            claimed = (
                _claimable(intent, fence)
                .filter(deadline__gte=signed_at)
                .update(state=Intent.State.SENDING, fence=fence, signed_at=signed_at, error="")
            )
            if not claimed:
                return None
            _log(intent, signed_at=signed_at)
    except IntegrityError as error:
        if ONE_PER_TARGET not in str(error):
            raise
        return None  # another intent on the same target is under way or unknown
    intent.refresh_from_db()
    return Signature(signed_at, min(intent.deadline, signed_at + SEND_WITHIN))


@transaction.atomic
def put_back(intent: Intent, error: str) -> None:
    """Nothing was done, for certain: the intent may be claimed again until its deadline."""
    if _move(intent, {Intent.State.SENDING}, Intent.State.PLANNED, error):
        _close_log(intent, "not_sent", error=error)


@transaction.atomic
def confirm(intent: Intent, answer: Trade) -> None:
    """The exchange said it is done."""
    if _settle(intent, Intent.State.CONFIRMED):
        _close_log(intent, "confirmed", answer=answer)


@transaction.atomic
def reject(intent: Intent, error: str) -> None:
    """The exchange declined it, or the request was wrong."""
    if _settle(intent, Intent.State.REJECTED, error):
        _close_log(intent, "rejected", error=error)


def lapse(intent: Intent, error: str) -> None:
    """It was not sent, and no longer will be."""
    _move(intent, {Intent.State.PLANNED}, Intent.State.LAPSED, error)


@transaction.atomic
def mark_unknown(intent: Intent, error: str) -> None:
    """It was sent, or may have been, and what became of it is not known yet: block, and tell."""
    if _move(intent, {Intent.State.SENDING}, Intent.State.UNKNOWN, error):
        _close_log(intent, "unknown", error=error)
        _tell(
            intent,
            "outcome_unknown",
            Severity.WARNING,
            "was sent, and the exchange's answer is not known. It is looked for at the exchange; "
            "until it is found or cannot come any more, it is not repeated.",
        )


@transaction.atomic
def settle_found(intent: Intent, state: Intent.State, answer: Trade) -> None:
    """Reading back showed it: `CONFIRMED`, or `SATISFIED` when it is not provably ours."""
    if _move(intent, {Intent.State.UNKNOWN}, state):
        _close_log(intent, state.value, answer=answer)


@transaction.atomic
def settle_absent(intent: Intent) -> None:
    """It is not at the exchange and cannot arrive any more: the next decision starts afresh."""
    text = "The exchange did not execute it, and cannot any more."
    if _move(intent, {Intent.State.UNKNOWN}, Intent.State.LAPSED, text):
        _close_log(intent, "lapsed", error=text)


@transaction.atomic
def ask_operator(intent: Intent, why: str) -> None:
    """It cannot be told apart: a person has to look at the exchange and decide."""
    if _move(intent, {Intent.State.UNKNOWN}, Intent.State.NEEDS_OPERATOR, why):
        _close_log(intent, "needs_operator", error=why)
        _tell(intent, "needs_operator", Severity.CRITICAL, f"needs a person: {why}")


@transaction.atomic
def adopt_late(intent: Intent, answer: Trade) -> None:
    """An effect given up for lost is there after all: it counts again, and is reported."""
    if _move(intent, {Intent.State.LAPSED}, Intent.State.CONFIRMED):
        _close_log(intent, "confirmed", answer=answer)
        _tell(intent, "late_effect", Severity.CRITICAL, "was executed after it was given up.")


@transaction.atomic
def resolve(intent: Intent, *, was_done: bool, by: User) -> bool:
    """A person looked at the exchange; False when the intent does not need one (any more)."""
    state = Intent.State.CONFIRMED if was_done else Intent.State.LAPSED
    text = f"{by.get_username()} looked: it was {'done' if was_done else 'not done'}."
    if not _move(intent, {Intent.State.NEEDS_OPERATOR}, state, text):
        return False
    Intent.objects.filter(pk=intent.pk).update(resolved_by=by)
    _close_log(intent, state.value, error=text)
    _tell(intent, "resolved", Severity.INFO, f"is settled. {text}")
    return True


def count_absence(intent: Intent) -> int:
    """Note that it was looked for in vain; how often that was so by now."""
    Intent.objects.filter(pk=intent.pk, state=Intent.State.UNKNOWN).update(
        absences=F("absences") + 1, looked_at=Now()
    )
    intent.refresh_from_db()
    return intent.absences


def note_look(intent: Intent) -> None:
    """Note that it was looked for; what was seen decides nothing yet."""
    Intent.objects.filter(pk=intent.pk).update(looked_at=Now())


def _tell(intent: Intent, kind: str, severity: Severity, text: str) -> None:
    reason = Reason(kind, f"{intent.action['kind']} on {intent.target} {text}", severity)
    journal.tell(intent.automation, reason, kind=kind, intent=str(intent.id))


def _counted(automation: Automation, snapshot: Snapshot) -> Memory:
    running = [trade.id for trade in snapshot.holdings.value.trades]
    return recall([automation], running)[automation.id]


def _seen_in(snapshot: Snapshot) -> Memory:
    return Memory(snapshot.past, snapshot.under_way, snapshot.unsettled)


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
        is_idempotent=is_idempotent(action),
        seen=TRADE.dump_python(trades[action.trade_id], mode="json"),
        deadline=Now() + CLAIM_WITHIN,
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
    TradeLog.objects.filter(intent=intent, outcome__in=OPEN_OUTCOMES).update(
        outcome=outcome,
        answer=answer and TRADE.dump_python(answer, mode="json"),
        error=error,
        answered_at=utc_now(),
    )
