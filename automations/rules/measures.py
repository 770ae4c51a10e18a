"""How a position stands at a price, and at which price it would stand otherwise.

A position is an isolated trade, or the cross-margin position as if it were one: long or short
`quantity` USD from a `basis` price, with a `margin` in sats that is gone at liquidation.
"""

from dataclasses import dataclass
from decimal import Decimal

from automations.rules.actions import CloseTrade, OrderCross
from automations.rules.base import Direction, Finding, Reason
from automations.rules.levels import first_price
from exchanges.inverse_futures import price_at_loss, profit_and_loss
from exchanges.types import CrossPosition, Side, Trade

PLACES = Decimal("0.0001")

MIN_LEVERAGE, MAX_LEVERAGE = Decimal(1), Decimal(100)
"""What an order may say."""

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

    @property
    def losing(self) -> Direction:
        """Where the price has to go for it to lose."""
        return "at_or_below" if self.side is Side.BUY else "at_or_above"

    @property
    def gaining(self) -> Direction:
        """Where the price has to go for it to gain."""
        return "at_or_above" if self.side is Side.BUY else "at_or_below"

    def price_of_loss(self, share: Decimal) -> Decimal | None:
        """The first price, in ticks, at which the P&L is −`share` of the margin, or worse.

        A negative `share` is a gain that is no longer exceeded. None: no price makes it so; the
        same holds for the other prices below.
        """
        near = self.price_near_loss(share * self.margin)
        return first_price(lambda at: self.pl_share(at) <= -share, near=near, direction=self.losing)

    def price_of_gain(self, share: Decimal) -> Decimal | None:
        """The first price, in ticks, at which the P&L is `share` of the margin, or better."""
        near = self.price_near_loss(-share * self.margin)
        return first_price(lambda at: self.pl_share(at) >= share, near=near, direction=self.gaining)

    def price_of_ratio(self, ratio: Decimal) -> Decimal | None:
        """The first price, in ticks, at which the exchange's ratio is `ratio` or worse."""
        near = self.price_near_loss(self.reserve + self.margin - self.reserve / ratio)
        return first_price(
            lambda at: self.margin_ratio(at) >= ratio, near=near, direction=self.losing
        )

    def price_of_distance(self, share: Decimal) -> Decimal | None:
        """The first price, in ticks, from which liquidation is no farther than `share` of it."""
        level = self.liquidation_price
        if level is None:
            return None
        near = level / (1 - share if self.side is Side.BUY else 1 + share)
        return first_price(
            lambda at: self.is_near_liquidation(at, share), near=near, direction=self.losing
        )

    def is_near_liquidation(self, price: Decimal, share: Decimal) -> bool:
        """Whether liquidation is no farther from `price` than `share` of it, or past."""
        distance = self.liquidation_distance(price)
        return distance is not None and (distance <= share or self.is_liquidated(price))

    def price_near_loss(self, loss: Decimal) -> Decimal:
        """About the price at which `loss` sats are lost."""
        return price_at_loss(
            side=self.side, quantity=self.quantity, entry=self.basis, loss=Decimal(loss)
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
