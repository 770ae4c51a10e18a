"""How an order for an isolated trade becomes one. Pure."""

from datetime import datetime
from decimal import Decimal

from exchanges import inverse_futures as futures
from exchanges.paper.commands import MAX_QUANTITY, OpenTrade, StopMode
from exchanges.paper.refusals import Refusal
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import TradeStatus


def place(order: OpenTrade, *, trade_id: str, price: Decimal, at: datetime) -> IsolatedTrade:
    """The order as an open trade that would fill at `price`, both fees set aside in full."""
    quantity, margin = _size(order, price=price)
    liquidation = futures.liquidation_price(
        side=order.side, quantity=quantity, price=price, leverage=order.leverage
    )
    reserve = futures.fee_reserve(quantity=quantity, entry=price, liquidation=liquidation)
    trade = IsolatedTrade(
        id=trade_id,
        type=order.type,
        side=order.side,
        status=TradeStatus.OPEN,
        quantity=quantity,
        margin=margin,
        leverage=order.leverage,
        price=price,
        entry_price=price,
        entry_margin=margin,
        liquidation=liquidation,
        maintenance_margin=reserve,
        created_at=at,
        client_id=order.client_id,
        take_profit=order.takeprofit or None,
    )
    if not order.stoploss:
        return trade.checked(price)
    if order.stoploss_mode is StopMode.TRAILING:
        return trade.with_trailing_stop(order.stoploss, market=price)
    return trade.with_stop_loss(order.stoploss, market=price)


def _size(order: OpenTrade, *, price: Decimal) -> tuple[int, int]:
    """Quantity and margin, of which the order names one."""
    leverage = order.leverage
    if order.quantity is not None:
        quantity = order.quantity
        return quantity, futures.required_margin(quantity=quantity, price=price, leverage=leverage)
    margin = order.margin or 0
    quantity = futures.affordable_quantity(margin=margin, price=price, leverage=leverage)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refusal(f"margin: buys {quantity} USD, allowed are 1 to {MAX_QUANTITY}")
    return quantity, margin
