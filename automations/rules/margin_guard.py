"""margin_guard: when a position has used up too much of its margin, add some, or close it.

The measure is *margin used* = max(0, −P&L) / margin: 0 without a loss, 1 at liquidation. The
exchange's own ratio, maintenance / (maintenance + margin + P&L), stays near zero until a few
dollars before liquidation, at any leverage, so a guard on it would always come too late; it is
only shown. P&L is computed from the last price, since positions are pushed on events, not on
price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, StrictInt, StrictStr, ValidationInfo, field_validator

from automations.rules.actions import Action, AddMargin, CloseTrade
from automations.rules.base import (
    Decision,
    Finding,
    Level,
    Reason,
    RuleConfig,
    RuleMemory,
    Severity,
)
from automations.snapshots import PastAction, Snapshot
from exchanges.inverse_futures import leverage_of, price_at_loss, profit_and_loss
from exchanges.types import Side, Trade

DAY = timedelta(days=1)
PLACES = Decimal("0.0001")
THRESHOLD_REACHED = "threshold_reached"
MAX_SATS = 100_000_000_000

Sats = Annotated[StrictInt, Field(ge=1, le=MAX_SATS)]


class AddMarginSetting(RuleConfig):
    """Add `amount` sats each time, never more than the two caps (sats; a day is 24 hours)."""

    type: Literal["add_margin"]
    amount: Sats
    max_per_position: Sats
    max_per_day: Sats

    @field_validator("max_per_position", "max_per_day")
    @classmethod
    def _room_for_one(cls, cap: int, info: ValidationInfo) -> int:
        amount = info.data.get("amount", 0)
        if cap < amount:
            raise ValueError(f"must be at least the amount of {amount:,}, or nothing is ever added")
        return cap


class ClosePositionSetting(RuleConfig):
    """Close the position at the market."""

    type: Literal["close_position"]


class Scope(RuleConfig):
    """Which running trades are guarded: a side or both, only some, all but some."""

    side: Literal["both", "long", "short"] = "both"
    only: tuple[StrictStr, ...] | None = Field(default=None, min_length=1)
    exclude: tuple[StrictStr, ...] = ()

    @field_validator("exclude")
    @classmethod
    def _not_chosen_as_well(cls, exclude: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        both = set(exclude) & set(info.data.get("only") or ())
        if both:
            raise ValueError(f"names what `only` names as well: {', '.join(sorted(both))}")
        return exclude

    def includes(self, trade: Trade) -> bool:
        """Whether `trade` is guarded."""
        side = "long" if trade.side is Side.BUY else "short"
        chosen = self.only is None or trade.id in self.only
        return chosen and trade.id not in self.exclude and self.side in ("both", side)


class MarginGuardConfig(RuleConfig):
    """`threshold` is margin used, between 0 and 1; `cool_down` is seconds per position."""

    threshold: Decimal = Field(ge=Decimal("0.05"), le=Decimal("0.99"), decimal_places=4)
    action: AddMarginSetting | ClosePositionSetting = Field(discriminator="type")
    scope: Scope = Scope()
    cool_down: StrictInt = Field(default=60, ge=0, le=86_400)

    @field_validator("action", mode="before")
    @classmethod
    def _reduce_is_coming(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("type") == "reduce_position":
            raise ValueError(
                "reduce_position is not available yet; use add_margin or close_position"
            )
        return value


def decide(snapshot: Snapshot, config: MarginGuardConfig, memory: RuleMemory) -> Decision:
    """Look at each guarded position, the one nearest to liquidation first."""
    guarded = [trade for trade in snapshot.holdings.value.trades if config.scope.includes(trade)]
    if not guarded:
        return Decision((), Reason("no_positions", "No running position is in the guard's scope."))
    price = snapshot.ticker.value.last_price
    guarded.sort(key=lambda trade: (-margin_used(trade, price), trade.id))
    purse = _Purse(snapshot.holdings.value.balance, list(snapshot.past))
    findings: list[Finding] = []
    actions: list[Action] = []
    for trade in guarded:
        reason = _judge(trade, snapshot, config, purse)
        findings.append(_finding(trade, price, config, reason))
        if reason.code == THRESHOLD_REACHED:
            actions.append(_action(trade, config.action))
            purse.spend(actions[-1], snapshot.now)
    return Decision(tuple(actions), _foremost(findings), tuple(findings), _watch(guarded, config))


def margin_used(trade: Trade, price: Decimal) -> Decimal:
    """max(0, −P&L at `price`) / margin, 1 at liquidation."""
    pl = profit_and_loss(side=trade.side, quantity=trade.quantity, entry=trade.price, price=price)
    return Decimal(max(0, -pl)) / trade.margin


def margin_ratio(trade: Trade, price: Decimal) -> Decimal:
    """LN Markets' ratio: maintenance / (maintenance + margin + P&L), 1 when nothing is left."""
    pl = profit_and_loss(side=trade.side, quantity=trade.quantity, entry=trade.price, price=price)
    total = trade.maintenance_margin + trade.margin + pl
    return Decimal(trade.maintenance_margin) / total if total > 0 else Decimal(1)


def acting_price(trade: Trade, threshold: Decimal) -> Decimal:
    """The price at which `trade` has used `threshold` of its margin."""
    loss = threshold * trade.margin
    return price_at_loss(side=trade.side, quantity=trade.quantity, entry=trade.price, loss=loss)


