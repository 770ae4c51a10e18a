"""The JSON of the answers, with the field names of LN Markets.

Shapes hold `Decimal`, `int`, `str`, `bool` and None; `javascript.stringify` writes them. "Not
set" is 0 for stop loss and take profit, null elsewhere.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.paper.javascript import iso
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import Credentials, OrderType, Side, TradeStatus


def trade_json(trade: IsolatedTrade, *, mark: Decimal) -> dict[str, Any]:
    """A trade as every route answers it; `mark` is the price its P&L is reckoned at."""
    return {
        "id": trade.id,
        "type": trade.type,
        "side": trade.side,
        "quantity": trade.quantity,
        "margin": trade.margin,
        "leverage": trade.leverage,
        "price": trade.price,
        "entryPrice": trade.entry_price,
        "entryMargin": trade.entry_margin,
        "liquidation": trade.liquidation,
        "maintenanceMargin": trade.maintenance_margin,
        "openingFee": trade.opening_fee,
        "closingFee": trade.closing_fee,
        "stoploss": trade.stop_loss or 0,
        "takeprofit": trade.take_profit or 0,
        "stoplossTrailingDistance": trade.trailing_distance or 0,
        "exitPrice": trade.exit_price,
        "pl": trade.pl_at(mark),
        "sumFundingFees": trade.sum_funding_fees,
        "sumCashInPl": trade.sum_cash_in_pl,
        "sumCashInMargin": trade.sum_cash_in_margin,
        "createdAt": iso(trade.created_at),
        "filledAt": trade.filled_at and iso(trade.filled_at),
        "closedAt": trade.closed_at and iso(trade.closed_at),
        **{str(status): trade.status is status for status in TradeStatus},
        "clientId": trade.client_id,
    }


def trade_from_json(json: Mapping[str, Any]) -> IsolatedTrade:
    """The trade that `trade_json` wrote. Raises `KeyError`, `ValueError` or `TypeError`."""
    [status] = (status for status in TradeStatus if json[status])
    return IsolatedTrade(
        id=json["id"],
        type=OrderType(json["type"]),
        side=Side(json["side"]),
        status=status,
        quantity=json["quantity"],
        margin=json["margin"],
        leverage=Decimal(json["leverage"]),
        price=Decimal(json["price"]),
        entry_price=Decimal(json["entryPrice"]),
        entry_margin=json["entryMargin"],
        liquidation=Decimal(json["liquidation"]),
        maintenance_margin=json["maintenanceMargin"],
        opening_fee=json["openingFee"],
        closing_fee=json["closingFee"],
        stop_loss=Decimal(json["stoploss"]) or None,
        trailing_distance=Decimal(json["stoplossTrailingDistance"]) or None,
        take_profit=Decimal(json["takeprofit"]) or None,
        exit_price=None if json["exitPrice"] is None else Decimal(json["exitPrice"]),
        pl=json["pl"] if status is TradeStatus.CLOSED else 0,
        sum_cash_in_pl=json["sumCashInPl"],
        sum_cash_in_margin=json["sumCashInMargin"],
        sum_funding_fees=json["sumFundingFees"],
        created_at=datetime.fromisoformat(json["createdAt"]),
        filled_at=json["filledAt"] and datetime.fromisoformat(json["filledAt"]),
        closed_at=json["closedAt"] and datetime.fromisoformat(json["closedAt"]),
        client_id=json["clientId"],
    )


def credentials_json(credentials: Credentials) -> dict[str, str]:
    """The three secrets of an API key, for whom they belong to and for the ledger."""
    return {
        "key": credentials.key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
    }
