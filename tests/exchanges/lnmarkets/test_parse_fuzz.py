"""Damaged answers, read: what comes out is a well-formed value or an `UnreadableAnswer`."""

from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.errors import UnreadableAnswer
from exchanges.lnmarkets.constants import MAX_SATS, MAX_USD
from exchanges.lnmarkets.parse import cross, isolated, lists, market, swaps
from exchanges.lnmarkets.parse.account import account
from exchanges.lnmarkets.parse.problems import problem
from exchanges.types import Candle, CrossPosition, OrderStatus, Swap, Trade, TradeStatus
from tests.exchanges.lnmarkets.answers import (
    ACCOUNT,
    BEST_PRICE,
    CANDLE,
    CLOSED,
    FILLED_ORDER,
    FLAT_POSITION,
    FUNDING_FEE,
    NOW,
    OPEN,
    OPEN_ORDER,
    OTHER_TRADE_ID,
    PAST_SWAP,
    POSITION,
    RUNNING,
    SETTLEMENT,
    SWAP_TO_BTC,
    SWAP_TO_USD,
    TICKER,
    TRANSFER,
    as_json,
    page_of,
)
from tests.exchanges.lnmarkets.damage import EXAMPLES, damaged


def whole(kind):
    return partial(lists.whole, kind=kind)


def page(kind):
    return partial(lists.page, kind=kind)


READERS = {
    "pong": (market.pong, "pong"),
    "time": (market.time, {"time": "2026-11-20T12:00:00.000Z"}),
    "ticker": (market.ticker, TICKER),
    "candles": (page(market.CANDLES), page_of(CANDLE, cursor="2026-11-20T11:00:00.000Z")),
    "settlements": (page(market.FUNDING_SETTLEMENTS), page_of(SETTLEMENT)),
    "account": (account, ACCOUNT),
    "running trade": (isolated.trade, RUNNING),
    "open trade": (isolated.trade, OPEN),
    "running trades": (
        whole(isolated.trades(TradeStatus.RUNNING, created_by=NOW)),
        [RUNNING, RUNNING | {"id": OTHER_TRADE_ID}],
    ),
    "closed trades": (
        page(isolated.trades(TradeStatus.CLOSED, created_by=NOW)),
        page_of(CLOSED, cursor="next"),
    ),
    "fees": (page(isolated.FUNDING_FEES), page_of(FUNDING_FEE)),
    "order": (cross.order, FILLED_ORDER),
    "open orders": (whole(cross.orders(OrderStatus.OPEN)), [OPEN_ORDER]),
    "filled orders": (page(cross.orders(OrderStatus.FILLED)), page_of(FILLED_ORDER)),
    "position": (cross.position, POSITION),
    "flat position": (cross.position, FLAT_POSITION),
    "transfers": (page(cross.TRANSFERS), page_of(TRANSFER)),
    "cross fees": (page(cross.FUNDING_FEES), page_of(FUNDING_FEE | {"tradeId": None})),
    "best price": (swaps.best_price, BEST_PRICE),
    "swap to dollars": (swaps.swap, SWAP_TO_USD),
    "swap to bitcoin": (swaps.swap, SWAP_TO_BTC),
    "swaps": (page(swaps.SWAPS), page_of(PAST_SWAP)),
    "problem": (problem, {"code": "BAD_REQUEST", "message": "No.", "details": {}}),
}


@pytest.mark.parametrize(("read", "document"), READERS.values(), ids=READERS)
def test_damage_is_noticed_or_harmless(read, document):
    @settings(max_examples=EXAMPLES // len(READERS) + 1, deadline=None)
    @given(damaged(document))
    def try_it(body: bytes) -> None:
        with suppress(UnreadableAnswer):
            check(read(body))

    try_it()


@pytest.mark.parametrize(("read", "document"), READERS.values(), ids=READERS)
def test_the_readers_read_what_is_not_damaged(read, document):
    check(read(as_json(document)))


@settings(max_examples=EXAMPLES // 10, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_are_an_answer(body):
    for read, _ in READERS.values():
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
    check_sense(value)


def check_number_or_time(value: object) -> None:
    if isinstance(value, Decimal):
        assert value.is_finite()
        assert abs(value) <= MAX_USD
    elif isinstance(value, datetime):
        assert value.tzinfo is UTC
    else:
        assert value is None or (type(value) is int and abs(value) <= MAX_SATS)


def check_sense(value: object) -> None:
    match value:
        case Trade():
            assert min(value.price, value.liquidation_price, value.leverage) > 0
            assert value.margin > 0 or value.status in (TradeStatus.CLOSED, TradeStatus.CANCELED)
            assert 1 <= value.quantity <= 500_000
        case CrossPosition():
            assert value.entry_price or not value.quantity
            assert 1 <= value.leverage <= 100
            assert value.margin >= 0
        case Candle():
            assert 0 < value.low <= min(value.open, value.close)
            assert max(value.open, value.close) <= value.high
        case Swap():
            assert value.in_asset is not value.out_asset
            assert min(value.in_amount, value.out_amount) >= 0
