"""Reading answers: what is understood, what is refused and how it is said."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.errors import UnreadableAnswer
from exchanges.lnmarkets.parse import isolated, lists, market
from exchanges.lnmarkets.parse.account import account
from exchanges.types import AccountInfo, Bucket, OrderType, Side, Ticker, Trade, TradeStatus
from tests.exchanges.lnmarkets.answers import (
    ACCOUNT,
    CANCELED,
    CLOSED,
    NOW,
    OPEN,
    OTHER_TRADE_ID,
    RUNNING,
    TICKER,
    TRADE_ID,
    as_json,
    without,
)


def at(hour: int, minute: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 20, hour, minute, 0, microsecond, tzinfo=UTC)


def test_ping():
    market.pong(b'"pong"')


def test_time():
    assert market.time(b'{"time":"2026-11-20T12:00:00.250Z"}') == at(12, microsecond=250_000)


def test_ticker():
    assert market.ticker(as_json(TICKER)) == Ticker(
        at=at(12),
        last_price=Decimal(100000),
        index=Decimal("100000.5"),
        funding_rate=Decimal("-0.0001"),
        funding_at=at(16),
        buckets=(Bucket(0, 1000, ask=Decimal("100000.5"), bid=Decimal("99999.5")),),
    )


def test_account():
    assert account(as_json(ACCOUNT)) == AccountInfo(
        id=ACCOUNT["id"], username="satoshi ⚡", balance=1_000_000, fee_tier=0, usd=Decimal("12.34")
    )


def test_trade():
    assert isolated.trade(as_json(RUNNING)) == Trade(
        id=TRADE_ID,
        type=OrderType.MARKET,
        side=Side.BUY,
        status=TradeStatus.RUNNING,
        quantity=1000,
        margin=100_000,
        leverage=Decimal(10),
        price=Decimal(100000),
        entry_price=Decimal(100000),
        liquidation_price=Decimal(90909),
        maintenance_margin=1100,
        opening_fee=1000,
        closing_fee=0,
        pl=-5263,
        sum_funding_fees=-12,
        sum_cash_in_pl=0,
        sum_cash_in_margin=0,
        stop_loss=None,
        take_profit=None,
        exit_price=None,
        created_at=at(11),
        filled_at=at(11, microsecond=1000),
        closed_at=None,
        client_id=None,
    )


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (OPEN, TradeStatus.OPEN),
        (RUNNING, TradeStatus.RUNNING),
        (CLOSED, TradeStatus.CLOSED),
        (CANCELED, TradeStatus.CANCELED),
    ],
)
def test_every_status_of_a_trade(document, status):
    assert isolated.trade(as_json(document)).status is status
    assert [
        trade.status
        for trade in lists.whole(as_json([document]), isolated.trades(status, created_by=NOW))
    ] == [status]


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        (RUNNING | {"leverage": 100.25}, "leverage", Decimal("100.25")),
        (RUNNING | {"stoploss": 95000.5}, "stop_loss", Decimal("95000.5")),
        (RUNNING | {"takeprofit": -0.0}, "take_profit", None),
        (RUNNING | {"liquidation": 100_000_000}, "liquidation_price", Decimal(100_000_000)),
        (RUNNING | {"clientId": "ä" * 64}, "client_id", "ä" * 64),
        (RUNNING | {"somethingNew": [1, {"x": None}]}, "id", TRADE_ID),
        (without(RUNNING, "entryMargin"), "id", TRADE_ID),
        (CLOSED | {"margin": 0}, "margin", 0),
        (CLOSED, "maintenance_margin", -47),
    ],
    ids=[
        "leverage that funding has raised above 100",
        "a stop loss",
        "minus zero is zero, and no take profit",
        "a short that is never liquidated",
        "the longest client id",
        "a field nobody asks for",
        "a field nobody asks for is missing",
        "a liquidated trade has no margin left",
        "fees beyond their reserve",
    ],
)
def test_plausible_trades(document, field, value):
    assert getattr(isolated.trade(as_json(document)), field) == value


REFUSED_TRADES = {
    "id missing": (without(RUNNING, "id"), "trade.id: is missing"),
    "client id missing": (without(RUNNING, "clientId"), "trade.clientId: is missing"),
    "id not a UUID": (RUNNING | {"id": "../../account"}, "trade.id: must be a UUID"),
    "id null": (RUNNING | {"id": None}, "trade.id: must be a UUID"),
    "unknown side": (RUNNING | {"side": "b"}, "trade.side: must be one of buy, sell"),
    "unknown type": (RUNNING | {"type": "stop"}, "trade.type: must be one of market, limit"),
    "side not text": (RUNNING | {"side": ["buy"]}, "trade.side: must be one of buy, sell"),
    "margin zero": (RUNNING | {"margin": 0}, "trade.margin: must be an integer from 1"),
    "margin negative": (RUNNING | {"margin": -1}, "trade.margin: must be an integer from 1"),
    "margin true": (RUNNING | {"margin": True}, "trade.margin: must be an integer"),
    "margin text": (RUNNING | {"margin": "100000"}, "trade.margin: must be an integer"),
    "margin broken": (RUNNING | {"margin": 1000.5}, "trade.margin: must be an integer"),
    "margin null": (RUNNING | {"margin": None}, "trade.margin: must be an integer"),
    "margin beyond all bitcoin": (RUNNING | {"margin": 10**16}, "trade.margin: must be an integer"),
    "quantity zero": (RUNNING | {"quantity": 0}, "trade.quantity: must be an integer from 1"),
    "quantity too big": (RUNNING | {"quantity": 500_001}, "trade.quantity: must be an integer"),
    "fee negative": (RUNNING | {"openingFee": -1}, "trade.openingFee: must be an integer from 0"),
    "reserve negative": (RUNNING | {"maintenanceMargin": -1}, "trade.maintenanceMargin: must be"),
    "cash in negative": (RUNNING | {"sumCashInPl": -1}, "trade.sumCashInPl: must be an integer"),
    "leverage zero": (RUNNING | {"leverage": 0}, "trade.leverage: must be from"),
    "leverage absurd": (RUNNING | {"leverage": 10_001}, "trade.leverage: must be from"),
    "price zero": (RUNNING | {"price": 0}, "trade.price: must be from 0.5 to 100000000"),
    "price minus zero": (RUNNING | {"price": -0.0}, "trade.price: must be from 0.5"),
    "price negative": (RUNNING | {"price": -100000}, "trade.price: must be from 0.5"),
    "price too high": (RUNNING | {"price": 100_000_000.5}, "trade.price: must be from 0.5"),
    "price text": (RUNNING | {"price": "100000"}, "trade.price: must be a number"),
    "price true": (RUNNING | {"price": True}, "trade.price: must be a number"),
    "price null": (RUNNING | {"price": None}, "trade.price: must be a number"),
    "entry price zero": (RUNNING | {"entryPrice": 0}, "trade.entryPrice: must be from 0.5"),
    "stop loss negative": (RUNNING | {"stoploss": -1}, "trade.stoploss: must be from 0"),
    "stop loss null": (RUNNING | {"stoploss": None}, "trade.stoploss: must be a number"),
    "no status": (RUNNING | {"running": False}, "a trade must be one of open, running"),
    "two statuses": (RUNNING | {"open": True}, "a trade must be one of open, running"),
    "status a number": (RUNNING | {"running": 1}, "trade.running: must be true or false"),
    "time without zone": (RUNNING | {"createdAt": "2026-11-20T11:00:00"}, "trade.createdAt: must"),
    "time of no day": (
        RUNNING | {"createdAt": "2026-02-30T00:00:00Z"},
        "trade.createdAt: must be a time t",
    ),
    "time in ms": (RUNNING | {"createdAt": 1_795_176_000_000}, "trade.createdAt: must be a time"),
    "time a date": (RUNNING | {"createdAt": "2026-11-20"}, "trade.createdAt: must be a time"),
    "time null": (RUNNING | {"createdAt": None}, "trade.createdAt: must be a time"),
    "client id too long": (RUNNING | {"clientId": "a" * 65}, "trade.clientId: must be text of at"),
    "client id with NUL": (RUNNING | {"clientId": "a\x00"}, "trade.clientId: must be text"),
    "client id half a letter": (RUNNING | {"clientId": "\\ud800"}, "trade.clientId: must be text"),
    "a list": ([RUNNING], "trade: must be an object"),
    "null": (None, "trade: must be an object"),
}


@pytest.mark.parametrize(("document", "said"), REFUSED_TRADES.values(), ids=REFUSED_TRADES)
def test_implausible_trades(document, said):
    body = as_json(document).replace(rb"\\ud800", rb"\ud800")

    with pytest.raises(UnreadableAnswer, match=f"^{said}"):
        isolated.trade(body)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([RUNNING, RUNNING], "twice"),
        ([RUNNING, RUNNING | {"id": OTHER_TRADE_ID, "margin": -1}], r"trades\[1\]\.margin: must"),
        ([RUNNING, None], r"trades\[1\]: must be an object"),
        ([RUNNING, CLOSED | {"id": OTHER_TRADE_ID}], "must all be running"),
        ([RUNNING | {"createdAt": "2026-11-20T12:00:00.001Z"}], "created in the future"),
        ({"data": [RUNNING]}, "trades: must be a list"),
        (None, "trades: must be a list"),
        ("", "trades: must be a list"),
    ],
    ids=[
        "twice",
        "one is bad",
        "one is null",
        "one is over",
        "one is to come",
        "a page",
        "null",
        "text",
    ],
)
def test_a_list_is_refused_as_a_whole(document, said):
    with pytest.raises(UnreadableAnswer, match=said):
        lists.whole(as_json(document), isolated.trades(TradeStatus.RUNNING, created_by=NOW))


def test_an_empty_list_is_a_list():
    assert lists.whole(b"[]", isolated.trades(TradeStatus.RUNNING, created_by=NOW)) == []


def test_a_page():
    body = as_json({"data": [CLOSED], "nextCursor": "2026-11-20T11:00:00.000Z"})

    page = lists.page(body, isolated.trades(TradeStatus.CLOSED, created_by=NOW))

    assert list(page.items) == [TRADE_ID]
    assert page.next_cursor == "2026-11-20T11:00:00.000Z"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"data": []}, "page.nextCursor: is missing"),
        ({"nextCursor": None}, "page.data: is missing"),
        ({"data": None, "nextCursor": None}, "trades: must be a list"),
        ({"data": [], "nextCursor": 5}, "page.nextCursor: must be text"),
        ([], "page: must be an object"),
    ],
)
def test_a_bad_page(document, said):
    with pytest.raises(UnreadableAnswer, match=said):
        lists.page(as_json(document), isolated.trades(TradeStatus.CLOSED, created_by=NOW))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (TICKER | {"lastPrice": 0}, "ticker.lastPrice: must be from 0.5"),
        (TICKER | {"lastPrice": None}, "ticker.lastPrice: must be a number"),
        (TICKER | {"index": 10**9}, "ticker.index: must be from 0.5"),
        (TICKER | {"fundingRate": 1.5}, "ticker.fundingRate: must be from -1 to 1"),
        (without(TICKER, "time"), "ticker.time: is missing"),
    ],
)
def test_a_bad_ticker(document, said):
    with pytest.raises(UnreadableAnswer, match=said):
        market.ticker(as_json(document))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (ACCOUNT | {"balance": -1}, "account.balance: must be an integer from 0"),
        (ACCOUNT | {"balance": 1e6}, "account.balance: must be an integer"),
        (ACCOUNT | {"username": "a" * 201}, "account.username: must be text of at most 200"),
        (ACCOUNT | {"feeTier": 10}, "account.feeTier: must be an integer from 0 to 9"),
        (ACCOUNT | {"id": 7}, "account.id: must be a UUID"),
    ],
)
def test_a_bad_account(document, said):
    with pytest.raises(UnreadableAnswer, match=said):
        account(as_json(document))


@pytest.mark.parametrize("body", [b'"PONG"', b"pong", b"true", b'{"pong":true}', b""])
def test_a_bad_pong(body):
    with pytest.raises(UnreadableAnswer):
        market.pong(body)


def test_a_refusal_does_not_repeat_what_it_refuses():
    canary = "CANARY-7c1b"
    hostile = RUNNING | {"side": canary, "price": canary, "id": canary, canary: canary}

    with pytest.raises(UnreadableAnswer) as caught:
        isolated.trade(as_json(hostile))
    assert canary not in str(caught.value)
