"""What ccxt makes of an exchange's answers, as our types: pure, and strict about numbers.

Each function raises `UnreadableAnswer` when anything is not plausible.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from exchanges.ccxt.numerals import LARGEST, SMALLEST, number
from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields
from exchanges.types import (
    BestPrice,
    Candle,
    OrderStatus,
    OrderType,
    Side,
    SpotBalance,
    SpotOrder,
    Ticker,
)

LATEST: Final = 4_102_444_800_000
"""The year 2100, in milliseconds since 1970."""

LONGEST_ID: Final = 64
SATS_PER_BITCOIN: Final = 100_000_000

_OF_A_CANDLE: Final = ("at", "open", "high", "low", "close", "volume")

_STATUSES: Final = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.CANCELED,
    "rejected": OrderStatus.CANCELED,
}


def at(milliseconds: object) -> datetime:
    """A time in milliseconds since 1970."""
    return _at(Fields({"time": milliseconds}, where="answer"), "time")


def ticker(answer: object, *, asked_at: datetime) -> Ticker:
    """The market now; as of `asked_at` where the exchange does not say."""
    fields = Fields(answer, where="ticker")
    told_at = fields.optional("timestamp", lambda name: _at(fields, name))
    return Ticker(at=told_at or asked_at, last_price=_positive(fields, "last"))


def best_price(answer: object) -> BestPrice:
    """Bid and ask."""
    fields = Fields(answer, where="ticker")
    best = BestPrice(ask=_positive(fields, "ask"), bid=_positive(fields, "bid"))
    if best.bid > best.ask:
        raise UnreadableAnswer("ticker.bid: must not be above ticker.ask")
    return best


def candles(answer: object) -> list[Candle]:
    """Oldest first; their volume is reckoned at the closing price."""
    return [_candle(_row(row)) for row in _list(answer, where="candles")]


def _row(row: object) -> Fields:
    values = _list(row, where="candle")
    if len(values) != len(_OF_A_CANDLE):
        raise UnreadableAnswer(f"candle: must be {', '.join(_OF_A_CANDLE)}")
    return Fields(dict(zip(_OF_A_CANDLE, values, strict=True)), where="candle")


def _candle(fields: Fields) -> Candle:
    opened, high, low, close = (
        _positive(fields, name) for name in ("open", "high", "low", "close")
    )
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise UnreadableAnswer("candles: must open and close between low and high")
    volume = _amount(fields, "volume") * close
    return Candle(_at(fields, "at"), opened, high, low, close, volume)


def balances(answer: object) -> tuple[SpotBalance, ...]:
    """Every asset the exchange lists."""
    fields = Fields(answer, where="balances")
    totals = fields.value("total")
    if not isinstance(totals, dict):
        raise UnreadableAnswer("balances.total: must be an object")
    return tuple(_balance(asset, fields.value(asset)) for asset in totals)


def _balance(asset: str, value: object) -> SpotBalance:
    fields = Fields(value, where=f"balances.{asset}")
    balance = SpotBalance(asset, free=_amount(fields, "free"), total=_amount(fields, "total"))
    if balance.free > balance.total:
        raise UnreadableAnswer(f"balances.{asset}.free: must not be above total")
    return balance


def free_sats(held: tuple[SpotBalance, ...]) -> int:
    """The free bitcoin, in whole sats."""
    return int(sum(one.free for one in held if one.asset == "BTC") * SATS_PER_BITCOIN)


def order_id(answer: object) -> str:
    """Of an order that was accepted."""
    return Fields(answer, where="order").text("id", longest=LONGEST_ID)


def orders(answer: object) -> list[SpotOrder]:
    """All of them, newest first."""
    found = [order(one) for one in _list(answer, where="orders")]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def order(answer: object) -> SpotOrder:
    """One order. What is triggered by a price counts as what it becomes then."""
    fields = Fields(answer, where="order")
    kind = OrderType.LIMIT if "limit" in fields.text("type", longest=32) else OrderType.MARKET
    amount = _positive(fields, "amount")
    filled = number(fields, "filled", Decimal(0), amount)
    return SpotOrder(
        id=order_id(answer),
        symbol=fields.text("symbol", longest=LONGEST_ID),
        type=kind,
        side=fields.choice("side", Side),
        status=_status(fields),
        amount=amount,
        filled=filled,
        price=_positive(fields, "price") if kind is OrderType.LIMIT else None,
        average=_positive(fields, "average") if filled else None,
        created_at=_at(fields, "timestamp"),
        client_id=fields.optional(
            "clientOrderId", lambda name: fields.text(name, longest=LONGEST_ID)
        ),
    )


def _status(fields: Fields) -> OrderStatus:
    status = fields.text("status", longest=32)
    if status not in _STATUSES:
        raise UnreadableAnswer(f"order.status: must be one of {', '.join(_STATUSES)}")
    return _STATUSES[status]


def _list(value: object, *, where: str) -> list[object]:
    if not isinstance(value, list):
        raise UnreadableAnswer(f"{where}: must be a list")
    return value


def _positive(fields: Fields, name: str) -> Decimal:
    return number(fields, name, SMALLEST, LARGEST)


def _amount(fields: Fields, name: str) -> Decimal:
    return number(fields, name, Decimal(0), LARGEST)


def _at(fields: Fields, name: str) -> datetime:
    milliseconds = fields.integer(name, 0, LATEST)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
