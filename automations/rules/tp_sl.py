"""tp_sl: when a position has gained or lost so much of its margin, close it or move its levels.

P&L is a percentage of the margin, from the last price. `close_tp` acts on gains, `close_sl` on
losses. `update_tp` and `update_sl` have a signed trigger and act once per crossing: again only
after the position was on the other side of the trigger. When a crossing began is remembered;
whether something was done since stands in what the automation sent, so that a wish that never
left is tried again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from automations.rules.actions import Action, SetStopLoss, SetTakeProfit
from automations.rules.base import (
    Decision,
    Finding,
    Level,
    Reason,
    RuleConfig,
    RuleMemory,
    Severity,
)
from automations.rules.measures import CROSS, Position, measured
from automations.rules.orders import Price
from automations.rules.scope import Scope
from automations.snapshots import Snapshot
from exchanges.inverse_futures import PRICE_TICK
from exchanges.types import Capability, Side, Trade

TRIGGERED = "trigger_reached"

Percent = Annotated[Decimal, Field(ge=-10_000, le=10_000, decimal_places=2)]


class CloseOnGain(RuleConfig):
    """Close when the P&L is `trigger` % of the margin or better."""

    type: Literal["close_tp"]
    trigger: Annotated[Percent, Field(gt=0)]


class CloseOnLoss(RuleConfig):
    """Close when the P&L is `trigger` % of the margin (below 0) or worse."""

    type: Literal["close_sl"]
    trigger: Annotated[Percent, Field(lt=0, gt=-100)]


class MoveTakeProfit(RuleConfig):
    """Set the take profit to `price` (USD) once the P&L has crossed `trigger` % of the margin."""

    type: Literal["update_tp"]
    trigger: Percent
    price: Price


class MoveStopLoss(RuleConfig):
    """Set the stop loss to `price` (USD) once the P&L has crossed `trigger` % of the margin."""

    type: Literal["update_sl"]
    trigger: Percent
    price: Price


Setting = CloseOnGain | CloseOnLoss | MoveTakeProfit | MoveStopLoss


class TpSlConfig(RuleConfig):
    """What to do, and for which positions. `cool_down`, in seconds per position, is between two
    attempts to close.
    """

    action: Setting = Field(discriminator="type")
    scope: Scope = Scope()
    cool_down: StrictInt = Field(default=15, ge=0, le=86_400)

    def needs(self) -> frozenset[Capability]:
        """Isolated or cross margin, as the scope says."""
        return self.scope.needs()

    @field_validator("scope")
    @classmethod
    def _cross_has_no_levels(cls, scope: Scope, info: ValidationInfo) -> Scope:
        action = info.data.get("action")
        if scope.cross and isinstance(action, MoveTakeProfit | MoveStopLoss):
            raise ValueError(
                "the cross-margin position has no stop loss or take profit at the exchange: "
                "use close_sl or close_tp for it"
            )
        return scope


class Crossings(RuleMemory):
    """Since when each position has been beyond the trigger, by its name."""

    since: dict[str, datetime] = Field(default_factory=dict)


def decide(snapshot: Snapshot, config: TpSlConfig, memory: Crossings) -> Decision:
    """Look at each position in the scope, in the order of their names."""
    positions = sorted(config.scope.positions(snapshot), key=lambda position: position.name)
    beyond = [position for position in positions if _is_beyond(position, snapshot, config.action)]
    since = {each.name: memory.since.get(each.name, snapshot.now) for each in beyond}
    remembered = Crossings(since=since)
    if not positions:
        nothing = Reason("no_positions", "No running position is in the scope.")
        return Decision((), nothing, memory=remembered)
    reasons = {
        each.name: _judge(each, snapshot, config, since.get(each.name)) for each in positions
    }
    acting = [each for each in beyond if reasons[each.name].code == TRIGGERED]
    return Decision(
        actions=tuple(_action(each, config.action) for each in acting),
        reason=_foremost(list(reasons.values())),
        findings=tuple(_finding(e, snapshot, config.action, reasons[e.name]) for e in positions),
        watch=tuple(_level(each, each in beyond, config.action) for each in positions),
        memory=remembered,
    )


def _is_gain(setting: Setting) -> bool:
    return setting.trigger >= 0


def _is_beyond(position: Position, snapshot: Snapshot, setting: Setting) -> bool:
    share, trigger = position.pl_share(snapshot.price), setting.trigger / 100
    return share >= trigger if _is_gain(setting) else share <= trigger


def _judge(
    position: Position, snapshot: Snapshot, config: TpSlConfig, since: datetime | None
) -> Reason:
    setting = config.action
    share = position.pl_share(snapshot.price)
    if since is None:
        text = f"P&L is {share:+.2%} of the margin, the trigger is {setting.trigger:+} %."
        return Reason("within_trigger", text)
    reached = f"P&L is {share:+.2%} of the margin, the trigger of {setting.trigger:+} % is reached"
    obstacle = _obstacle(position, snapshot, config, since)
    if obstacle:
        return Reason(obstacle.code, f"{reached}, but {obstacle.text}", obstacle.severity)
    return Reason(TRIGGERED, f"{reached}: {_intention(setting)}")


def _obstacle(
    position: Position, snapshot: Snapshot, config: TpSlConfig, since: datetime
) -> Reason | None:
    match config.action:
        case CloseOnGain() | CloseOnLoss():
            return _closing(position, snapshot, config.cool_down)
        case MoveTakeProfit() | MoveStopLoss():
            return _moving(position, snapshot, config.action, since)
        case _:
            assert_never(config.action)


def _closing(position: Position, snapshot: Snapshot, cool_down: int) -> Reason | None:
    if position.name == CROSS and CROSS in snapshot.unsettled | snapshot.under_way:
        text = "the outcome of an earlier order on it is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    last = _last_done(position, snapshot)
    wait = last and last + timedelta(seconds=cool_down) - snapshot.now
    if wait and wait > timedelta(0):
        text = f"closing was tried; again in {wait.total_seconds():.0f} s if it is still there."
        return Reason("cooling_down", text)
    return None


def _moving(
    position: Position,
    snapshot: Snapshot,
    setting: MoveTakeProfit | MoveStopLoss,
    since: datetime,
) -> Reason | None:
    trade = _trade(position, snapshot)
    last = _last_done(position, snapshot)
    if last and last >= since:
        return Reason("done_for_this_crossing", "that was done in this crossing.")
    present = trade.stop_loss if isinstance(setting, MoveStopLoss) else trade.take_profit
    if present == setting.price:
        return Reason("already_so", f"it stands at {setting.price:,} already.")
    return _misplaced(trade, setting, snapshot.price)


def _misplaced(
    trade: Trade, setting: MoveTakeProfit | MoveStopLoss, price: Decimal
) -> Reason | None:
    """Why the exchange would refuse the level, or execute it at once."""
    above = setting.price > price
    wants_above = (trade.side is Side.BUY) == isinstance(setting, MoveTakeProfit)
    if setting.price == price or above != wants_above:
        side = "above" if wants_above else "below"
        text = f"{setting.price:,} is not {side} the price of {price:,}."
        return Reason("wrong_side", text, Severity.CRITICAL)
    return None


def _last_done(position: Position, snapshot: Snapshot) -> datetime | None:
    names = {position.name, ""} if position.name == CROSS else {position.name}
    return max((done.at for done in snapshot.past if done.trade_id in names), default=None)


def _trade(position: Position, snapshot: Snapshot) -> Trade:
    return next(t for t in snapshot.holdings.value.trades if t.id == position.name)


def _intention(setting: Setting) -> str:
    match setting:
        case CloseOnGain():
            return "closing it with the gain."
        case CloseOnLoss():
            return "closing it to stop the loss."
        case MoveTakeProfit(price=price):
            return f"setting its take profit to {price:,}."
        case MoveStopLoss(price=price):
            return f"setting its stop loss to {price:,}."
        case _:
            assert_never(setting)


def _action(position: Position, setting: Setting) -> Action:
    match setting:
        case CloseOnGain() | CloseOnLoss():
            return position.closing()
        case MoveTakeProfit(price=price):
            return SetTakeProfit(position.name, price)
        case MoveStopLoss(price=price):
            return SetStopLoss(position.name, price)
        case _:
            assert_never(setting)


def _finding(position: Position, snapshot: Snapshot, setting: Setting, reason: Reason) -> Finding:
    acts_at = _level(position, False, setting).price
    return measured(position, snapshot.price, reason=reason, acts_at=acts_at)


def _level(position: Position, is_beyond: bool, setting: Setting) -> Level:
    """Where the position gets beyond the trigger, or back."""
    trigger = setting.trigger / 100
    if _is_gain(setting):
        price, direction = position.price_of_gain(trigger), position.gaining_direction()
        back = position.losing_direction()
    else:
        price, direction = position.price_of_loss(-trigger), position.losing_direction()
        back = position.gaining_direction()
    if not is_beyond:
        return Level(position.name, direction, price)
    step = PRICE_TICK if back == "at_or_above" else -PRICE_TICK
    return Level(position.name, back, price + step)


def _foremost(reasons: Sequence[Reason]) -> Reason:
    """The reason that matters most: why it acts, what hinders it, what it waits for, all well."""
    order = {TRIGGERED: 0, "cooling_down": 2, "done_for_this_crossing": 2, "already_so": 2}
    return min(reasons, key=lambda r: 3 if r.code == "within_trigger" else order.get(r.code, 1))
