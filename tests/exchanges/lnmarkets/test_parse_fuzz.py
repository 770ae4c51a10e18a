"""Valid answers, damaged: what comes out is a well-formed value or an `UnreadableAnswer`."""

import copy
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.errors import UnreadableAnswer
from exchanges.inverse_futures import MAX_PRICE
from exchanges.lnmarkets.constants import MAX_SATS
from exchanges.lnmarkets.parse import isolated, lists, market
from exchanges.lnmarkets.parse.account import account
from exchanges.lnmarkets.parse.problems import problem
from exchanges.types import Trade, TradeStatus
from tests.exchanges.lnmarkets.answers import (
    ACCOUNT,
    CLOSED,
    OPEN,
    OTHER_TRADE_ID,
    RUNNING,
    TICKER,
    as_json,
)

READERS = [
    (market.ticker, TICKER),
    (account, ACCOUNT),
    (market.time, {"time": "2026-11-20T12:00:00.000Z"}),
    (isolated.trade, RUNNING),
    (isolated.trade, OPEN),
    (
        lambda body: lists.whole(body, isolated.trades(TradeStatus.RUNNING)),
        [RUNNING, RUNNING | {"id": OTHER_TRADE_ID}],
    ),
    (
        lambda body: lists.page(body, isolated.trades(TradeStatus.CLOSED)),
        {"data": [CLOSED], "nextCursor": "2026-11-20T11:00:00.000Z"},
    ),
    (problem, {"code": "BAD_REQUEST", "message": "No.", "details": {}}),
]

# Written into the text in place of a value, so that they need not be valid JSON.
RAW = [
    "NaN", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "-0.0", "9" * 10_000, "0." + "1" * 40,
    "1E+25", "null", "true", "false", "{}", "[]", '""', '"\\u0000"', '"\\ud800"', "01", "0x10",
    '"2026-13-45T99:99:99Z"', '"9999-12-31T23:59:59.999Z"', "[[[[[]]]]]", '{"a":1,"a":2}', "", "'",
]  # fmt: skip
PLACE = "a place for something else"

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=80)
    | st.lists(st.integers(), max_size=2)
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A reader, and a valid answer for it after one to three kinds of damage."""
    read, document = draw(st.sampled_from(READERS))
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, 2))):
        _damage_value(draw, document)
    text = as_json(document).decode("utf-8", "surrogatepass")
    text = text.replace(f'"{PLACE}"', draw(st.sampled_from(RAW)))
    return read, _damage_bytes(draw, text.encode("utf-8", "surrogatepass"))


def _damage_value(draw: st.DrawFn, document: Any) -> None:
    places = [
        (holder, key)
        for holder in _holders(document)
        for key in (holder if isinstance(holder, dict) else range(len(holder)))
    ]
    if not places:
        return
    holder, key = draw(st.sampled_from(places))
    if draw(st.booleans()):
        holder[key] = draw(st.just(PLACE) | values)
    elif isinstance(holder, dict):
        del holder[key]
    else:
        holder.append(copy.deepcopy(holder[key]))


def _holders(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    below = [holder for item in inner for holder in _holders(item)]
    return [value, *below] if isinstance(value, dict | list) else below


def _damage_bytes(draw: st.DrawFn, body: bytes) -> bytes:
    position = draw(st.integers(0, len(body)))
    return draw(
        st.sampled_from(
            [
                body,
                body,
                body[:position],
                body[:position] + draw(st.binary(max_size=3)) + body[position:],
                body[:position] + body[position + 1 :],
                body + body[position:],
            ]
        )
    )


@settings(max_examples=1500, deadline=None)
@given(damaged())
def test_damage_is_noticed_or_harmless(case):
    read, body = case
    with suppress(UnreadableAnswer):
        check(read(body))


def check(value: object) -> None:
    """Everything in `value` is of our types, finite, storable, and within what is plausible."""
    if is_dataclass(value):
        check([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, dict):
        check([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            check(item)
    elif isinstance(value, str):
        assert value.encode().decode() == value
    else:
        check_number_or_time(value)
    if isinstance(value, Trade):
        check_trade(value)


def check_number_or_time(value: object) -> None:
    if isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value) <= MAX_PRICE
    elif isinstance(value, datetime):
        assert value.tzinfo is UTC
    else:
        assert value is None or (type(value) is int and abs(value) <= MAX_SATS)


def check_trade(trade: Trade) -> None:
    assert min(trade.price, trade.liquidation_price, trade.leverage) > 0
    assert trade.margin > 0 or trade.status in (TradeStatus.CLOSED, TradeStatus.CANCELED)
    assert 1 <= trade.quantity <= 500_000


def test_the_readers_read_what_is_not_damaged():
    for read, document in READERS:
        check(read(as_json(document)))
