"""Conditions on price, P&L, margin use, funding and time, each true or false of a snapshot."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self, assert_never

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator, model_validator

from automations.rules.base import Level, RuleConfig
from automations.rules.measures import Position
from automations.rules.orders import Price
from automations.rules.scope import Scope
from automations.snapshots import Snapshot
from exchanges.inverse_futures import PRICE_TICK

HUNDRED = Decimal(100)
Percent = Annotated[Decimal, Field(ge=-10_000, le=10_000, decimal_places=4)]


class _Bound(RuleConfig):
    """Exactly one of the two bounds."""

    at_or_above: Decimal | None = None
    at_or_below: Decimal | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        given = [getattr(self, name) is not None for name in ("at_or_above", "at_or_below")]
        if sum(given) != 1:
            raise ValueError("at_or_above, at_or_below: give exactly one of the two")
        return self


class PriceCondition(_Bound):
    """The last price, in USD."""

    type: Literal["price"]
    at_or_above: Price | None = None
    at_or_below: Price | None = None


class PnlCondition(_Bound):
    """The P&L of any position in the scope, in % of its margin."""

    type: Literal["pnl"]
    at_or_above: Percent | None = None
    at_or_below: Percent | None = None
    scope: Scope = Scope()


class MarginCondition(_Bound):
    """The margin used by any position in the scope: 0 without a loss, 1 at liquidation."""

    type: Literal["margin_used"]
    at_or_above: Annotated[Decimal, Field(gt=0, le=1)] | None = None
    at_or_below: Annotated[Decimal, Field(ge=0, lt=1)] | None = None
    scope: Scope = Scope()


class FundingCondition(_Bound):
    """The funding rate to come, in % per funding; longs pay when it is above 0."""

    type: Literal["funding"]
    at_or_above: Percent | None = None
    at_or_below: Percent | None = None


class TimeCondition(RuleConfig):
    """From `at` on."""

    type: Literal["time"]
    at: AwareDatetime

    @field_validator("at")
    @classmethod
    def _is_to_come(cls, at: datetime, info: ValidationInfo) -> datetime:
        now = (info.context or {}).get("now")
        if now is not None and at <= now:
            raise ValueError(f"must be in the future; it is {now:%Y-%m-%d %H:%M} UTC now")
        return at


Condition = Annotated[
    PriceCondition | PnlCondition | MarginCondition | FundingCondition | TimeCondition,
    Field(discriminator="type"),
]


def scope_of(condition: Condition) -> Scope | None:
    """The positions that it looks at, if any."""
    return condition.scope if isinstance(condition, PnlCondition | MarginCondition) else None


def holds(condition: Condition, snapshot: Snapshot) -> bool:
    """Whether it is so now. What cannot be measured, such as the P&L of nothing, is not so."""
    if isinstance(condition, TimeCondition):
        return snapshot.now >= condition.at
    return any(_is_within(value, condition) for value in _values(condition, snapshot))


def said(condition: Condition, snapshot: Snapshot) -> str:
    """The condition and what it is measured at, for people."""
    if isinstance(condition, TimeCondition):
        return f"time is {snapshot.now:%Y-%m-%d %H:%M}, wanted from {condition.at:%Y-%m-%d %H:%M}"
    values = ", ".join(f"{value:,.2f}" for value in _values(condition, snapshot))
    above = condition.at_or_above
    wanted = f">= {above:,}" if above is not None else f"<= {condition.at_or_below:,}"
    return f"{condition.type} is {values or 'not there'}, wanted {wanted}"


def levels(condition: Condition, snapshot: Snapshot) -> Iterator[Level]:
    """Where the price makes it so, or not so any more; none for what no price decides."""
    match condition:
        case PriceCondition(at_or_above=above, at_or_below=below):
            yield from _crossings("", above, below, snapshot.price)
        case PnlCondition() | MarginCondition():
            for position in condition.scope.positions(snapshot):
                yield from _of_position(condition, position, snapshot.price)
        case FundingCondition() | TimeCondition():
            return
        case _:
            assert_never(condition)


def _values(
    condition: PriceCondition | PnlCondition | MarginCondition | FundingCondition,
    snapshot: Snapshot,
) -> Iterable[Decimal]:
    match condition:
        case PriceCondition():
            yield snapshot.price
        case PnlCondition(scope=scope):
            for position in scope.positions(snapshot):
                yield position.pl_share(snapshot.price) * HUNDRED
        case MarginCondition(scope=scope):
            for position in scope.positions(snapshot):
                yield position.margin_used(snapshot.price)
        case FundingCondition():
            rate = snapshot.ticker.value.funding_rate
            if rate is not None:
                yield rate * HUNDRED
        case _:
            assert_never(condition)


def _is_within(value: Decimal, condition: _Bound) -> bool:
    above, below = condition.at_or_above, condition.at_or_below
    return value >= above if above is not None else below is not None and value <= below


def _crossings(
    name: str, above: Decimal | None, below: Decimal | None, price: Decimal
) -> Iterator[Level]:
    """The level at which a bound on the price is reached, or left again."""
    if above is not None:
        if price < above:
            yield Level(name, "at_or_above", above)
        else:
            yield Level(name, "at_or_below", above - PRICE_TICK)
    if below is not None:
        if price > below:
            yield Level(name, "at_or_below", below)
        else:
            yield Level(name, "at_or_above", below + PRICE_TICK)


def _of_position(
    condition: PnlCondition | MarginCondition, position: Position, price: Decimal
) -> Iterator[Level]:
    """A bound on a position's P&L, as bounds on the price."""
    gain, loss = _as_gain_or_loss(condition)
    if gain is not None:
        at, direction = position.price_of_gain(gain), position.gaining_direction()
    else:
        at, direction = position.price_of_loss(loss), position.losing_direction()
    above, below = (at, None) if direction == "at_or_above" else (None, at)
    yield from _crossings(position.name, above, below, price)


def _as_gain_or_loss(
    condition: PnlCondition | MarginCondition,
) -> tuple[Decimal | None, Decimal]:
    """At least this gain, or else at least this loss, both as shares of the margin."""
    if isinstance(condition, PnlCondition):
        above, below = condition.at_or_above, condition.at_or_below
        if above is not None:
            return above / HUNDRED, Decimal(0)
        return None, -(below or Decimal(0)) / HUNDRED
    if condition.at_or_above is not None:
        return None, condition.at_or_above
    return -(condition.at_or_below or Decimal(0)), Decimal(0)
