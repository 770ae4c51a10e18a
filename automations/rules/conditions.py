"""Conditions on price, P&L, margin use, funding and time, each true or false of a snapshot."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self, assert_never

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator, model_validator

from automations.rules.base import Direction, Level, RuleConfig
from automations.rules.levels import crossing
from automations.rules.measures import PLACES, Position
from automations.rules.orders import Price
from automations.rules.scope import Scope
from automations.snapshots import Snapshot

HUNDRED = Decimal(100)
Percent = Annotated[Decimal, Field(gt=-100, le=10_000, decimal_places=4)]
FundingRate = Annotated[Decimal, Field(ge=-10, le=10, decimal_places=6)]


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
    """The last price."""

    type: Literal["price"]
    at_or_above: Price | None = None
    """In USD; give this or `at_or_below`."""
    at_or_below: Price | None = None
    """In USD; give this or `at_or_above`."""


class PnlCondition(_Bound):
    """The P&L of any position in the scope, in % of its margin."""

    type: Literal["pnl"]
    at_or_above: Percent | None = None
    """In % of the margin; give this or `at_or_below`."""
    at_or_below: Percent | None = None
    """In % of the margin; give this or `at_or_above`."""
    scope: Scope = Scope()
    """Of which positions."""


class MarginCondition(_Bound):
    """The margin used by any position in the scope: 0 without a loss, 1 at liquidation."""

    type: Literal["margin_used"]
    at_or_above: Annotated[Decimal, Field(gt=0, le=1, decimal_places=4)] | None = None
    """As a fraction; give this or `at_or_below`."""
    at_or_below: Annotated[Decimal, Field(ge=0, lt=1, decimal_places=4)] | None = None
    """As a fraction; give this or `at_or_above`."""
    scope: Scope = Scope()
    """Of which positions."""


class FundingCondition(_Bound):
    """The funding rate to come; longs pay when it is above 0."""

    type: Literal["funding"]
    at_or_above: FundingRate | None = None
    """In % per funding; give this or `at_or_below`."""
    at_or_below: FundingRate | None = None
    """In % per funding; give this or `at_or_above`."""


class TimeCondition(RuleConfig):
    """A moment has come."""

    type: Literal["time"]
    at: AwareDatetime
    """From when on, with its time zone, such as `2027-01-31T09:00:00+01:00`."""

    @field_validator("at")
    @classmethod
    def _is_to_come(cls, at: datetime, info: ValidationInfo) -> datetime:
        now = (info.context or {}).get("now")
        if now is not None and at <= now:
            raise ValueError(f"must be in the future; it is {now:%Y-%m-%d %H:%M %Z} now")
        return at


Condition = Annotated[
    PriceCondition | PnlCondition | MarginCondition | FundingCondition | TimeCondition,
    Field(discriminator="type"),
]


def prices(conditions: Iterable[Condition]) -> Iterator[Decimal]:
    """The bounds of those that are on the price."""
    for each in conditions:
        if isinstance(each, PriceCondition):
            yield from (bound for bound in (each.at_or_above, each.at_or_below) if bound)


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
    values = ", ".join(_shown(value) for value in _values(condition, snapshot))
    above = condition.at_or_above
    wanted = f">= {above:,}" if above is not None else f"<= {condition.at_or_below:,}"
    return f"{condition.type} is {values or 'not there'}, wanted {wanted}"


def _shown(value: Decimal) -> str:
    return f"{value.quantize(PLACES).normalize():,f}"


def levels(condition: Condition, snapshot: Snapshot) -> Iterator[Level]:
    """Where the price makes it so, or not so any more; none for what no price decides."""
    price = snapshot.price
    match condition:
        case PriceCondition(at_or_above=above, at_or_below=below):
            yield from crossing("", "at_or_above", above, price=price)
            yield from crossing("", "at_or_below", below, price=price)
        case PnlCondition(scope=scope) | MarginCondition(scope=scope):
            for position in scope.positions(snapshot):
                direction, at = _bound_on(position, condition)
                yield from crossing(position.name, direction, at, price=price)
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


def _bound_on(
    position: Position, condition: PnlCondition | MarginCondition
) -> tuple[Direction, Decimal | None]:
    """A bound on a position's P&L or margin use, as one on the price."""
    above, below = condition.at_or_above, condition.at_or_below
    if isinstance(condition, MarginCondition):
        above, below = _negated(below), _negated(above)
    else:
        above, below = _as_share(above), _as_share(below)
    if above is not None:
        return position.gaining, position.price_of_gain(above)
    return position.losing, position.price_of_loss(-(below or Decimal(0)))


def _negated(used: Decimal | None) -> Decimal | None:
    """Margin used as a P&L: the other way round."""
    return None if used is None else -used


def _as_share(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent / HUNDRED
