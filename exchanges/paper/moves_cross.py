"""What the market does to cross margin: a move of the price, a funding. Pure.

A limit order fills at its own price when the last price touches it, from whichever side. It needs
margin when it is placed, and again when it fills: one that is no longer covered is cancelled. The
price moves along a line: what it passes first happens first. A liquidation takes the open orders
with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from exchanges import inverse_futures as futures
from exchanges.paper.account import Account
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.cross import Position
from exchanges.paper.records import Notification
from exchanges.paper.refusals import Refusal
from exchanges.types import (
    CrossOrder,
    FundingFee,
    FundingSettlement,
    OrderStatus,
    OrderType,
    Side,
)


def after_move(
    account: Account, *, before: Decimal, price: Decimal, at: datetime
) -> Iterator[Change]:
    """What a move of the last price does to the orders and the position."""
    market = _Market(account, price=price, at=at)
    touched = [
        order
        for order in account.open_orders.values()
        if min(before, price) <= order.price <= max(before, price)
    ]
    for order in sorted(touched, key=lambda order: abs(order.price - before)):
        if market.position.is_liquidated_at(order.price):
            break
        yield market.touch(order)
    if market.position.is_liquidated_at(price):
        yield from market.liquidate()


def after_funding(
    account: Account, settlement: FundingSettlement, *, price: Decimal, at: datetime
) -> list[Change]:
    """What a funding does to the position: a fee paid from or received into its margin.

    `price` is the last price. A margin that no longer carries the position is liquidated.
    """
    position = account.cross
    if not position.quantity:
        return []
    fee = futures.funding_fee(
        side=position.side,
        quantity=position.size,
        fixing_price=settlement.fixing_price,
        rate=settlement.rate,
    )
    market = _Market(account, price=price, at=at)
    return list(market.fund(settlement, min(fee, position.margin)))


@dataclass
class _Market:
    """One account while the market acts on it, its position changing on the way."""

    account: Account
    price: Decimal
    at: datetime

    def __post_init__(self) -> None:
        self.position = self.account.cross
        self.open = dict(self.account.open_orders)

    def touch(self, order: CrossOrder) -> Change:
        """Fill the order, or cancel it when the margin does not cover it."""
        del self.open[order.id]
        try:
            order, self.position = filled(
                self.account, self.position, order, at=self.at, mark=order.price
            )
        except Refusal:
            return self._change(Kind.CROSS_CANCEL, canceled(order, at=self.at))
        return self._change(Kind.CROSS_FILLED, order, self.position)

    def fund(self, settlement: FundingSettlement, fee: int) -> Iterator[Change]:
        """Take the fee, and end the position if nothing carries it any more."""
        self.position = self.position.funded(fee, at=self.at)
        record = FundingFee(fee=fee, settlement_id=settlement.id, at=self.at, trade_id=None)
        yield self._change(Kind.FUNDING, self.position, record)
        if self.position.is_liquidated_at(self.price):
            yield from self.liquidate()

    def liquidate(self) -> Iterator[Change]:
        """End the position and cancel what is still open."""
        ended, price = self.position, self.position.liquidation or self.price
        rate = self.account.fee_rate(self.at)
        self.position = ended.liquidated(price=price, fee_rate=rate, at=self.at)
        order = CrossOrder(
            id=_id_of(self.account, "liquidation", len(self.account.orders)),
            type=OrderType.LIQUIDATION,
            side=opposite(ended.side),
            status=OrderStatus.FILLED,
            quantity=ended.size,
            price=price,
            trading_fee=self.position.trading_fees - ended.trading_fees,
            created_at=self.at,
            filled_at=self.at,
            canceled_at=None,
            client_id=None,
        )
        notice = Notification(
            id=_id_of(self.account, "notification", len(self.account.orders)),
            type="liquidation",
            message=f"Your cross position of {ended.quantity} USD was liquidated at {price}",
            created_at=self.at,
        )
        yield self._change(Kind.CROSS_LIQUIDATION, order, self.position, notice)
        for each in self.open.values():
            yield self._change(Kind.CROSS_CANCEL, canceled(each, at=self.at))

    def _change(
        self, kind: Kind, *records: CrossOrder | Position | FundingFee | Notification
    ) -> Change:
        return Change(
            at=self.at,
            kind=kind,
            by=By.MARKET,
            price=self.price,
            account_id=self.account.id,
            records=records,
        )


def filled(
    account: Account,
    position: Position,
    order: CrossOrder,
    *,
    at: datetime,
    mark: Decimal,
    beside: Iterable[CrossOrder] = (),
) -> tuple[CrossOrder, Position]:
    """Order and position after the fill.

    Raises `Refusal` when the margin does not cover it, and the orders `beside` it.
    """
    after = position.filled(
        order.side, order.quantity, price=order.price, fee_rate=account.fee_rate(at), at=at
    )
    if position.growth(order.side, order.quantity) or after.quantity * position.quantity < 0:
        after.checked(mark=mark, orders=beside)
    fee = after.trading_fees - position.trading_fees
    return replace(order, status=OrderStatus.FILLED, trading_fee=fee, filled_at=at), after


def canceled(order: CrossOrder, *, at: datetime) -> CrossOrder:
    """The order, taken back before it filled."""
    return replace(order, status=OrderStatus.CANCELED, canceled_at=at)


def opposite(side: Side) -> Side:
    """The side that reduces a position."""
    return Side.SELL if side is Side.BUY else Side.BUY


def _id_of(account: Account, what: str, number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{account.id} {what} {number}"))
