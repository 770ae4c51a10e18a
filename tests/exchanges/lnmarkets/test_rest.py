"""Requests as the specification has them, and answers that are not about what was asked."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges import registry
from exchanges.client import Signature
from exchanges.errors import InvalidCredentials, UnknownOutcome, UnreadableAnswer
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.lnmarkets.transport import Transport
from exchanges.types import Asset, CandleRange, NewCrossOrder, NewSwap, NewTrade, OrderType, Side
from tests.exchanges.lnmarkets.answers import (
    ACCOUNT,
    BEST_PRICE,
    CANCELED,
    CANCELED_ORDER,
    CANDLE,
    CLOSED,
    FILLED_ORDER,
    FLAT_POSITION,
    FUNDING_FEE,
    OPEN,
    OPEN_ORDER,
    ORDER_ID,
    OTHER_TRADE_ID,
    PAST_SWAP,
    POSITION,
    RUNNING,
    SETTLEMENT,
    SWAP_TO_BTC,
    SWAP_TO_USD,
    TICKER,
    TRADE_ID,
    TRANSFER,
    page_of,
)
from tests.exchanges.lnmarkets.clients import SIGNATURE, client_of, says
from tests.exchanges.rude_server import Peer, answer, rude_server

LIMIT = NewTrade(
    side=Side.BUY,
    type=OrderType.LIMIT,
    leverage=Decimal("10.0"),
    quantity=9,
    price=Decimal("0.50"),
    client_id="axisor:1",
)
MARKET = NewTrade(
    side=Side.BUY,
    type=OrderType.MARKET,
    leverage=Decimal("2.5"),
    margin=100,
    stop_loss=Decimal("85000.0"),
)

CROSS_LIMIT = NewCrossOrder(
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=1000,
    price=Decimal("90000.50"),
    client_id="axisor:1",
)

TRADE, CROSS = "/v3/futures/isolated/trade", "/v3/futures/cross"
ON_TRADE = f'{{"id":"{TRADE_ID}"}}'

Act = Callable[[LNMarketsClient, Signature], object]
ACTS: dict[str, tuple[Act, object, str, str, str]] = {
    "market order": (
        lambda c, s: c.isolated.new_trade(MARKET, signature=s),
        RUNNING,
        "POST",
        TRADE,
        '{"side":"buy","type":"market","leverage":2.5,"margin":100,"stoploss":85000}',
    ),
    "limit order": (
        lambda c, s: c.isolated.new_trade(LIMIT, signature=s),
        OPEN,
        "POST",
        TRADE,
        '{"side":"buy","type":"limit","leverage":10,"quantity":9,"price":0.5,"clientId":"axisor:1"}',
    ),
    "close": (
        lambda c, s: c.isolated.close_trade(TRADE_ID, signature=s),
        CLOSED,
        "POST",
        f"{TRADE}/close",
        ON_TRADE,
    ),
    "cancel": (
        lambda c, s: c.isolated.cancel_trade(TRADE_ID, signature=s),
        CANCELED,
        "POST",
        f"{TRADE}/cancel",
        ON_TRADE,
    ),
    "cancel all": (
        lambda c, s: c.isolated.cancel_all_trades(signature=s),
        [CANCELED],
        "POST",
        f"{TRADE}s/cancel-all",
        "",
    ),
    "add margin": (
        lambda c, s: c.isolated.add_margin(TRADE_ID, amount=5000, signature=s),
        RUNNING,
        "POST",
        f"{TRADE}/add-margin",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "cash in": (
        lambda c, s: c.isolated.cash_in(TRADE_ID, amount=5000, signature=s),
        RUNNING,
        "POST",
        f"{TRADE}/cash-in",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "stop loss": (
        lambda c, s: c.isolated.set_stop_loss(TRADE_ID, price=Decimal("95000.0"), signature=s),
        RUNNING,
        "PUT",
        f"{TRADE}/stoploss",
        f'{{"id":"{TRADE_ID}","value":95000}}',
    ),
    "no stop loss": (
        lambda c, s: c.isolated.set_stop_loss(TRADE_ID, price=None, signature=s),
        RUNNING,
        "DELETE",
        f"{TRADE}/stoploss?id={TRADE_ID}",
        "",
    ),
    "trailing stop": (
        lambda c, s: c.isolated.set_trailing_stop(TRADE_ID, distance=Decimal("0.10"), signature=s),
        RUNNING,
        "PUT",
        f"{TRADE}/stoploss",
        f'{{"id":"{TRADE_ID}","value":0.1,"mode":"trailing"}}',
    ),
    "take profit": (
        lambda c, s: c.isolated.set_take_profit(TRADE_ID, price=Decimal("120000.5"), signature=s),
        OPEN,
        "PUT",
        f"{TRADE}/takeprofit",
        f'{{"id":"{TRADE_ID}","value":120000.5}}',
    ),
    "no take profit": (
        lambda c, s: c.isolated.set_take_profit(TRADE_ID, price=None, signature=s),
        OPEN,
        "DELETE",
        f"{TRADE}/takeprofit?id={TRADE_ID}",
        "",
    ),
    "cross order": (
        lambda c, s: c.cross.new_order(CROSS_LIMIT, signature=s),
        OPEN_ORDER,
        "POST",
        f"{CROSS}/order",
        '{"side":"buy","quantity":1000,"type":"limit","price":90000.5,"clientId":"axisor:1"}',
    ),
    "cancel cross order": (
        lambda c, s: c.cross.cancel_order(ORDER_ID, signature=s),
        CANCELED_ORDER,
        "POST",
        f"{CROSS}/order/cancel",
        f'{{"id":"{ORDER_ID}"}}',
    ),
    "cancel all cross orders": (
        lambda c, s: c.cross.cancel_all_orders(signature=s),
        [CANCELED_ORDER],
        "POST",
        f"{CROSS}/orders/cancel-all",
        "",
    ),
    "close position": (
        lambda c, s: c.cross.close_position(signature=s),
        FILLED_ORDER,
        "POST",
        f"{CROSS}/position/close",
        "",
    ),
    "leverage": (
        lambda c, s: c.cross.set_leverage(10, signature=s),
        POSITION,
        "PUT",
        f"{CROSS}/leverage",
        '{"leverage":10}',
    ),
    "deposit": (
        lambda c, s: c.cross.deposit(5000, signature=s),
        POSITION,
        "POST",
        f"{CROSS}/deposit",
        '{"amount":5000}',
    ),
    "withdraw": (
        lambda c, s: c.cross.withdraw(5000, signature=s),
        FLAT_POSITION,
        "POST",
        f"{CROSS}/withdraw",
        '{"amount":5000}',
    ),
    "swap to dollars": (
        lambda c, s: c.swaps.swap(NewSwap(100_000, Asset.BTC), signature=s),
        SWAP_TO_USD,
        "POST",
        "/v3/synthetic-usd/swap",
        '{"inAmount":100000,"inAsset":"BTC","outAsset":"USD"}',
    ),
    "swap to bitcoin": (
        lambda c, s: c.swaps.swap(NewSwap(1234, Asset.USD), signature=s),
        SWAP_TO_BTC,
        "POST",
        "/v3/synthetic-usd/swap",
        '{"inAmount":1234,"inAsset":"USD","outAsset":"BTC"}',
    ),
}


@pytest.mark.parametrize(("act", "document", "method", "path", "body"), ACTS.values(), ids=ACTS)
def test_acts_on_the_wire(act, document, method, path, body):
    with rude_server(says(answer(document))) as server:
        act(client_of(server.url), SIGNATURE)

    (request,) = server.received
    assert (request.method, request.target, request.body.decode()) == (method, path, body)
    assert request.headers.get("content-type") == ("application/json" if body else None)
    assert request.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("market order", {"side": "sell"}),
        ("market order", {"type": "limit"}),
        ("market order", {"clientId": "of another order"}),
        ("limit order", {"clientId": None}),
        ("limit order", {"clientId": "axisor:2"}),
        ("close", {"id": OTHER_TRADE_ID}),
        ("close", {"closed": False, "running": True, "maintenanceMargin": 0}),
        ("cancel", {"id": OTHER_TRADE_ID}),
        ("cancel", {"canceled": False, "open": True}),
        ("add margin", {"id": OTHER_TRADE_ID}),
        ("cash in", {"id": OTHER_TRADE_ID}),
        ("stop loss", {"id": OTHER_TRADE_ID}),
        ("no stop loss", {"running": False, "closed": True}),
        ("trailing stop", {"id": OTHER_TRADE_ID}),
        ("take profit", {"id": OTHER_TRADE_ID}),
        ("cross order", {"side": "sell"}),
        ("cross order", {"type": "market"}),
        ("cross order", {"quantity": 999}),
        ("cross order", {"clientId": None}),
        ("cancel cross order", {"id": OTHER_TRADE_ID}),
        ("cancel cross order", {"canceled": False, "open": True}),
        ("close position", {"filled": False, "open": True}),
        ("leverage", {"leverage": 11}),
        ("swap to dollars", {"inAmount": 100_001}),
        (
            "swap to dollars",
            {"inAmount": 12.34, "inAsset": "USD", "outAsset": "BTC", "outAmount": 1},
        ),
        ("swap to bitcoin", {"inAmount": 1234}),
    ],
)
def test_an_answer_about_something_else_leaves_the_outcome_unknown(name, change):
    act, document, *_ = ACTS[name]
    with rude_server(says(answer({**document, **change}))) as server:
        with pytest.raises(UnknownOutcome):
            act(client_of(server.url), SIGNATURE)

        assert len(server.received) == 1


# Reads

SINCE = datetime(2026, 11, 20, 13, 30, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
UNTIL = datetime(2026, 11, 20, 13, tzinfo=UTC)
FROM = "from=2026-11-20T12%3A30%3A00.123Z"

Read = Callable[[LNMarketsClient], object]
READS: dict[str, tuple[Read, object, str]] = {
    "account": (lambda c: c.account(), ACCOUNT, "/account"),
    "open trades": (lambda c: c.isolated.open_trades(), [OPEN], "/futures/isolated/trades/open"),
    "running trades": (
        lambda c: c.isolated.running_trades(),
        [RUNNING],
        "/futures/isolated/trades/running",
    ),
    "closed trades": (
        lambda c: c.isolated.closed_trades(since=SINCE),
        page_of(CLOSED),
        f"/futures/isolated/trades/closed?{FROM}&limit=500",
    ),
    "canceled trades": (
        lambda c: c.isolated.canceled_trades(since=SINCE),
        page_of(CANCELED),
        f"/futures/isolated/trades/canceled?{FROM}&limit=500",
    ),
    "funding fees": (
        lambda c: c.isolated.funding_fees(since=SINCE),
        page_of(FUNDING_FEE, FUNDING_FEE | {"tradeId": OTHER_TRADE_ID}),
        f"/futures/isolated/funding-fees?{FROM}&limit=500",
    ),
    "position": (lambda c: c.cross.position(), POSITION, "/futures/cross/position"),
    "open orders": (lambda c: c.cross.open_orders(), [OPEN_ORDER], "/futures/cross/orders/open"),
    "filled orders": (
        lambda c: c.cross.filled_orders(since=SINCE),
        page_of(FILLED_ORDER),
        f"/futures/cross/orders/filled?{FROM}&limit=500",
    ),
    "transfers": (
        lambda c: c.cross.transfers(since=SINCE),
        page_of(TRANSFER),
        f"/futures/cross/transfers?{FROM}&limit=500",
    ),
    "cross funding fees": (
        lambda c: c.cross.funding_fees(since=SINCE),
        page_of(FUNDING_FEE | {"tradeId": None}),
        f"/futures/cross/funding-fees?{FROM}&limit=500",
    ),
    "swaps": (
        lambda c: c.swaps.history(since=SINCE),
        page_of(PAST_SWAP),
        f"/synthetic-usd/swaps?{FROM}&limit=500",
    ),
}
PUBLIC_READS: dict[str, tuple[Read, object, str]] = {
    "ping": (lambda c: c.ping(), "pong", "/ping"),
    "time": (lambda c: c.time(), {"time": "2026-11-20T12:00:00Z"}, "/time"),
    "ticker": (lambda c: c.ticker(), TICKER, "/futures/ticker"),
    "best price": (lambda c: c.swaps.best_price(), BEST_PRICE, "/synthetic-usd/best-price"),
    "candles": (
        lambda c: c.candles(CandleRange.H4, since=SINCE, until=UNTIL),
        page_of(CANDLE),
        f"/futures/candles?{FROM}&limit=1000&to=2026-11-20T13%3A00%3A00.000Z&range=4h",
    ),
    "settlements": (
        lambda c: c.funding_settlements(since=SINCE),
        page_of(SETTLEMENT),
        f"/futures/funding-settlements?{FROM}&limit=500",
    ),
}
ALL_READS = READS | PUBLIC_READS


@pytest.mark.parametrize(("read", "document", "target"), ALL_READS.values(), ids=ALL_READS)
def test_reads_on_the_wire(read, document, target):
    with rude_server(says(answer(document))) as server:
        read(client_of(server.url))

    (request,) = server.received
    assert (request.method, request.target) == ("GET", f"/v3{target}")
    assert "content-type" not in request.headers
    assert not request.body


def test_candles_come_oldest_first():
    older = CANDLE | {"time": "2026-11-20T11:58:00.000Z"}
    with rude_server(says(answer(page_of(CANDLE, older)))) as server:
        candles = client_of(server.url).candles(CandleRange.M1, since=SINCE, until=UNTIL)

    assert [candle.at.minute for candle in candles] == [58, 59]


# Pages


def pages(*contents: list[str], loop: bool = False) -> Callable[[Peer], None]:
    """Serves trades with these ids; the cursor is the number of the next page."""

    def behave(peer: Peer) -> None:
        number = int(dict(parse_qsl(urlsplit(peer.request.target).query)).get("cursor", "0"))
        following = str((number + 1) % len(contents))
        peer.say(
            answer(
                {
                    "data": [CLOSED | {"id": trade_id} for trade_id in contents[number]],
                    "nextCursor": following if loop or number + 1 < len(contents) else None,
                }
            )
        )

    return behave


def trade_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def closed_ids(client: LNMarketsClient) -> list[str]:
    return [trade.id for trade in client.isolated.closed_trades(since=SINCE)]


def test_pages_are_followed_to_the_end():
    with rude_server(pages([trade_id(1), trade_id(2)], [trade_id(3)], [])) as server:
        assert closed_ids(client_of(server.url)) == [trade_id(1), trade_id(2), trade_id(3)]

    query = "from=2026-11-20T12%3A30%3A00.123Z&limit=500"
    path = "/v3/futures/isolated/trades/closed?"
    assert [request.target for request in server.received] == [
        path + query,
        path + query + "&cursor=1",
        path + query + "&cursor=2",
    ]


def test_a_trade_on_two_pages_is_listed_once():
    with rude_server(pages([trade_id(1), trade_id(2)], [trade_id(2), trade_id(3)])) as server:
        assert closed_ids(client_of(server.url)) == [trade_id(1), trade_id(2), trade_id(3)]


def test_a_failing_page_fails_the_list():
    unreadable = pytest.raises(UnreadableAnswer, match=r"trades\[0\]\.id")
    with rude_server(pages([trade_id(1)], ["not a UUID"])) as server, unreadable:
        closed_ids(client_of(server.url))


@pytest.mark.parametrize("length", [1, 3])
def test_pages_in_a_circle_are_noticed(length):
    unreadable = pytest.raises(UnreadableAnswer, match="circles")
    contents = [[trade_id(number)] for number in range(length)]
    with rude_server(pages(*contents, loop=True)) as server, unreadable:
        closed_ids(client_of(server.url))

    assert len(server.received) == length + 1


def test_pages_without_end_are_noticed():
    unreadable = pytest.raises(UnreadableAnswer, match="200 pages")
    with rude_server(pages(*[[trade_id(number)] for number in range(300)])) as server, unreadable:
        closed_ids(client_of(server.url))

    assert len(server.received) == 200


# Clients


def test_without_credentials_nothing_signed_is_sent():
    with rude_server(says(answer({"time": "2026-11-20T12:00:00Z"}))) as server:
        client = LNMarketsClient(Transport(server.url), credentials=None)
        assert client.time() == datetime(2026, 11, 20, 12, tzinfo=UTC)
        for read, *_ in READS.values():
            with pytest.raises(InvalidCredentials):
                read(client)
        for act, *_ in ACTS.values():
            with pytest.raises(InvalidCredentials):
                act(client, SIGNATURE)

    assert [request.target for request in server.received] == ["/v3/time"]
    assert not [name for name in server.received[0].headers if name.startswith("lnm-")]


def test_clients_of_one_place_share_its_connections():
    with rude_server(says(answer("pong"))) as server:
        for _ in range(3):
            registry.connect("lnmarkets", base_url=server.url + "/").ping()

    assert (server.connections, len(server.received)) == (1, 3)


def test_the_body_that_is_signed_is_the_body_that_is_sent():
    order = NewTrade(
        side=Side.BUY,
        type=OrderType.MARKET,
        leverage=Decimal(2),
        margin=1000,
        client_id='Zürich ⚡ "1"',
    )
    with rude_server(says(answer(RUNNING | {"clientId": order.client_id}))) as server:
        client_of(server.url).isolated.new_trade(order, signature=SIGNATURE)

    body = server.received[0].body.decode()
    assert body == json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False)
    assert "Zürich ⚡" in body
