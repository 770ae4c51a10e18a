"""Actions in several steps: the next one follows only when the one before it is ours and done.

To reduce an isolated trade means to close it and to open what is left again. A step waits while
the outcome of the one before it is not known, within its own deadline; it lapses when that one was
not done, or not by us, or when the market has moved too far, and a person is told that the
position stays closed.
"""

from decimal import Decimal

from automations import intents
from automations.models import Intent
from automations.perform import needs_the_one_before
from automations.rules.actions import ReopenTrade
from exchanges.client import ExchangeClient
from exchanges.types import Side

WAITING = {Intent.State.PLANNED, Intent.State.SENDING, Intent.State.UNKNOWN}
CLOSED_ONLY = "The position was closed, and what should be left of it was not opened again:"


def may_follow(intent: Intent, client: ExchangeClient) -> bool:
    """Whether an intent may be sent now; one that never may is lapsed. Raises `ExchangeError`."""
    action = intents.action_of(intent)
    if not needs_the_one_before(action):
        return True
    before = Intent.objects.get(execution_id=intent.execution_id, leg=intent.leg - 1)
    state = Intent.State(before.state)
    if state in WAITING:
        return False
    if state is not Intent.State.CONFIRMED:
        intents.lapse(intent, f"The step before it is {state}: it does not follow.")
        return False
    return _is_worth_it(intent, action, client)


def _is_worth_it(intent: Intent, action: ReopenTrade, client: ExchangeClient) -> bool:
    price = client.ticker().last_price
    if _is_worse(price, action):
        text = f"the price of {price:,} is worse than {action.worst_price:,}."
        intents.lapse(intent, f"{CLOSED_ONLY} {text}")
        return False
    return True


def _is_worse(price: Decimal, action: ReopenTrade) -> bool:
    return price > action.worst_price if action.side is Side.BUY else price < action.worst_price
