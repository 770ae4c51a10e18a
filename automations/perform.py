"""From a decision's action to the one call that carries it out. Pure: the client comes in."""

from typing import assert_never

from automations.rules.base import Action, AddMargin, CloseTrade
from exchanges.client import ExchangeClient, Signature
from exchanges.types import Trade


def perform(client: ExchangeClient, action: Action, signature: Signature) -> Trade:
    """Send `action` once and return the trade as the exchange left it.

    Raises what an acting call raises: `NotSent`, `RateLimited`, `PermanentError` or
    `UnknownOutcome` (see `exchanges.errors`).
    """
    match action:
        case AddMargin(trade_id, amount):
            return client.isolated.add_margin(trade_id, amount=amount, signature=signature)
        case CloseTrade(trade_id):
            return client.isolated.close_trade(trade_id, signature=signature)
        case _:
            assert_never(action)


def target_of(action: Action) -> str:
    """What an action acts on: at most one intent per target may be under way."""
    match action:
        case AddMargin() | CloseTrade():
            return f"trade:{action.trade_id}"
        case _:
            assert_never(action)


def is_idempotent(action: Action) -> bool:
    """Whether sending it twice has the effect of sending it once: it names a state, not a step."""
    match action:
        case AddMargin():
            return False
        case CloseTrade():
            return True
        case _:
            assert_never(action)


def cost_of(action: Action) -> int:
    """Sats an action takes from the free balance."""
    match action:
        case AddMargin(amount=amount):
            return amount
        case CloseTrade():
            return 0
        case _:
            assert_never(action)
