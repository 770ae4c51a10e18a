"""Single values that occur in many answers, with the bounds of what they can plausibly be."""

from decimal import Decimal

from exchanges.fields import Fields
from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.lnmarkets.constants import MAX_CLIENT_ID_LENGTH, MAX_SATS
from exchanges.types import FundingFee


def price(fields: Fields, name: str) -> Decimal:
    """A price in USD."""
    return fields.number(name, PRICE_TICK, MAX_PRICE)


def price_or_none(fields: Fields, name: str) -> Decimal | None:
    """A price in USD, or None for null."""
    return fields.nullable(name, lambda name: price(fields, name))


def level(fields: Fields, name: str) -> Decimal | None:
    """A stop loss or take profit; 0 stands for none."""
    return fields.number(name, Decimal(0), MAX_PRICE) or None


def rate(fields: Fields, name: str) -> Decimal:
    """A funding rate: a fraction, at most 100 % either way."""
    return fields.number(name, Decimal(-1), Decimal(1))


def sats(fields: Fields, name: str) -> int:
    """An amount that is there or is not."""
    return fields.integer(name, 0, MAX_SATS)


def gain(fields: Fields, name: str) -> int:
    """Sats won, or lost when negative."""
    return fields.integer(name, -MAX_SATS, MAX_SATS)


def client_id(fields: Fields) -> str | None:
    """The label that an order was given, if any."""
    return fields.nullable("clientId", lambda name: fields.text(name, longest=MAX_CLIENT_ID_LENGTH))


def funding_fee(fields: Fields) -> FundingFee:
    """What one funding cost a trade, or the cross-margin position."""
    return FundingFee(
        fee=gain(fields, "fee"),
        settlement_id=fields.uuid("settlementId"),
        at=fields.time("time"),
        trade_id=fields.nullable("tradeId", fields.uuid),
    )
