"""Actions in several steps: the next one follows only when the one before it is done.

To reduce an isolated trade means to close it and to open what is left again. A step waits while
the outcome of the one before it is not known, within its own deadline; it lapses when that one was
not done, or the position ended otherwise, or the market has moved too far, and a person is told
that the position stays closed. A close that was read back counts when it came when ours was sent,
and not at one of the trade's own levels.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from django.db.models.functions import Now

from automations import intents
from automations.evidence import closed_as_asked
from automations.models import Intent
from automations.perform import needs_the_one_before
from automations.rules.actions import ReopenTrade
from exchanges.client import ExchangeClient
from exchanges.types import Side

State = Intent.State
WAITING = {State.PLANNED, State.SENDING, State.UNKNOWN, State.NEEDS_OPERATOR}
DONE = {State.CONFIRMED, State.SATISFIED}

CLOSED_ONLY_CODE = "closed_only"
CLOSED_ONLY = "The position was closed, and what should be left of it was not opened again."


def may_follow(intent: Intent, client: ExchangeClient) -> bool:
    """Whether an intent may be tried now; one that never may is lapsed. Raises `ExchangeError`."""
    action = intents.action_of(intent)
    if not needs_the_one_before(action) or _is_late(intent):
        return True  # when it is late, its claim says so
    before = Intent.objects.get(execution_id=intent.execution_id, leg=intent.leg - 1)
    if State(before.state) in WAITING:
        return False
    if not _is_ours(before):
        intents.lapse(intent, f"The close before it is {before.state}, and not known to be ours.")
        return False
    return _is_worth_it(intent, action, client)


def has_begun(intent: Intent) -> bool:
    """Whether it follows a step that was done, or may have been: then it is seen through, within
    its own deadline."""
    if not needs_the_one_before(intents.action_of(intent)):
        return False
    before = Intent.objects.get(execution_id=intent.execution_id, leg=intent.leg - 1)
    return State(before.state) in {*DONE, State.SENDING, State.UNKNOWN, State.NEEDS_OPERATOR}


def broke_off(found: Sequence[Intent]) -> bool:
    """Whether of the intents of an execution, by their legs, a close was done and its rest not."""
    return any(
        needs_the_one_before(intents.action_of(after))
        and State(before.state) in DONE
        and State(after.state) not in DONE
        for before, after in pairwise(found)
    )


def _is_ours(close: Intent) -> bool:
    """Whether a close was confirmed, or read back as it would be if it was ours."""
    if State(close.state) is not State.SATISFIED or close.signed_at is None:
        return State(close.state) is State.CONFIRMED
    answer = close.trade_logs.get(outcome=State.SATISFIED).answer
    return closed_as_asked(intents.TRADE.validate_python(answer), close.signed_at)


def _is_late(intent: Intent) -> bool:
    return Intent.objects.filter(pk=intent.pk, deadline__lte=Now()).exists()


def _is_worth_it(intent: Intent, action: ReopenTrade, client: ExchangeClient) -> bool:
    price = client.ticker().last_price
    if _is_worse(price, action):
        intents.lapse(intent, f"The price of {price:,} is worse than {action.worst_price:,}.")
        return False
    return True


def _is_worse(price: Decimal, action: ReopenTrade) -> bool:
    return price > action.worst_price if action.side is Side.BUY else price < action.worst_price
