"""margin_guard: when a position has used up too much of its margin, add some, reduce or close it.

The measure is *margin used* = max(0, −P&L) / margin: 0 without a loss, 1 at liquidation. The
exchange's own ratio, maintenance / (maintenance + margin + P&L), stays near zero until a few
dollars before liquidation, at any leverage, so a guard on it always comes too late; it may be
chosen, and so may the distance to liquidation. P&L is computed from the last price, since
positions are pushed on events, not on price.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import assert_never

from automations.rules.actions import Action
from automations.rules.base import Decision, Level, Reason, RuleMemory
from automations.rules.guarding import AddMargin, MarginGuardConfig
from automations.rules.levels import crossing
from automations.rules.measures import Position, measured
from automations.rules.purse import Purse
from automations.rules.remedies import (
    Remedy,
    remedy,
    take_back,
    taken_back_from,
    turning_points,
)
from automations.snapshots import Snapshot

THRESHOLD_REACHED = "threshold_reached"
RECOVERED = "recovered"
ACTS = (THRESHOLD_REACHED, RECOVERED)


def decide(snapshot: Snapshot, config: MarginGuardConfig, memory: RuleMemory) -> Decision:
    """Look at each guarded position, the one with the most margin used first.

    Its levels are reckoned position by position: where several need the same scarce sats, who
    gets them may change between the levels too, and the next tick says so.
    """
    guarded = config.scope.positions(snapshot)
    if not guarded:
        return Decision((), Reason("no_positions", "No running position is in the guard's scope."))
    guarded.sort(key=lambda each: (-each.margin_used(snapshot.price), each.name))
    purse = Purse.of(snapshot)
    actions: list[Action] = []
    watch: list[Level] = []
    reasons: dict[str, Reason] = {}
    for position in guarded:
        watch += _levels(position, snapshot, config, purse)
        chosen = _judge(position, snapshot, config, purse)
        reasons[position.name] = chosen.reason
        actions += chosen.actions
        purse.spend(chosen.actions, snapshot)
    findings = (
        measured(
            each, snapshot.price, reason=reasons[each.name], acts_at=acting_price(each, config)
        )
        for each in guarded
    )
    return Decision(
        tuple(actions), _foremost(list(reasons.values())), tuple(findings), tuple(watch)
    )


def acting_price(position: Position, config: MarginGuardConfig) -> Decimal | None:
    """The first price, in ticks, at which the threshold is reached; None where no price is."""
    match config.measure:
        case "margin_used":
            return position.price_of_loss(config.threshold)
        case "margin_ratio":
            return position.price_of_ratio(config.threshold)
        case "liquidation_distance":
            return position.price_of_distance(config.threshold)
        case _:
            assert_never(config.measure)


def _is_reached(position: Position, price: Decimal, config: MarginGuardConfig) -> bool:
    match config.measure:
        case "margin_used":
            return position.margin_used(price) >= config.threshold
        case "margin_ratio":
            return position.margin_ratio(price) >= config.threshold
        case "liquidation_distance":
            return position.is_near_liquidation(price, config.threshold)
        case _:
            assert_never(config.measure)


def _judge(
    position: Position, snapshot: Snapshot, config: MarginGuardConfig, purse: Purse
) -> Remedy:
    if not _is_reached(position, snapshot.price, config):
        return _rest(position, snapshot, config, purse)
    reached = f"{_measured(position, snapshot.price, config)}, the threshold is {_said(config)}"
    wait = purse.cools_down(position, config.cool_down, snapshot.now)
    if wait:
        return Remedy.none("cooling_down", f"{reached}, but {wait}")
    chosen = remedy(position, snapshot, config.action, purse)
    if not chosen.actions:
        code, severity = chosen.reason.code, chosen.reason.severity
        return Remedy((), Reason(code, f"{reached}, but {chosen.reason.text}", severity))
    text = f"{reached}: {chosen.reason.text}"
    return Remedy(chosen.actions, Reason(THRESHOLD_REACHED, text))


def _rest(
    position: Position, snapshot: Snapshot, config: MarginGuardConfig, purse: Purse
) -> Remedy:
    """Nothing to protect; perhaps something to take back."""
    used, action = _measured(position, snapshot.price, config), config.action
    if isinstance(action, AddMargin) and action.take_back:
        back = take_back(position, snapshot, action.take_back, purse)
        if back and not purse.cools_down(position, config.cool_down, snapshot.now):
            return Remedy(back.actions, Reason(RECOVERED, f"{used}; {back.reason.text}"))
    text = f"{used}, short of the threshold of {_said(config)}."
    return Remedy.none("within_threshold", text)


def _measured(position: Position, price: Decimal, config: MarginGuardConfig) -> str:
    match config.measure:
        case "margin_used":
            return f"Margin used is {position.margin_used(price):.2%}"
        case "margin_ratio":
            return f"The margin ratio is {position.margin_ratio(price):.2%}"
        case "liquidation_distance":
            distance = position.liquidation_distance(price)
            said = "has no price" if distance is None else f"is {distance:.2%} away"
            return f"Liquidation {said}"
        case _:
            assert_never(config.measure)


def _said(config: MarginGuardConfig) -> str:
    return f"{config.threshold:.2%}"


def _foremost(reasons: Sequence[Reason]) -> Reason:
    """The reason that matters most: why it acts, what hinders it, what it waits for, all well."""
    order = dict.fromkeys(ACTS, 0) | {"under_way": 2, "cooling_down": 2, "within_threshold": 3}
    return min(reasons, key=lambda reason: order.get(reason.code, 1))


def _levels(
    position: Position, snapshot: Snapshot, config: MarginGuardConfig, purse: Purse
) -> Iterator[Level]:
    """Where the threshold is reached, or left; what more depends on the price on this side."""
    action, at = config.action, acting_price(position, config)
    yield from crossing(position.name, position.losing, at, price=snapshot.price)
    if _is_reached(position, snapshot.price, config):
        yield from turning_points(position, snapshot, action, purse)
    elif isinstance(action, AddMargin) and action.take_back:
        yield from taken_back_from(position, snapshot, action.take_back, purse)
