"""What everybody may ask: the clock, the market and its past."""

from datetime import datetime
from decimal import Decimal

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, items, load
from exchanges.lnmarkets.constants import CANDLES_PER_PAGE, MAX_BUCKET, MAX_VOLUME
from exchanges.lnmarkets.parse.lists import Kind
from exchanges.lnmarkets.parse.plausible import price, rate
from exchanges.types import Bucket, Candle, FundingSettlement, Ticker


def pong(body: bytes) -> None:
    """The answer to a ping."""
    if load(body) != "pong":
        raise UnreadableAnswer('The answer to a ping must be "pong".')


def time(body: bytes) -> datetime:
    """The exchange's clock."""
    return Fields(load(body), where="time").time("time")


def ticker(body: bytes) -> Ticker:
    """The market, with its prices by order size."""
    fields = Fields(load(body), where="ticker")
    return Ticker(
        at=fields.time("time"),
        last_price=price(fields, "lastPrice"),
        index=price(fields, "index"),
        funding_rate=rate(fields, "fundingRate"),
        funding_at=fields.time("fundingTime"),
        buckets=buckets(fields.value("prices")),
    )


def buckets(value: object) -> tuple[Bucket, ...]:
    """Bid and ask by order size."""
    return tuple(_bucket(fields) for fields in items(value, where="prices"))


def _bucket(fields: Fields) -> Bucket:
    smallest = fields.integer("minSize", 0, MAX_BUCKET)
    return Bucket(
        min_size=smallest,
        max_size=fields.integer("maxSize", smallest, MAX_BUCKET),
        ask=fields.optional("askPrice", lambda name: price(fields, name)),
        bid=fields.optional("bidPrice", lambda name: price(fields, name)),
    )


def _candle(fields: Fields) -> Candle:
    candle = Candle(
        at=fields.time("time"),
        open=price(fields, "open"),
        high=price(fields, "high"),
        low=price(fields, "low"),
        close=price(fields, "close"),
        volume=fields.number("volume", Decimal(0), MAX_VOLUME),
    )
    if not all(candle.low <= end <= candle.high for end in (candle.open, candle.close)):
        raise UnreadableAnswer("a candle must have its prices between low and high")
    return candle


def _funding_settlement(fields: Fields) -> FundingSettlement:
    return FundingSettlement(
        id=fields.uuid("id"),
        at=fields.time("time"),
        rate=rate(fields, "fundingRate"),
        fixing_price=price(fields, "fixingPrice"),
    )


CANDLES = Kind("candles", _candle, lambda candle: candle.at, page_size=CANDLES_PER_PAGE)
FUNDING_SETTLEMENTS = Kind("settlements", _funding_settlement, lambda settlement: settlement.id)
