"""What follows from a request about cross margin, a move of the price, or a funding. Pure.

A limit order fills at its own price when the last price touches it, from whichever side. It needs
margin when it is placed, and again when it fills: one that is no longer covered is cancelled. The
price moves along a line: what it passes first happens first. A liquidation takes the open orders
with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from exchanges import inverse_futures as futures
from exchanges.paper.account import Account
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.commands import Nothing, OnTrade
from exchanges.paper.commands_cross import MoveSats, PlaceOrder, SetLeverage
from exchanges.paper.cross import Position, margin_for
from exchanges.paper.decisions import Occasion
from exchanges.paper.records import Notification
from exchanges.paper.refusals import Refusal
from exchanges.types import (
    CrossOrder,
    FundingFee,
    FundingSettlement,
    OrderStatus,
    OrderType,
    Side,
    Transfer,
)


def place_order(occasion: Occasion, command: PlaceOrder) -> list[Change]:
    """A market order fills at once; so does a limit that the last price stands at."""
    account, book = occasion.account, occasion.book
    is_market = command.type is OrderType.MARKET
    order = CrossOrder(
        id=occasion.id,
        type=command.type,
        side=command.side,
        status=OrderStatus.OPEN,
        quantity=command.quantity,
        price=command.price or book.price_for(command.side, command.quantity),
        trading_fee=0,
        created_at=occasion.at,
        filled_at=None,
        canceled_at=None,
        client_id=command.client_id,
    )
    if is_market or order.price == book.price:
        order, position = _filled(account, account.cross, order, at=occasion.at, mark=book.price)
        return [occasion.change(Kind.CROSS_ORDER, command, records=(order, position))]
    if account.cross.growth(order.side, order.quantity):
        account.cross.checked(mark=book.price, orders_need=orders_need(account, order))
    return [occasion.change(Kind.CROSS_ORDER, command, records=(order,))]


def cancel_order(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Take back a limit order."""
    order = occasion.account.open_orders.get(command.id)
    if order is None:
        finished = occasion.account.orders.get(command.id)
        raise Refusal(f"Order is {finished.status}, not open" if finished else "Order not found")
    order = _canceled(order, at=occasion.at)
    return [occasion.change(Kind.CROSS_CANCEL, command, records=(order,))]


def cancel_all_orders(occasion: Occasion, command: Nothing) -> list[Change]:
    """Take back every limit order."""
    return [
        occasion.change(Kind.CROSS_CANCEL, command, records=(_canceled(order, at=occasion.at),))
        for order in occasion.account.open_orders.values()
    ]


def close_position(occasion: Occasion, command: Nothing) -> list[Change]:
    """Sell or buy back the whole position."""
    position = occasion.account.cross
    if not position.quantity:
        raise Refusal("There is no running cross position")
    side = _opposite(position.side)
    order = CrossOrder(
        id=occasion.id,
        type=OrderType.MARKET,
        side=side,
        status=OrderStatus.OPEN,
        quantity=position.size,
        price=occasion.book.price_for(side, position.size),
        trading_fee=0,
        created_at=occasion.at,
        filled_at=None,
        canceled_at=None,
        client_id=None,
    )
    order, position = _filled(
        occasion.account, position, order, at=occasion.at, mark=occasion.book.price
    )
    return [occasion.change(Kind.CROSS_CLOSE, command, records=(order, position))]


def set_leverage(occasion: Occasion, command: SetLeverage) -> list[Change]:
    """Tie up more or less of the margin."""
    position = occasion.account.cross.with_leverage(command.leverage, at=occasion.at)
    account = replace(occasion.account, cross=position)
    position.checked(mark=occasion.book.price, orders_need=orders_need(account))
    return [occasion.change(Kind.CROSS_LEVERAGE, command, records=(position,))]


def deposit(occasion: Occasion, command: MoveSats) -> list[Change]:
    """Move sats from the balance to the margin."""
    balance = occasion.balance_after(command.amount)
    return _transferred(occasion, Kind.CROSS_DEPOSIT, command, command.amount, balance=balance)


def withdraw(occasion: Occasion, command: MoveSats) -> list[Change]:
    """Move sats from the margin to the balance, as far as nothing needs them."""
    account = occasion.account
    if command.amount > account.cross.margin:
        raise Refusal(
            f"Insufficient cross margin: {command.amount} sats wanted, {account.cross.margin} there"
        )
    balance = account.balance + command.amount
    changes = _transferred(
        occasion, Kind.CROSS_WITHDRAWAL, command, -command.amount, balance=balance
    )
    changes[0].the(Position).checked(mark=occasion.book.price, orders_need=orders_need(account))
    return changes


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


def orders_need(account: Account, *more: CrossOrder) -> int:
    """Sats that the open orders of the account, and `more`, would tie up if they filled now."""
    position = account.cross
    return sum(
        margin_for(
            position.growth(order.side, order.quantity),
            price=order.price,
            leverage=position.leverage,
        )
        for order in (*account.open_orders.values(), *more)
    )


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
            order, self.position = _filled(
                self.account, self.position, order, at=self.at, mark=order.price
            )
        except Refusal:
            return self._change(Kind.CROSS_CANCEL, _canceled(order, at=self.at))
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
            side=_opposite(ended.side),
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
            yield self._change(Kind.CROSS_CANCEL, _canceled(each, at=self.at))

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


def _filled(
    account: Account, position: Position, order: CrossOrder, *, at: datetime, mark: Decimal
) -> tuple[CrossOrder, Position]:
    """Order and position after the fill. Raises `Refusal` when the margin does not cover it."""
    after = position.filled(
        order.side, order.quantity, price=order.price, fee_rate=account.fee_rate(at), at=at
    )
    if position.growth(order.side, order.quantity) or after.quantity * position.quantity < 0:
        after.checked(mark=mark)
    fee = after.trading_fees - position.trading_fees
    filled = replace(order, status=OrderStatus.FILLED, trading_fee=fee, filled_at=at)
    return filled, after


def _canceled(order: CrossOrder, *, at: datetime) -> CrossOrder:
    return replace(order, status=OrderStatus.CANCELED, canceled_at=at)


def _transferred(
    occasion: Occasion, kind: Kind, command: MoveSats, amount: int, *, balance: int
) -> list[Change]:
    position = occasion.account.cross
    position = position.with_margin(position.margin + amount, at=occasion.at)
    transfer = Transfer(id=occasion.id, amount=amount, at=occasion.at)
    return [occasion.change(kind, command, balance=balance, records=(position, transfer))]


def _opposite(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def _id_of(account: Account, what: str, number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{account.id} {what} {number}"))
