"""Finding out what became of an intent whose outcome is not known. Read back, never guess.

*Present* may be believed at once. *Absent* only when the exchange's own clock, asked before its
lists were read, has passed the moment at which it still accepts the signature, with a margin for
queueing behind its edge, and only when seen twice. A failed read proves nothing. That the
exchange does refuse old signatures is verified, not assumed: without it, what is absent goes to
a person.
"""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts.gateway import open_client
from accounts.models import ExchangeAccount, User
from automations import intents
from automations.concluding import conclude
from automations.evidence import Evidence, Others, Verdict, examine
from automations.models import Intent
from automations.traces import CLOCKS_DIFFER_BY, traces_of
from exchanges.client import ExchangeClient
from exchanges.types import Trade
from exchanges.windows import verified_window

MARGIN = timedelta(seconds=5)
"""How long a request may queue behind the exchange's edge, where its signature was accepted."""

UNVERIFIED_WAIT = timedelta(seconds=60)
"""How long to look where nobody knows when a request expires; then a person has to."""

TRACES_OVERLAP = 3 * CLOCKS_DIFFER_BY
"""How long before this one another intent may have been planned and leave its trace as late."""

LOOKS_FOR_ABSENCE = 2
LOOK_AGAIN_AFTER = timedelta(minutes=5)
DONE = (Intent.State.CONFIRMED, Intent.State.SATISFIED)


def settle_account(account: ExchangeAccount) -> None:
    """Look for everything of an account whose outcome is not known. Raises `ExchangeError`.

    As a protective client: until it is settled, it may hinder what protects.
    """
    client = open_client(account, is_protective=True)
    for intent in account.intents.filter(state=Intent.State.UNKNOWN).select_related(
        "automation__user", "account__exchange", "execution"
    ):
        settle(intent, client)
        conclude(intent.execution)
    for intent in late_candidates().filter(account=account):
        look_again(intent, client)


def settle(intent: Intent, client: ExchangeClient) -> None:
    """Look for one intent, and settle it if what is seen allows it. Raises `ExchangeError`."""
    evidence = _gather(intent, client)
    match _examine(intent, evidence):
        case Verdict.PRESENT if evidence.answer:
            intents.settle_found(intent, Intent.State.CONFIRMED, evidence.answer)
        case Verdict.REACHED if evidence.answer:
            intents.settle_found(intent, Intent.State.SATISFIED, evidence.answer)
        case verdict:
            _wait_or_give_up(intent, client, evidence, verdict)


def resolve(intent: Intent, *, was_done: bool, by: User) -> bool:
    """A person looked at the exchange and decides; False when it is settled already."""
    if not intents.resolve(intent, was_done=was_done, by=by):
        return False
    conclude(intent.execution)
    return True


def late_candidates() -> QuerySet[Intent]:
    """Intents that were sent, given up some minutes ago, and not looked for since."""
    return Intent.objects.filter(
        state=Intent.State.LAPSED,
        signed_at__isnull=False,
        settled_at__lte=Now() - LOOK_AGAIN_AFTER,
        looked_at__lt=F("settled_at"),
    ).select_related("automation__user", "account__exchange", "execution")


def look_again(intent: Intent, client: ExchangeClient) -> None:
    """Look once more for one that was given up; adopt it if it is there after all."""
    evidence = _gather(intent, client)
    intents.note_look(intent)
    if _examine(intent, evidence) is Verdict.PRESENT and evidence.answer:
        intents.adopt_late(intent, evidence.answer)


def _wait_or_give_up(
    intent: Intent, client: ExchangeClient, evidence: Evidence, verdict: Verdict
) -> None:
    window = verified_window(intent.account.exchange, client)
    if evidence.asked_at <= _signed_at(intent) + (window or UNVERIFIED_WAIT) + MARGIN:
        intents.note_look(intent)
    elif intents.count_absence(intent) < LOOKS_FOR_ABSENCE:
        return
    elif verdict is Verdict.ABSENT and window:
        intents.settle_absent(intent)
    elif verdict is Verdict.ABSENT:
        intents.ask_operator(intent, "the exchange may still execute it: it does not expire.")
    else:
        intents.ask_operator(intent, "the position changed in another way meanwhile.")


def _gather(intent: Intent, client: ExchangeClient) -> Evidence:
    """Ask for the clock first, then for the lists. Raises `ExchangeError`."""
    asked_at = client.time()
    found = traces_of(
        client,
        intents.action_of(intent),
        seen=_seen(intent),
        client_id=str(intent.id),
        signed_at=_signed_at(intent),
    )
    return Evidence(asked_at, found, _others(intent))


def _examine(intent: Intent, evidence: Evidence) -> Verdict:
    return examine(intents.action_of(intent), _seen(intent), evidence)


def _others(intent: Intent) -> Others:
    """What other intents have done to the target since this one was planned.

    By the database's clock, since the clocks of two workers may differ.
    """
    planned_at = intent.created_at
    done = Intent.objects.filter(
        account_id=intent.account_id, target=intent.target, state__in=DONE
    ).exclude(pk=intent.pk)
    later = done.filter(created_at__gt=planned_at)
    alike = done.filter(action=intent.action)
    return Others(
        added=_sum_of(later, "add_margin"),
        cashed_in=_sum_of(later, "cash_in"),
        alike=alike.filter(created_at__gt=planned_at).count(),
        alike_before=alike.filter(
            created_at__range=(planned_at - TRACES_OVERLAP, planned_at)
        ).exists(),
    )


def _sum_of(intents: QuerySet[Intent], kind: str) -> int:
    return sum(intent.action["amount"] for intent in intents.filter(action__kind=kind))


def _seen(intent: Intent) -> Trade | None:
    return None if intent.seen is None else intents.TRADE.validate_python(intent.seen)


def _signed_at(intent: Intent) -> datetime:
    if intent.signed_at is None:
        raise RuntimeError(f"Intent {intent.id} is {intent.state} and was never signed.")
    return intent.signed_at
