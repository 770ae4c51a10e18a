"""margin_guard: when a position has used up too much of its margin, add some, reduce or close it.

The measure is *margin used* = max(0, −P&L) / margin: 0 without a loss, 1 at liquidation. The
exchange's own ratio, maintenance / (maintenance + margin + P&L), stays near zero until a few
dollars before liquidation, at any leverage, so a guard on it always comes too late; it may be
chosen, and so may the distance to liquidation. P&L is computed from the last price, since
positions are pushed on events, not on price.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from automations.rules.actions import Action
from automations.rules.base import Decision, Level, Reason, RuleMemory
from automations.rules.guarding import AddMargin, ClosePosition, MarginGuardConfig, ReducePosition
from automations.rules.measures import Position, first_price, measured
from automations.rules.purse import Purse
from automations.rules.remedies import Remedy, add, close, reduce, take_back
from automations.snapshots import Snapshot
from exchanges.inverse_futures import PRICE_TICK
from exchanges.types import Side

THRESHOLD_REACHED = "threshold_reached"
RECOVERED = "recovered"
ACTS = (THRESHOLD_REACHED, RECOVERED)


def decide(snapshot: Snapshot, config: MarginGuardConfig, memory: RuleMemory) -> Decision:
    """Look at each guarded position, the one nearest to liquidation first."""
    guarded = config.scope.positions(snapshot)
    if not guarded:
        return Decision((), Reason("no_positions", "No running position is in the guard's scope."))
    guarded.sort(key=lambda each: (-each.margin_used(snapshot.price), each.name))
    purse = Purse.of(snapshot)
    actions: list[Action] = []
    reasons: dict[str, Reason] = {}
    for position in guarded:
        remedy = _judge(position, snapshot, config, purse)
        reasons[position.name] = remedy.reason
        actions += remedy.actions
        purse.spend(remedy.actions, snapshot)
    return Decision(
        actions=tuple(actions),
        reason=_foremost(list(reasons.values())),
        findings=tuple(
            measured(
                each,
                snapshot.price,
                reason=reasons[each.name],
                acts_at=acting_price(each, config),
            )
            for each in guarded
        ),
        watch=tuple(level for each in guarded for level in _levels(each, snapshot, config, purse)),
    )


def acting_price(position: Position, config: MarginGuardConfig) -> Decimal:
    """The first price, in ticks, at which the threshold is reached."""
    step = -PRICE_TICK if position.side is Side.BUY else PRICE_TICK
    near = position.liquidation_price or position.basis
    if config.measure == "margin_used":
        return position.price_of_loss(config.threshold)
    return first_price(lambda price: _is_reached(position, price, config), near, step)


def _is_reached(position: Position, price: Decimal, config: MarginGuardConfig) -> bool:
    match config.measure:
        case "margin_used":
            return position.margin_used(price) >= config.threshold
        case "margin_ratio":
            return position.margin_ratio(price) >= config.threshold
        case "liquidation_distance":
            return position.is_liquidated(price) or (
                (position.liquidation_distance(price) or Decimal(1)) <= config.threshold
            )
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
    remedy = _remedy(position, snapshot, config, purse)
    if not remedy.actions:
        code, severity = remedy.reason.code, remedy.reason.severity
        return Remedy((), Reason(code, f"{reached}, but {remedy.reason.text}", severity))
    text = f"{reached}: {remedy.reason.text}"
    return Remedy(remedy.actions, Reason(THRESHOLD_REACHED, text))


def _remedy(
    position: Position, snapshot: Snapshot, config: MarginGuardConfig, purse: Purse
) -> Remedy:
    match config.action:
        case AddMargin():
            return add(position, snapshot, config.action, purse)
        case ReducePosition():
            return reduce(position, snapshot, config.action, purse)
        case ClosePosition():
            return close(position, snapshot)
        case _:
            assert_never(config.action)


def _rest(
    position: Position, snapshot: Snapshot, config: MarginGuardConfig, purse: Purse
) -> Remedy:
    """Nothing to protect; perhaps something to take back."""
    within = f"{_measured(position, snapshot.price, config)}, short of the threshold of "
    action = config.action
    if isinstance(action, AddMargin) and action.take_back:
        remedy = take_back(position, snapshot, action.take_back, purse)
        if remedy and not purse.cools_down(position, config.cool_down, snapshot.now):
            return Remedy(remedy.actions, Reason(RECOVERED, remedy.reason.text))
    return Remedy.none("within_threshold", f"{within}{_said(config)}.")


def _measured(position: Position, price: Decimal, config: MarginGuardConfig) -> str:
    match config.measure:
        case "margin_used":
            return f"Margin used is {position.margin_used(price):.2%}"
        case "margin_ratio":
            return f"The margin ratio is {position.margin_ratio(price):.2%}"
        case "liquidation_distance":
            return f"Liquidation is {position.liquidation_distance(price) or Decimal(1):.2%} away"
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
) -> Sequence[Level]:
    """Where the threshold is reached, or left; and where something may be taken back."""
    at, losing = acting_price(position, config), position.losing_direction()
    gaining, step = position.gaining_direction(), PRICE_TICK
    if not _is_reached(position, snapshot.price, config):
        levels = [Level(position.name, losing, at)]
    else:
        back = at + (step if gaining == "at_or_above" else -step)
        levels = [Level(position.name, gaining, back)]
    action = config.action
    if isinstance(action, AddMargin) and action.take_back and purse.added_to(position):
        levels.append(
            Level(position.name, gaining, position.price_of_gain(-action.take_back.below))
        )
    return levels
