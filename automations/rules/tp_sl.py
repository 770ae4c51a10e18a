"""tp_sl: when a position has gained or lost so much of its margin, close it or move its levels.

P&L is a percentage of the margin, from the last price. `close_tp` acts on gains, `close_sl` on
losses. `update_tp` and `update_sl` have a signed trigger and act once per crossing: again only
after the position was on the other side of the trigger. When a crossing began is remembered;
whether something was done since stands in what the automation sent, so that a wish that never
left is tried again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from automations.rules.actions import Action, SetStopLoss, SetTakeProfit
from automations.rules.base import (
    Decision,
    Direction,
    Finding,
    Level,
    Reason,
    RuleConfig,
    RuleMemory,
    Severity,
)
from automations.rules.levels import crossing, is_misplaced, wants_above
from automations.rules.measures import CROSS, Position, measured
from automations.rules.orders import Price
from automations.rules.scope import Scope
from automations.rules.unfinished import unfinished
from automations.snapshots import Snapshot
from exchanges.types import Capability, Trade

TRIGGERED = "trigger_reached"

Percent = Annotated[Decimal, Field(gt=-100, le=10_000, decimal_places=2)]
"""Of the margin; at −100 a position is liquidated."""


class CloseOnGain(RuleConfig):
    """Close on a gain."""

    type: Literal["close_tp"]
    trigger: Annotated[Percent, Field(gt=0)]
    """P&L in % of the margin: acts at it or above."""


class CloseOnLoss(RuleConfig):
    """Close on a loss."""

    type: Literal["close_sl"]
    trigger: Annotated[Percent, Field(lt=0)]
    """P&L in % of the margin, below 0: acts at it or below."""


class MoveTakeProfit(RuleConfig):
    """Set the take profit once the P&L has crossed the trigger."""

    type: Literal["update_tp"]
    trigger: Percent
    """P&L in % of the margin: from 0 on acts at it or above, below 0 at it or below."""
    price: Price
    """The take profit, in USD."""


class MoveStopLoss(RuleConfig):
    """Set the stop loss once the P&L has crossed the trigger."""

    type: Literal["update_sl"]
    trigger: Percent
    """P&L in % of the margin: from 0 on acts at it or above, below 0 at it or below."""
    price: Price
    """The stop loss, in USD."""


Setting = CloseOnGain | CloseOnLoss | MoveTakeProfit | MoveStopLoss


class TpSlConfig(RuleConfig):
    """At which gain or loss something is done, and what."""

    action: Setting = Field(discriminator="type")
    """What is done."""
    scope: Scope = Scope()
    """For which positions."""
    cool_down: StrictInt = Field(default=15, ge=0, le=86_400)
    """Seconds between two attempts to close, per position."""

    @field_validator("scope")
    @classmethod
    def _cross_has_no_levels(cls, scope: Scope, info: ValidationInfo) -> Scope:
        action = info.data.get("action")
        if scope.cross and isinstance(action, MoveTakeProfit | MoveStopLoss):
            raise ValueError(
                "cross: must be false, the cross-margin position has no stop loss or take profit "
                "at the exchange; use close_sl or close_tp for it"
            )
        return scope

    def needs(self) -> frozenset[Capability]:
        """Isolated or cross margin, as the scope says."""
        return self.scope.needs()


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
        watch=tuple(level for each in positions for level in _levels(each, snapshot, config)),
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
    if position.name == CROSS and (reason := unfinished(snapshot, CROSS)):
        return reason
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
    is_stop = isinstance(setting, MoveStopLoss)
    present = trade.stop_loss if is_stop else trade.take_profit
    if present == setting.price:
        return Reason("already_so", f"it stands at {setting.price:,} already.")
    if is_misplaced(setting.price, snapshot.price, trade.side, is_stop=is_stop):
        side = "above" if wants_above(trade.side, is_stop=is_stop) else "below"
        text = f"{setting.price:,} is not {side} the price of {snapshot.price:,}."
        return Reason("wrong_side", text, Severity.CRITICAL)
    if is_stop and position.is_liquidated(setting.price):
        text = f"it would be liquidated at {trade.liquidation_price:,}, before {setting.price:,}."
        return Reason("stop_beyond_liquidation", text, Severity.CRITICAL)
    return None


def _last_done(position: Position, snapshot: Snapshot) -> datetime | None:
    done = (each.at for each in snapshot.past if each.trade_id == position.name)
    return max(done, default=None)


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
    at, _ = _trigger_price(position, setting)
    return measured(position, snapshot.price, reason=reason, acts_at=at)


def _trigger_price(position: Position, setting: Setting) -> tuple[Decimal | None, Direction]:
    """Where the position gets beyond the trigger."""
    share = setting.trigger / 100
    if _is_gain(setting):
        return position.price_of_gain(share), position.gaining
    return position.price_of_loss(-share), position.losing


def _levels(position: Position, snapshot: Snapshot, config: TpSlConfig) -> Iterator[Level]:
    """The trigger, and beyond it the price past which a level could not be set."""
    setting, price = config.action, snapshot.price
    at, direction = _trigger_price(position, setting)
    yield from crossing(position.name, direction, at, price=price)
    if isinstance(setting, MoveTakeProfit | MoveStopLoss) and _is_beyond(
        position, snapshot, setting
    ):
        is_above = wants_above(position.side, is_stop=isinstance(setting, MoveStopLoss))
        past: Direction = "at_or_above" if is_above else "at_or_below"
        yield from crossing(position.name, past, setting.price, price=price)


def _foremost(reasons: Sequence[Reason]) -> Reason:
    """The reason that matters most: why it acts, what hinders it, what it waits for, all well."""
    order = {TRIGGERED: 0, "cooling_down": 2, "done_for_this_crossing": 2, "already_so": 2}
    return min(reasons, key=lambda r: 3 if r.code == "within_trigger" else order.get(r.code, 1))
