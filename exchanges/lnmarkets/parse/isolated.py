"""Isolated-margin trades."""

from datetime import datetime

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, load
from exchanges.lnmarkets.constants import MAX_LEVERAGE, MAX_QUANTITY, MAX_SATS, MIN_LEVERAGE
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
from exchanges.types import OrderType, Side, Trade, TradeStatus

_ENDED = (TradeStatus.CLOSED, TradeStatus.CANCELED)


def trade(body: bytes) -> Trade:
    """The trade that an acting call answers with."""
    return _trade(Fields(load(body), where="trade"))


def trades(status: TradeStatus, *, created_by: datetime) -> Kind[Trade]:
    """Trades which all have `status`, and which there were at `created_by`.

    One from the future would not be found again in histories, which are asked for by creation.
    """

    def read(fields: Fields) -> Trade:
        trade = _trade(fields)
        if trade.status is not status:
            raise UnreadableAnswer(f"trades: must all be {status}")
        if trade.created_at > created_by:
            raise UnreadableAnswer("trades: none can be created in the future")
        return trade

    return Kind("trades", read, lambda trade: trade.id)


FUNDING_FEES = Kind("fees", funding_fee, lambda fee: (fee.settlement_id, fee.trade_id))


def _trade(fields: Fields) -> Trade:
    status = _status(fields)
    return Trade(
        id=fields.uuid("id"),
        type=fields.choice("type", OrderType),
        side=fields.choice("side", Side),
        status=status,
        quantity=fields.integer("quantity", 1, MAX_QUANTITY),
        margin=fields.integer("margin", 0 if status in _ENDED else 1, MAX_SATS),
        leverage=fields.number("leverage", MIN_LEVERAGE, MAX_LEVERAGE),
        price=price(fields, "price"),
        entry_price=price_or_none(fields, "entryPrice"),
        liquidation_price=price(fields, "liquidation"),
        maintenance_margin=_maintenance_margin(fields, status),
        opening_fee=sats(fields, "openingFee"),
        closing_fee=sats(fields, "closingFee"),
        pl=gain(fields, "pl"),
        sum_funding_fees=gain(fields, "sumFundingFees"),
        sum_cash_in_pl=sats(fields, "sumCashInPl"),
        sum_cash_in_margin=sats(fields, "sumCashInMargin"),
        stop_loss=level(fields, "stoploss"),
        take_profit=level(fields, "takeprofit"),
        exit_price=price_or_none(fields, "exitPrice"),
        created_at=fields.time("createdAt"),
        filled_at=fields.nullable("filledAt", fields.time),
        closed_at=fields.nullable("closedAt", fields.time),
        client_id=client_id(fields),
    )


def _status(fields: Fields) -> TradeStatus:
    """A trade carries its status as four flags of which one is up."""
    raised = [status for status in TradeStatus if fields.flag(status)]
    if len(raised) != 1:
        raise UnreadableAnswer(f"a trade must be one of {', '.join(TradeStatus)}")
    return raised[0]


def _maintenance_margin(fields: Fields, status: TradeStatus) -> int:
    """Sats set aside for fees. The fees paid are taken off it, so that after the close of a short
    in profit, whose closing fee exceeds the reserve for it, less than nothing remains."""
    low = -MAX_SATS if status is TradeStatus.CLOSED else 0
    return fields.integer("maintenanceMargin", low, MAX_SATS)
