"""The JSON of the answers about cross margin, with the field names of LN Markets."""

from decimal import Decimal
from typing import Any

from exchanges.paper.account import Account
from exchanges.paper.javascript import iso
from exchanges.types import CrossOrder, FundingFee, OrderStatus, Transfer


def position_json(account: Account, *, mark: Decimal) -> dict[str, Any]:
    """The position, flat or not; `mark` is the price its P&L is reckoned at.

    What LN Markets leaves unsaid: `initialMargin` is what open orders would tie up, `deltaPl`
    what was realised so far.
    """
    position = account.cross
    return {
        "id": position.id,
        "quantity": position.quantity,
        "margin": position.margin,
        "leverage": position.leverage,
        "entryPrice": position.entry_price,
        "liquidation": position.liquidation,
        "initialMargin": position.needed_by(account.open_orders.values()),
        "runningMargin": position.running_margin,
        "maintenanceMargin": position.maintenance_margin,
        "totalPl": position.pl_at(mark),
        "deltaPl": position.realised,
        "fundingFees": position.funding_fees,
        "tradingFees": position.trading_fees,
        "updatedAt": iso(position.updated_at),
    }


def order_json(order: CrossOrder) -> dict[str, Any]:
    """An order on the position."""
    return {
        "id": order.id,
        "type": order.type,
        "side": order.side,
        "quantity": order.quantity,
        "price": order.price,
        "tradingFee": order.trading_fee,
        "createdAt": iso(order.created_at),
        "filledAt": order.filled_at and iso(order.filled_at),
        "canceledAt": order.canceled_at and iso(order.canceled_at),
        **{str(status): order.status is status for status in OrderStatus},
        "clientId": order.client_id,
    }


def transfer_json(transfer: Transfer) -> dict[str, Any]:
    """Sats to (+) or from (−) the margin of the position."""
    return {"id": transfer.id, "amount": transfer.amount, "time": iso(transfer.at)}


def funding_fee_json(fee: FundingFee) -> dict[str, Any]:
    """What one funding cost; without a trade it was the cross position's."""
    return {
        "fee": fee.fee,
        "settlementId": fee.settlement_id,
        "time": iso(fee.at),
        "tradeId": fee.trade_id,
    }
