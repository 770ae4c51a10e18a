"""trigger_order: one order, once, when its conditions hold.

`all` of the conditions must hold together, or `any` one. It has fired when its order was sent, or
may have been: an order of unknown outcome is never sent again, one that was refused may be.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, assert_never

from pydantic import Field, StrictInt

from automations.rules import conditions
from automations.rules.actions import Action, OrderCross
from automations.rules.auto_entry import OWN_ORDER
from automations.rules.base import Decision, Level, Reason, RuleConfig, RuleMemory, Severity
from automations.rules.buying import Market, Spot, Swap
from automations.rules.conditions import Condition
from automations.rules.measures import CROSS
from automations.rules.orders import Entry
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
    """A market order of `quantity` USD on the cross-margin position."""

    type: Literal["cross"]
    side: Literal["long", "short"]
    quantity: StrictInt = Field(ge=1, le=500_000)

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
        held = snapshot.holdings.value.cross.quantity if snapshot.holdings.value.cross else 0
        against = held < 0 if side is Side.BUY else held > 0
        return OrderCross(side, self.quantity, reduces=against and self.quantity <= abs(held))


class Purchase(RuleConfig):
    """Buy bitcoin, or another asset, for `amount` of the quote currency."""

    type: Literal["buy"]
    market: Market
    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2)]

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
    when: Literal["all", "any"] = "all"
    order: Order = Field(discriminator="type")

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
    held = [conditions.holds(each, snapshot) for each in config.conditions]
    said = "; ".join(conditions.said(each, snapshot) for each in config.conditions)
    if not (all(held) if config.when == "all" else any(held)):
        text = f"{sum(held)} of {len(held)} conditions hold: {said}."
        return Decision((), Reason("conditions_not_met", text), watch=watch, waits=True)
    obstacle = _obstacle(snapshot, config.order)
    if obstacle:
        reason = Reason(
            obstacle.code, f"Its conditions hold, but {obstacle.text}", obstacle.severity
        )
        return Decision((), reason, watch=watch, waits=True)
    reason = Reason("conditions_met", f"Its conditions hold: {said}.")
    return Decision((_action(snapshot, config.order),), reason, watch=watch)


def _levels(snapshot: Snapshot, config: TriggerOrderConfig) -> Iterator[Level]:
    for each in config.conditions:
        yield from conditions.levels(each, snapshot)


def _obstacle(snapshot: Snapshot, order: Order) -> Reason | None:
    if order.target in snapshot.under_way:
        return Reason("under_way", "an order is just being sent there.")
    if order.target in snapshot.unsettled:
        text = "what became of an earlier order there is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    match order:
        case IsolatedOrder():
            return order.obstacle(snapshot)
        case Purchase(amount=amount, market=market):
            return _unaffordable(snapshot, market, amount)
        case CrossOrder():
            return None  # the exchange knows what its collateral allows
        case _:
            assert_never(order)


def _unaffordable(snapshot: Snapshot, market: Swap | Spot, amount: Decimal) -> Reason | None:
    smallest = market.smallest(snapshot.quote(market.symbol).ask)
    if amount < smallest:
        text = f"{amount:,} is less than the smallest purchase of {smallest:,}."
        return Reason("amount_too_small", text, Severity.CRITICAL)
    free = market.money(snapshot)
    if amount > free:
        text = f"{free:,} are free and {amount:,} are needed."
        return Reason("balance_too_small", text, Severity.CRITICAL)
    return None


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
