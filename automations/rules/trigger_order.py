"""trigger_order: one order, once, when its conditions hold.

`all` of the conditions must hold together, or `any` one. It has fired when its order was sent, or
may have been: an order of unknown outcome is never sent again, one that was refused may be.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from automations.rules import conditions
from automations.rules.actions import Action, OrderCross
from automations.rules.base import Decision, Level, Reason, RuleConfig, RuleMemory
from automations.rules.buying import Market, hindrance
from automations.rules.conditions import Condition
from automations.rules.measures import CROSS
from automations.rules.orders import Entry
from automations.rules.unfinished import OWN_ORDER, unfinished
from automations.snapshots import Snapshot
from exchanges.types import Capability, Side


class IsolatedOrder(Entry):
    """Open an isolated trade at the market."""

    type: Literal["isolated"]

    @property
    def target(self) -> str:
        """What stands for it in a snapshot's `under_way` and `unsettled`."""
        return OWN_ORDER

    def needs(self) -> frozenset[Capability]:
        """Isolated margin."""
        return frozenset({Capability.ISOLATED})


class CrossOrder(RuleConfig):
    """A market order on the cross-margin position."""

    type: Literal["cross"]
    side: Literal["long", "short"]
    """Which way."""
    quantity: StrictInt = Field(ge=1, le=500_000)
    """In USD."""

    @property
    def target(self) -> str:
        """What stands for it in a snapshot's `under_way` and `unsettled`."""
        return CROSS

    def needs(self) -> frozenset[Capability]:
        """Cross margin."""
        return frozenset({Capability.CROSS})

    def action(self, snapshot: Snapshot) -> OrderCross:
        """The order, which reduces when it goes against the position and is not larger."""
        side = Side.BUY if self.side == "long" else Side.SELL
        held = snapshot.cross.quantity
        against = held < 0 if side is Side.BUY else held > 0
        return OrderCross(side, self.quantity, reduces=against and self.quantity <= abs(held))


class Purchase(RuleConfig):
    """Buy bitcoin, or another asset."""

    type: Literal["buy"]
    market: Market
    """Where."""
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2)]
    """For how much, in the quote currency (US dollars)."""

    @property
    def target(self) -> str:
        """What stands for it in a snapshot's `under_way` and `unsettled`."""
        return self.market.target

    def needs(self) -> frozenset[Capability]:
        """What the market needs."""
        return self.market.needs()


Order = IsolatedOrder | CrossOrder | Purchase


class TriggerOrderConfig(RuleConfig):
    """The order, and what has to be so before it is sent."""

    conditions: tuple[Condition, ...] = Field(min_length=1, max_length=10)
    """What has to be so."""
    when: Literal["all", "any"] = "all"
    """Whether all of the conditions have to hold together, or any one."""
    order: Order = Field(discriminator="type")
    """What is sent, once."""

    @field_validator("order")
    @classmethod
    def _opens_where_it_fires(cls, order: Order, info: ValidationInfo) -> Order:
        given = info.data.get("conditions", ())
        if isinstance(order, IsolatedOrder) and (info.data.get("when") == "all" or len(given) == 1):
            for price in conditions.prices(given):
                if flaw := order.flaw_at(price):
                    raise ValueError(flaw[1])
        return order

    def needs(self) -> frozenset[Capability]:
        """What the order needs, and the positions that conditions look at."""
        scopes = [scope.needs() for each in self.conditions if (scope := conditions.scope_of(each))]
        return self.order.needs().union(*scopes)

    def symbols(self) -> tuple[str, ...]:
        """The market of a purchase."""
        return (self.order.market.symbol,) if isinstance(self.order, Purchase) else ()


def decide(snapshot: Snapshot, config: TriggerOrderConfig, memory: RuleMemory) -> Decision:
    """The order, if it was not sent before and its conditions hold."""
    if snapshot.lifetime.count:
        return Decision((), Reason("fired", "It has fired: its order was sent once."))
    watch = tuple(_levels(snapshot, config))
    said = "; ".join(conditions.said(each, snapshot) for each in config.conditions)
    if not _hold(snapshot, config):
        text = f"Its conditions do not hold; wanted {config.when} of: {said}."
        return Decision((), Reason("conditions_not_met", text), watch=watch, waits=True)
    obstacle = _obstacle(snapshot, config.order)
    if obstacle:
        text = f"Its conditions hold, but {obstacle.text}"
        return Decision((), replace(obstacle, text=text), watch=watch, waits=True)
    reason = Reason("conditions_met", f"Its conditions hold: {said}.")
    return Decision((_action(snapshot, config.order),), reason, watch=watch)


def _levels(snapshot: Snapshot, config: TriggerOrderConfig) -> Iterator[Level]:
    for each in config.conditions:
        yield from conditions.levels(each, snapshot)
    if isinstance(config.order, IsolatedOrder) and _hold(snapshot, config):
        yield from config.order.levels(snapshot)


def _hold(snapshot: Snapshot, config: TriggerOrderConfig) -> bool:
    held = (conditions.holds(each, snapshot) for each in config.conditions)
    return all(held) if config.when == "all" else any(held)


def _obstacle(snapshot: Snapshot, order: Order) -> Reason | None:
    if reason := unfinished(snapshot, order.target):
        return reason
    match order:
        case IsolatedOrder():
            return order.obstacle(snapshot)
        case Purchase(amount=amount, market=market):
            return hindrance(snapshot, market, amount)
        case CrossOrder():
            return None  # the exchange knows what its collateral allows
        case _:
            assert_never(order)


def _action(snapshot: Snapshot, order: Order) -> Action:
    match order:
        case IsolatedOrder():
            return order.action()
        case CrossOrder():
            return order.action(snapshot)
        case Purchase(amount=amount, market=market):
            return market.buy(amount, snapshot)
        case _:
            assert_never(order)
