"""What follows from a request about cross margin. Pure."""

from decimal import Decimal

from exchanges.paper.changes import Change, Kind
from exchanges.paper.commands import Nothing, OnTrade
from exchanges.paper.commands_cross import MoveSats, PlaceOrder, SetLeverage
from exchanges.paper.cross import Position
from exchanges.paper.decisions import Occasion
from exchanges.paper.moves_cross import canceled, filled, opposite
from exchanges.paper.refusals import Refusal
from exchanges.types import CrossOrder, OrderStatus, OrderType, Side, Transfer


def place_order(occasion: Occasion, command: PlaceOrder) -> list[Change]:
    """A market order fills at once; so does a limit that the last price stands at."""
    account, book = occasion.account, occasion.book
    order = _order(
        occasion,
        command.type,
        command.side,
        command.quantity,
        price=command.price or book.price_for(command.side, command.quantity),
        client_id=command.client_id,
    )
    if command.type is OrderType.MARKET or order.price == book.price:
        return [_filling(occasion, Kind.CROSS_ORDER, command, order)]
    if account.cross.growth(order.side, order.quantity):
        account.cross.checked(mark=book.price, orders=(*account.open_orders.values(), order))
    return [occasion.change(Kind.CROSS_ORDER, command, records=(order,))]


def cancel_order(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Take back a limit order."""
    order = occasion.account.open_orders.get(command.id)
    if order is None:
        finished = occasion.account.orders.get(command.id)
        raise Refusal(f"Order is {finished.status}, not open" if finished else "Order not found")
    order = canceled(order, at=occasion.at)
    return [occasion.change(Kind.CROSS_CANCEL, command, records=(order,))]


def cancel_all_orders(occasion: Occasion, command: Nothing) -> list[Change]:
    """Take back every limit order."""
    return [
        occasion.change(Kind.CROSS_CANCEL, command, records=(canceled(order, at=occasion.at),))
        for order in occasion.account.open_orders.values()
    ]


def close_position(occasion: Occasion, command: Nothing) -> list[Change]:
    """Sell or buy back the whole position."""
    position = occasion.account.cross
    if not position.quantity:
        raise Refusal("There is no running cross position")
    side = opposite(position.side)
    price = occasion.book.price_for(side, position.size)
    order = _order(occasion, OrderType.MARKET, side, position.size, price=price)
    return [_filling(occasion, Kind.CROSS_CLOSE, command, order)]


def set_leverage(occasion: Occasion, command: SetLeverage) -> list[Change]:
    """Tie up more or less of the margin."""
    position = occasion.account.cross.with_leverage(command.leverage, at=occasion.at)
    orders = occasion.account.open_orders.values()
    position.checked(mark=occasion.book.price, orders=orders)
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
    changes[0].the(Position).checked(mark=occasion.book.price, orders=account.open_orders.values())
    return changes


def _order(
    occasion: Occasion,
    type_: OrderType,
    side: Side,
    quantity: int,
    *,
    price: Decimal,
    client_id: str | None = None,
) -> CrossOrder:
    return CrossOrder(
        id=occasion.id,
        type=type_,
        side=side,
        status=OrderStatus.OPEN,
        quantity=quantity,
        price=price,
        trading_fee=0,
        created_at=occasion.at,
        filled_at=None,
        canceled_at=None,
        client_id=client_id,
    )


def _filling(
    occasion: Occasion, kind: Kind, command: PlaceOrder | Nothing, order: CrossOrder
) -> Change:
    account = occasion.account
    order, position = filled(
        account,
        account.cross,
        order,
        at=occasion.at,
        mark=occasion.book.price,
        beside=account.open_orders.values(),
    )
    return occasion.change(kind, command, records=(order, position))


def _transferred(
    occasion: Occasion, kind: Kind, command: MoveSats, amount: int, *, balance: int
) -> list[Change]:
    position = occasion.account.cross
    position = position.with_margin(position.margin + amount, at=occasion.at)
    transfer = Transfer(id=occasion.id, amount=amount, at=occasion.at)
    return [occasion.change(kind, command, balance=balance, records=(position, transfer))]
