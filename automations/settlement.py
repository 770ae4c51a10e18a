"""Finding out what became of an intent whose outcome is not known. Read back, never guess.

*Present* may be believed at once. *Absent* only when the exchange's own clock, asked before its
lists were read, has passed the moment at which it still accepts the signature, with a margin for
queueing behind its edge, and only when seen twice. A failed read proves nothing. That the
exchange does refuse old signatures is verified, not assumed: without it, what is absent goes to
a person.
"""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Now

from accounts.gateway import open_client
from accounts.models import ExchangeAccount, User
from automations import intents
from automations.evidence import Evidence, Verdict, examine
from automations.execution import conclude
from automations.models import Intent
from exchanges.client import ExchangeClient
from exchanges.types import Trade
from exchanges.windows import verified_window

MARGIN = timedelta(seconds=5)
"""How long a request may queue behind the exchange's edge, where its signature was accepted."""

UNVERIFIED_WAIT = timedelta(seconds=60)
"""How long to look where nobody knows when a request expires; then a person has to."""

LOOKS_FOR_ABSENCE = 2
LOOK_AGAIN_AFTER = timedelta(minutes=5)
DONE = (Intent.State.CONFIRMED, Intent.State.SATISFIED)


def settle_account(account: ExchangeAccount) -> None:
    """Look for everything of an account whose outcome is not known. Raises `ExchangeError`."""
    client = open_client(account)
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
        case Verdict.PRESENT if evidence.trade:
            intents.settle_found(intent, Intent.State.CONFIRMED, evidence.trade)
        case Verdict.REACHED if evidence.trade:
            intents.settle_found(intent, Intent.State.SATISFIED, evidence.trade)
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
    if _examine(intent, evidence) is Verdict.PRESENT and evidence.trade:
        intents.adopt_late(intent, evidence.trade)


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
    seen = _seen(intent)
    listed = {trade.id: trade for trade in client.running_trades()}
    if seen.id not in listed:
        listed |= {trade.id: trade for trade in client.closed_trades(since=seen.created_at)}
    return Evidence(asked_at, listed.get(seen.id), _added_since(intent))


def _examine(intent: Intent, evidence: Evidence) -> Verdict:
    action = intents.ACTION.validate_python(intent.action)
    return examine(action, _seen(intent), evidence)


def _added_since(intent: Intent) -> int:
    """Sats that other intents have added to the target since this one was planned.

    By the database's clock, since the clocks of two workers may differ.
    """
    later = Intent.objects.filter(
        account_id=intent.account_id,
        target=intent.target,
        state__in=DONE,
        created_at__gt=intent.created_at,
    )
    return int(later.aggregate(sats=Sum("sats"))["sats"] or 0)


def _seen(intent: Intent) -> Trade:
    return intents.TRADE.validate_python(intent.seen)


def _signed_at(intent: Intent) -> datetime:
    if intent.signed_at is None:
        raise RuntimeError(f"Intent {intent.id} is {intent.state} and was never signed.")
    return intent.signed_at
