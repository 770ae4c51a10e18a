"""Intents: claimed by one run, settled by what came back.

Every change of state is one conditional update: it hits one row, or nothing happened. A state
only ever follows from a definite answer; what is not known stays `unknown`, is never sent
again, and a person hears of it. They are written in `automations.planning`.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from pydantic import TypeAdapter

from accounts.audit import record_audit
from accounts.models import User
from automations import journal, restrictions, selectors
from automations.models import Intent, TradeLog, Turn
from automations.perform import Answer, needs_the_one_before
from automations.reading import utc_now
from automations.rules.actions import Action
from automations.rules.base import Reason, Severity
from exchanges.client import Signature
from exchanges.types import Trade

SEND_WITHIN = timedelta(seconds=5)
"""How long after its signing a request's first byte may leave: well inside the exchange's
window, with room for queueing at its edge."""

ONE_PER_TARGET = "intent_one_open_per_target"
OPEN_OUTCOMES = ("sending", "unknown", "needs_operator", "lapsed")

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
TRADE = TypeAdapter(Trade)


def action_of(intent: Intent) -> Action:
    """The action it stands for."""
    return ACTION.validate_python(intent.action)


def claim(intent: Intent, *, fence: int) -> Signature | None:
    """Make `intent` ours to send, or return None; commits before returning.

    Checked in the same statement: still planned and within its deadline, the turn still ours,
    the automation not paused at any level, the user's account not switched since, nothing of it
    stopped.
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
def confirm(intent: Intent, answer: Answer) -> None:
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
def settle_found(intent: Intent, state: Intent.State, answer: Answer) -> None:
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
def adopt_late(intent: Intent, answer: Answer) -> None:
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
    record_audit(
        "intent_resolved",
        by=by,
        subject=f"intent/{intent.pk}",
        user=intent.automation.user,
        account=intent.account,
        data={"automation": str(intent.automation_id), "was_done": was_done},
    )
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


def _claimable(intent: Intent, fence: int) -> QuerySet[Intent]:
    turn = Turn.objects.filter(account=OuterRef("account"), fence=fence, until__gt=Now())
    active = selectors.scheduled().filter(pk=OuterRef("automation"))
    same_generation = User.objects.filter(
        pk=intent.automation.user_id, account_generation=OuterRef("generation")
    )
    # A step that follows another finishes on the account on which that was done.
    is_first = not needs_the_one_before(action_of(intent))
    begins = [Exists(active), Exists(same_generation)] if is_first else []
    return Intent.objects.filter(
        Exists(turn),
        *begins,
        ~Exists(
            selectors.restrictions_on(OuterRef("account"), OuterRef("automation__user")).filter(
                restrictions.stops(intent.is_opening)
            )
        ),
        pk=intent.pk,
        state=Intent.State.PLANNED,
        deadline__gt=Now(),
    )


def _settle(intent: Intent, state: Intent.State, error: str = "") -> bool:
    """A definite answer settles what is under way, and what was given up as unknown meanwhile."""
    return _move(intent, {Intent.State.SENDING, Intent.State.UNKNOWN}, state, error)


def _move(intent: Intent, before: set[Intent.State], state: Intent.State, error: str = "") -> bool:
    is_over = state not in (Intent.State.PLANNED, Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR)
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
        trade_id=intent.trade_id,
        sats=intent.sats,
        sent_at=signed_at,
    )


def _close_log(
    intent: Intent, outcome: str, *, answer: Answer | None = None, error: str = ""
) -> None:
    if isinstance(answer, Trade):
        _note_trade(intent, answer.id)
    TradeLog.objects.filter(intent=intent, outcome__in=OPEN_OUTCOMES).update(
        outcome=outcome,
        trade_id=intent.trade_id,
        answer=answer and ANSWER.dump_python(answer, mode="json"),
        error=error,
        answered_at=utc_now(),
    )


def _note_trade(intent: Intent, trade_id: str) -> None:
    """Remember the trade that an order opened: a new one, or what runs in another's stead."""
    if needs_the_one_before(action_of(intent)):
        Intent.objects.filter(pk=intent.pk).update(became=trade_id)
    elif not intent.trade_id:
        Intent.objects.filter(pk=intent.pk).update(trade_id=trade_id)
        intent.trade_id = trade_id
