"""The cross-margin position, its orders and its collateral."""

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, load
from exchanges.lnmarkets.constants import MAX_CROSS_QUANTITY, MAX_ORDER_LEVERAGE
from exchanges.lnmarkets.parse.lists import Kind
from exchanges.lnmarkets.parse.plausible import (
    client_id,
    funding_fee,
    gain,
    level,
    price,
    price_or_none,
    sats,
)
from exchanges.types import CrossOrder, CrossPosition, OrderStatus, OrderType, Side, Transfer


def order(body: bytes) -> CrossOrder:
    """The order that an acting call answers with."""
    return _order(Fields(load(body), where="order"))


def orders(status: OrderStatus) -> Kind[CrossOrder]:
    """Orders which all have `status`."""

    def read(fields: Fields) -> CrossOrder:
        order = _order(fields)
        if order.status is not status:
            raise UnreadableAnswer(f"orders: must all be {status}")
        return order

    return Kind("orders", read, lambda order: order.id)


def position(body: bytes) -> CrossPosition:
    """The position, flat or not. One that is not flat has an entry price."""
    fields = Fields(load(body), where="position")
    position = CrossPosition(
        id=fields.uuid("id"),
        quantity=fields.integer("quantity", -MAX_CROSS_QUANTITY, MAX_CROSS_QUANTITY),
        margin=sats(fields, "margin"),
        leverage=fields.integer("leverage", 1, MAX_ORDER_LEVERAGE),
        entry_price=price_or_none(fields, "entryPrice"),
        liquidation_price=fields.nullable("liquidation", lambda name: level(fields, name)),
        initial_margin=sats(fields, "initialMargin"),
        running_margin=sats(fields, "runningMargin"),
        maintenance_margin=sats(fields, "maintenanceMargin"),
        total_pl=gain(fields, "totalPl"),
        delta_pl=gain(fields, "deltaPl"),
        funding_fees=gain(fields, "fundingFees"),
        trading_fees=sats(fields, "tradingFees"),
        updated_at=fields.time("updatedAt"),
    )
    if position.quantity and position.entry_price is None:
        raise UnreadableAnswer("position.entryPrice: must be there unless the position is flat")
    return position


def _order(fields: Fields) -> CrossOrder:
    return CrossOrder(
        id=fields.uuid("id"),
        type=fields.choice("type", OrderType),
        side=fields.choice("side", Side),
        status=_status(fields),
        quantity=fields.integer("quantity", 1, MAX_CROSS_QUANTITY),
        price=price(fields, "price"),
        trading_fee=sats(fields, "tradingFee"),
        created_at=fields.time("createdAt"),
        filled_at=fields.nullable("filledAt", fields.time),
        canceled_at=fields.nullable("canceledAt", fields.time),
        client_id=client_id(fields),
    )


def _status(fields: Fields) -> OrderStatus:
    """An order carries its status as three flags of which one is up."""
    raised = [status for status in OrderStatus if fields.flag(status)]
    if len(raised) != 1:
        raise UnreadableAnswer(f"an order must be one of {', '.join(OrderStatus)}")
    return raised[0]


def _transfer(fields: Fields) -> Transfer:
    return Transfer(id=fields.uuid("id"), amount=gain(fields, "amount"), at=fields.time("time"))


TRANSFERS = Kind("transfers", _transfer, lambda transfer: transfer.id)
FUNDING_FEES = Kind("fees", funding_fee, lambda fee: fee.settlement_id)