@dataclass(slots=True)
class _Purse:
    """What is left to spend while one decision walks over several positions."""

    balance: int
    past: list[PastAction]

    def spend(self, action: Action, now: datetime) -> None:
        sats = action.amount if isinstance(action, AddMargin) else 0
        self.balance -= sats
        self.past.append(PastAction(action.trade_id, sats, now))

    def spent_on(self, trade: Trade) -> int:
        return sum(done.sats for done in self.past if done.trade_id == trade.id)

    def spent_since(self, moment: datetime) -> int:
        return sum(done.sats for done in self.past if done.at > moment)

    def last_on(self, trade: Trade) -> datetime | None:
        return max((done.at for done in self.past if done.trade_id == trade.id), default=None)


def _judge(trade: Trade, snapshot: Snapshot, config: MarginGuardConfig, purse: _Purse) -> Reason:
    used = margin_used(trade, snapshot.ticker.value.last_price)
    if used < config.threshold:
        text = f"Margin used is {used:.2%}, below the threshold of {config.threshold:.2%}."
        return Reason("within_threshold", text)
    reached = f"Margin used is {used:.2%}, the threshold is {config.threshold:.2%}"
    obstacle = _obstacle(trade, snapshot, config, purse)
    if obstacle:
        return Reason(obstacle.code, f"{reached}, but {obstacle.text}", obstacle.severity)
    return Reason(THRESHOLD_REACHED, f"{reached}: {_intention(config.action)}")


def _obstacle(
    trade: Trade, snapshot: Snapshot, config: MarginGuardConfig, purse: _Purse
) -> Reason | None:
    last = purse.last_on(trade)
    wait = last and last + timedelta(seconds=config.cool_down) - snapshot.now
    if wait and wait > timedelta(0):
        text = f"the guard cools down for another {wait.total_seconds():.0f} s."
        return Reason("cooling_down", text)
    match config.action:
        case AddMarginSetting():
            if trade.id in snapshot.under_way:
                return Reason("under_way", "an earlier addition to it is just being sent.")
            if trade.id in snapshot.unsettled:
                text = "the outcome of an earlier addition to it is not known yet."
                return Reason("unsettled", text, Severity.CRITICAL)
            return _unaffordable(trade, config.action, purse, snapshot.now)
        case ClosePositionSetting():
            return None  # it may be repeated: an ambiguous top-up must not forbid the close
        case _:
            assert_never(config.action)


def _unaffordable(
    trade: Trade, action: AddMarginSetting, purse: _Purse, now: datetime
) -> Reason | None:
    amount, on_position, in_a_day = (
        action.amount,
        purse.spent_on(trade),
        purse.spent_since(now - DAY),
    )
    more = leverage_of(quantity=trade.quantity, price=trade.price, margin=trade.margin + amount)
    obstacles = {
        "cap_per_position": (
            on_position + amount > action.max_per_position,
            f"{on_position:,} of {action.max_per_position:,} sats are spent on this position.",
        ),
        "cap_per_day": (
            in_a_day + amount > action.max_per_day,
            f"{in_a_day:,} of {action.max_per_day:,} sats are spent in 24 hours.",
        ),
        "balance_too_small": (
            amount > purse.balance,
            f"the free balance is {purse.balance:,} sats and {amount:,} are needed.",
        ),
        "leverage_minimum": (more < 1, "more margin would bring the leverage below 1."),
    }
    for code, (applies, text) in obstacles.items():
        if applies:
            return Reason(code, text, Severity.CRITICAL)
    return None


def _intention(setting: AddMarginSetting | ClosePositionSetting) -> str:
    match setting:
        case AddMarginSetting(amount=amount):
            return f"adding {amount:,} sats of margin."
        case ClosePositionSetting():
            return "closing the position."
        case _:
            assert_never(setting)


def _action(trade: Trade, setting: AddMarginSetting | ClosePositionSetting) -> Action:
    match setting:
        case AddMarginSetting(amount=amount):
            return AddMargin(trade.id, amount)
        case ClosePositionSetting():
            return CloseTrade(trade.id)
        case _:
            assert_never(setting)


def _finding(trade: Trade, price: Decimal, config: MarginGuardConfig, reason: Reason) -> Finding:
    return Finding(
        trade_id=trade.id,
        reason=reason,
        margin_used=margin_used(trade, price).quantize(PLACES),
        margin_ratio=margin_ratio(trade, price).quantize(PLACES),
        liquidation_distance=(abs(price - trade.liquidation_price) / price).quantize(PLACES),
        acts_at=acting_price(trade, config.threshold),
    )


def _foremost(findings: Sequence[Finding]) -> Reason:
    """The reason that matters most: why it acts, what hinders it, what it waits for, all well."""
    order = {THRESHOLD_REACHED: 0, "under_way": 2, "cooling_down": 2, "within_threshold": 3}
    return min((finding.reason for finding in findings), key=lambda r: order.get(r.code, 1))


def _watch(trades: Sequence[Trade], config: MarginGuardConfig) -> tuple[Level, ...]:
    return tuple(
        Level(
            trade_id=trade.id,
            direction="at_or_below" if trade.side is Side.BUY else "at_or_above",
            price=acting_price(trade, config.threshold),
        )
        for trade in trades
    )
