"""How a position stands at a price, and at which price it would stand otherwise.

A position is an isolated trade, or the cross-margin position as if it were one: long or short
`quantity` USD from a `basis` price, with a `margin` in sats that is gone at liquidation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from automations.rules.actions import CloseTrade, OrderCross
from automations.rules.base import Finding, Reason
from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK, price_at_loss, profit_and_loss
from exchanges.types import CrossPosition, Side, Trade

PLACES = Decimal("0.0001")

CROSS = "cross"
"""What the cross-margin position is called where trades are named by their ids."""


@dataclass(frozen=True, slots=True)
class Position:
    """What rules measure. `name` is the trade's id, or `cross`; `reserve` is kept for fees.

    `margin` is what the position can lose, `reserve` the maintenance margin; both in sats.
    """

    name: str
    side: Side
    quantity: int
    basis: Decimal
    margin: int
    reserve: int
    liquidation_price: Decimal | None

    def pl(self, price: Decimal) -> int:
        """P&L in sats at `price`."""
        return profit_and_loss(
            side=self.side, quantity=self.quantity, entry=self.basis, price=price
        )

    def pl_share(self, price: Decimal) -> Decimal:
        """P&L at `price` as a fraction of the margin."""
        return Decimal(self.pl(price)) / self.margin

    def margin_used(self, price: Decimal) -> Decimal:
        """max(0, −P&L) / margin: 0 without a loss, 1 at liquidation."""
        return max(Decimal(0), -self.pl_share(price))

    def margin_ratio(self, price: Decimal) -> Decimal:
        """The exchange's ratio: maintenance / (maintenance + margin + P&L), 1 at the end."""
        total = self.reserve + self.margin + self.pl(price)
        return Decimal(self.reserve) / total if total > 0 else Decimal(1)

    def liquidation_distance(self, price: Decimal) -> Decimal | None:
        """|price − liquidation price| / price."""
        if self.liquidation_price is None:
            return None
        return abs(price - self.liquidation_price) / price

    def is_liquidated(self, price: Decimal) -> bool:
        """Whether `price` is at or beyond the liquidation price."""
        level = self.liquidation_price
        if level is None:
            return False
        return price <= level if self.side is Side.BUY else price >= level

    def closing(self) -> CloseTrade | OrderCross:
        """The action that closes it whole."""
        if self.name == CROSS:
            return OrderCross(self.opposite, self.quantity, reduces=True)
        return CloseTrade(self.name)

    @property
    def opposite(self) -> Side:
        """The side of an order that makes it smaller."""
        return Side.SELL if self.side is Side.BUY else Side.BUY

    def losing_direction(self) -> Literal["at_or_below", "at_or_above"]:
        """Where the price has to go for it to lose."""
        return "at_or_below" if self.side is Side.BUY else "at_or_above"

    def gaining_direction(self) -> Literal["at_or_below", "at_or_above"]:
        """Where the price has to go for it to gain."""
        return "at_or_above" if self.side is Side.BUY else "at_or_below"

    def price_of_loss(self, share: Decimal) -> Decimal:
        """The first price, in ticks, at which the P&L is −`share` of the margin, or worse.

        A negative `share` is a gain that is no longer exceeded.
        """
        step = -PRICE_TICK if self.side is Side.BUY else PRICE_TICK
        return first_price(lambda price: self.pl_share(price) <= -share, self._near(share), step)

    def price_of_gain(self, share: Decimal) -> Decimal:
        """The first price, in ticks, at which the P&L is `share` of the margin, or better."""
        step = PRICE_TICK if self.side is Side.BUY else -PRICE_TICK
        return first_price(lambda price: self.pl_share(price) >= share, self._near(-share), step)

    def _near(self, share: Decimal) -> Decimal:
        return price_at_loss(
            side=self.side, quantity=self.quantity, entry=self.basis, loss=share * self.margin
        )


def measured(
    position: Position, price: Decimal, *, reason: Reason, acts_at: Decimal | None
) -> Finding:
    """What a rule found of a position with the market at `price`."""
    distance = position.liquidation_distance(price)
    return Finding(
        trade_id=position.name,
        reason=reason,
        margin_used=position.margin_used(price).quantize(PLACES),
        margin_ratio=position.margin_ratio(price).quantize(PLACES),
        liquidation_distance=None if distance is None else distance.quantize(PLACES),
        acts_at=acts_at,
    )


def of_trade(trade: Trade) -> Position:
    """An isolated trade."""
    return Position(
        name=trade.id,
        side=trade.side,
        quantity=trade.quantity,
        basis=trade.price,
        margin=trade.margin,
        reserve=trade.maintenance_margin,
        liquidation_price=trade.liquidation_price,
    )


def of_cross(position: CrossPosition) -> Position | None:
    """The cross-margin position; None when it is flat.

    It is liquidated when its collateral less the maintenance margin is lost.
    """
    if not position.quantity or position.entry_price is None:
        return None
    return Position(
        name=CROSS,
        side=Side.BUY if position.quantity > 0 else Side.SELL,
        quantity=abs(position.quantity),
        basis=position.entry_price,
        margin=max(1, position.margin - position.maintenance_margin),
        reserve=position.maintenance_margin,
        liquidation_price=position.liquidation_price,
    )


def first_price(holds: Callable[[Decimal], bool], near: Decimal, step: Decimal) -> Decimal:
    """The first price, in ticks on the way of `step`, at which `holds` becomes true.

    It must be true from one price on, all the way; the search begins `near` it.
    """
    price = min(max(near, PRICE_TICK), MAX_PRICE)
    while not holds(price) and PRICE_TICK <= price + step <= MAX_PRICE:
        price += step
    while PRICE_TICK <= price - step <= MAX_PRICE and holds(price - step):
        price -= step
    return price
