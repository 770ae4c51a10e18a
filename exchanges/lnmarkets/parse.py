"""LN Markets' answers as our types: pure, and strict about what a number can plausibly be.

Each function takes the body of an answer and raises `UnreadableAnswer` when anything in it is
not as the specification has it. Fields nobody asks for are ignored, so that the exchange may add
some; a list in which one item is bad is refused as a whole, because half a list of positions is
worse than none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.errors import UnreadableAnswer
from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.lnmarkets.constants import (
    MAX_CLIENT_ID_LENGTH,
    MAX_FEE_TIER,
    MAX_LEVERAGE,
    MAX_QUANTITY,
    MAX_SATS,
    MIN_LEVERAGE,
)
from exchanges.lnmarkets.fields import Fields, items, load
from exchanges.types import AccountInfo, OrderType, Side, Ticker, Trade, TradeStatus

_ENDED = (TradeStatus.CLOSED, TradeStatus.CANCELED)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a long list, newest first; `next_cursor` asks for what follows."""

    trades: Sequence[Trade]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What the exchange says about a request it declined; both empty when it says nothing."""

    code: str
    message: str


def pong(body: bytes) -> None:
    """The answer to a ping."""
    if load(body) != "pong":
        raise UnreadableAnswer('The answer to a ping must be "pong".')


def time(body: bytes) -> datetime:
    """The exchange's clock."""
    return Fields(load(body), where="time").time("time")


def ticker(body: bytes) -> Ticker:
    """The market; the funding rate is at most 100 % either way."""
    fields = Fields(load(body), where="ticker")
    return Ticker(
        at=fields.time("time"),
        last_price=_price(fields, "lastPrice"),
        index=_price(fields, "index"),
        funding_rate=fields.number("fundingRate", Decimal(-1), Decimal(1)),
        funding_at=fields.time("fundingTime"),
    )


def account(body: bytes) -> AccountInfo:
    """The account behind the key."""
    fields = Fields(load(body), where="account")
    return AccountInfo(
        id=fields.uuid("id"),
        username=fields.text("username", longest=200),
        balance=fields.integer("balance", 0, MAX_SATS),
        fee_tier=fields.integer("feeTier", 0, MAX_FEE_TIER),
    )


def trade(body: bytes) -> Trade:
    """The trade that an acting call answers with."""
    return _trade(Fields(load(body), where="trade"))


def trades(body: bytes, *, status: TradeStatus) -> Sequence[Trade]:
    """A whole list of trades which all have `status`."""
    return _trades(load(body), status=status)


def page(body: bytes, *, status: TradeStatus) -> Page:
    """One page of trades which all have `status`."""
    fields = Fields(load(body), where="page")
    return Page(
        trades=_trades(fields.value("data"), status=status),
        next_cursor=fields.nullable("nextCursor", lambda name: fields.text(name, longest=200)),
    )


def problem(body: bytes) -> Problem:
    """The code and the message of an error, as far as there are any, printable. Never raises."""
    try:
        document = load(body)
    except UnreadableAnswer:
        return Problem("", "")
    fields = document if isinstance(document, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    return Problem(
        code=_one_line(code) if isinstance(code, str) else "",
        message=_one_line(message) if isinstance(message, str) else "",
    )


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def _trades(value: object, *, status: TradeStatus) -> Sequence[Trade]:
    trades = [_trade(fields) for fields in items(value, where="trades")]
    if any(trade.status is not status for trade in trades):
        raise UnreadableAnswer(f"trades: must all be {status}")
    if len({trade.id for trade in trades}) != len(trades):
        raise UnreadableAnswer("trades: no trade may stand in a list twice")
    return trades


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
        price=_price(fields, "price"),
        entry_price=fields.nullable("entryPrice", lambda name: _price(fields, name)),
        liquidation_price=_price(fields, "liquidation"),
        maintenance_margin=_maintenance_margin(fields, status),
        opening_fee=fields.integer("openingFee", 0, MAX_SATS),
        closing_fee=fields.integer("closingFee", 0, MAX_SATS),
        pl=fields.integer("pl", -MAX_SATS, MAX_SATS),
        sum_funding_fees=fields.integer("sumFundingFees", -MAX_SATS, MAX_SATS),
        sum_cash_in_pl=fields.integer("sumCashInPl", 0, MAX_SATS),
        sum_cash_in_margin=fields.integer("sumCashInMargin", 0, MAX_SATS),
        stop_loss=_level(fields, "stoploss"),
        take_profit=_level(fields, "takeprofit"),
        exit_price=fields.nullable("exitPrice", lambda name: _price(fields, name)),
        created_at=fields.time("createdAt"),
        filled_at=fields.nullable("filledAt", fields.time),
        closed_at=fields.nullable("closedAt", fields.time),
        client_id=fields.nullable(
            "clientId", lambda name: fields.text(name, longest=MAX_CLIENT_ID_LENGTH)
        ),
    )


def _status(fields: Fields) -> TradeStatus:
    """A trade carries its status as four flags of which one is up."""
    raised = [status for status in TradeStatus if fields.flag(status)]
    if len(raised) != 1:
        raise UnreadableAnswer(f"a trade must be one of {', '.join(TradeStatus)}")
    return raised[0]


def _price(fields: Fields, name: str) -> Decimal:
    return fields.number(name, PRICE_TICK, MAX_PRICE)


def _level(fields: Fields, name: str) -> Decimal | None:
    """A stop loss or take profit; 0 stands for none."""
    return fields.number(name, Decimal(0), MAX_PRICE) or None


def _maintenance_margin(fields: Fields, status: TradeStatus) -> int:
    """Sats set aside for fees. The fees paid are taken off it, so that after the close of a short
    in profit, whose closing fee exceeds the reserve for it, less than nothing remains."""
    low = -MAX_SATS if status is TradeStatus.CLOSED else 0
    return fields.integer("maintenanceMargin", low, MAX_SATS)
