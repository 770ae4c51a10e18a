"""What no decision may exceed, whatever its rule says: caps, limits and restrictions. Pure.

A decision is vetted action by action, in its order; what one action uses counts for the next.
Of a saga, all steps pass or none does. What is held back is not forgotten: the decision says why
instead, and the next tick asks again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from automations.perform import cost_of, is_opening, needs_the_one_before
from automations.rules.actions import (
    Action,
    AddMargin,
    DepositCross,
    OpenTrade,
    OrderCross,
    SwapAsset,
)
from automations.rules.base import Decision, Reason, Severity
from automations.snapshots import Snapshot
from exchanges.types import Side


@dataclass(frozen=True, slots=True)
class Limits:
    """What an owner allows on one account; None is no limit.

    Sats are those that leave the free balance: margin of what is opened, margin added, bitcoin
    given for dollars. `orders_per_day` counts everything that is sent; a day is 24 hours.
    `exposure` is in USD, over all positions of the account together.
    """

    sats_per_position: int | None = None
    sats_per_day: int | None = None
    orders_per_day: int | None = None
    leverage: Decimal | None = None
    exposure: int | None = None


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a person has stopped: whatever opens something, separately all the rest, and
    whatever nobody has confirmed, which is not held back but proposed.
    """

    opening: bool = False
    protection: bool = False
    unconfirmed: bool = False


def vet(
    decision: Decision, snapshot: Snapshot, limits: Limits, restrictions: Restrictions
) -> Decision:
    """The decision without what exceeds a limit; its reason says what was held back, and why."""
    passed: list[Action] = []
    held: list[Reason] = []
    for steps in sagas(decision.actions):
        reason = _objection([*passed, *steps], steps, snapshot, limits, restrictions)
        if reason is None:
            passed += steps
        else:
            held.append(reason)
    if not held:
        return decision
    return replace(decision, actions=tuple(passed), reason=_reason(decision, passed, held))


def exposure_of(snapshot: Snapshot) -> int:
    """USD at risk: the quantities of all running trades and of the cross position."""
    holdings = snapshot.holdings.value
    cross = abs(holdings.cross.quantity) if holdings.cross else 0
    return cross + sum(trade.quantity for trade in holdings.trades)


def _reason(decision: Decision, passed: list[Action], held: list[Reason]) -> Reason:
    if passed:
        text = f"{decision.reason.text} Held back: {' '.join(reason.text for reason in held)}"
        return replace(decision.reason, text=text, severity=Severity.CRITICAL)
    first = held[0]
    return replace(first, text=f"{decision.reason.text} But {first.text}")


def sagas(actions: Iterable[Action]) -> Iterator[list[Action]]:
    """The actions, those together that only follow the one before them."""
    saga: list[Action] = []
    for action in actions:
        if saga and not needs_the_one_before(action):
            yield saga
            saga = []
        saga.append(action)
    if saga:
        yield saga


def _objection(
    together: list[Action],
    steps: list[Action],
    snapshot: Snapshot,
    limits: Limits,
    restrictions: Restrictions,
) -> Reason | None:
    """Why `steps` must not follow; `together` are they and all that passed before them."""
    checks = (
        _restricted(steps, restrictions),
        _too_many_sats(together, steps, snapshot, limits),
        _too_many_orders(together, snapshot, limits),
        _too_much_leverage(steps, snapshot, limits),
        _too_much_exposure(together, snapshot, limits),
    )
    return next((reason for reason in checks if reason), None)


def _restricted(steps: list[Action], restrictions: Restrictions) -> Reason | None:
    if restrictions.protection:
        return Reason("stopped", "everything is stopped, protection too.", Severity.CRITICAL)
    if restrictions.opening and any(map(is_opening, steps)):
        return Reason("opening_stopped", "opening is stopped.", Severity.WARNING)
    return None


def _too_many_sats(
    together: list[Action], steps: list[Action], snapshot: Snapshot, limits: Limits
) -> Reason | None:
    if not any(sats for _, sats in _moves(steps, snapshot)):
        return None
    today, on_targets = snapshot.usage.sats_today, Counter(dict(snapshot.usage.sats_by_position))
    for target, sats in _moves(together, snapshot):
        today += sats
        on_targets[target] += sats
    if limits.sats_per_day is not None and today > limits.sats_per_day:
        return _over("account_sats_per_day", today, limits.sats_per_day, "sats in 24 hours")
    most = max(on_targets[target] for target, _ in _moves(steps, snapshot))
    if limits.sats_per_position is not None and most > limits.sats_per_position:
        return _over(
            "account_sats_per_position", most, limits.sats_per_position, "sats on one position"
        )
    return None


def _moves(actions: Iterable[Action], snapshot: Snapshot) -> list[tuple[str, int]]:
    return [_moved(action, snapshot) for action in actions]


def _moved(action: Action, snapshot: Snapshot) -> tuple[str, int]:
    """Where an action moves sats into, and how many."""
    match action:
        case AddMargin(trade_id, amount):
            return trade_id, amount
        case DepositCross(amount):
            return "cross", amount
        case SwapAsset():
            return "", 0  # it goes into no position: it must not use up what protects one
        case _ if is_opening(action):
            return "", cost_of(action, snapshot.price)
        case _:
            return "", 0


def _too_many_orders(together: list[Action], snapshot: Snapshot, limits: Limits) -> Reason | None:
    orders = snapshot.usage.orders_today + len(together)
    if limits.orders_per_day is not None and orders > limits.orders_per_day:
        return _over("account_orders_per_day", orders, limits.orders_per_day, "orders in 24 hours")
    return None


def _too_much_leverage(steps: list[Action], snapshot: Snapshot, limits: Limits) -> Reason | None:
    leverage = max((_leverage_of(step, snapshot) for step in steps), default=Decimal(0))
    if limits.leverage is None or leverage <= limits.leverage:
        return None
    text = f"{leverage}x is more than the {limits.leverage}x allowed on this account."
    return Reason("account_leverage", text, Severity.CRITICAL)


def _leverage_of(action: Action, snapshot: Snapshot) -> Decimal:
    """Of what an action opens; of a position that is there already, its owner chose it."""
    match action:
        case OpenTrade(leverage=leverage):
            return leverage
        case OrderCross(reduces=False):
            return Decimal(snapshot.cross.leverage)
        case _:
            return Decimal(0)


def _too_much_exposure(together: list[Action], snapshot: Snapshot, limits: Limits) -> Reason | None:
    added = _exposure_added(together, snapshot)
    exposure = exposure_of(snapshot) + snapshot.usage.opening + added
    if added and limits.exposure is not None and exposure > limits.exposure:
        return _over("account_exposure", exposure, limits.exposure, "USD of exposure")
    return None


def _exposure_added(together: list[Action], snapshot: Snapshot) -> int:
    """USD by which actions raise the exposure; what they close does not count against it."""
    opened = sum(action.quantity for action in together if isinstance(action, OpenTrade))
    orders = [action for action in together if isinstance(action, OrderCross)]
    if not orders:
        return opened
    held = snapshot.cross.quantity
    after = held + sum(order.quantity * (1 if order.side is Side.BUY else -1) for order in orders)
    return opened + max(0, abs(after) - abs(held))


def _over(code: str, would_be: int, limit: int, unit: str) -> Reason:
    text = f"it would make {would_be:,} {unit}; the account's limit is {limit:,}."
    return Reason(code, text, Severity.CRITICAL)
