"""Requests as the specification has them, and answers that are not about what was asked."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges import registry
from exchanges.errors import InvalidCredentials, UnknownOutcome, UnreadableAnswer
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.transport import Transport
from exchanges.types import CandleRange, NewTrade, OrderType, Side
from tests.exchanges.lnmarkets.answers import (
    CANDLE,
    CLOSED,
    OTHER_TRADE_ID,
    RUNNING,
    page_of,
)
from tests.exchanges.lnmarkets.calls import ACTS, ALL_READS, READS, SINCE, UNTIL
from tests.exchanges.lnmarkets.clients import SIGNATURE, client_of, says
from tests.exchanges.rude_server import Peer, answer, rude_server


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
        ("limit order", {"quantity": 10}),
        ("close", {"id": OTHER_TRADE_ID}),
        ("close", {"closed": False, "running": True, "maintenanceMargin": 0}),
        ("cancel", {"id": OTHER_TRADE_ID}),
        ("cancel", {"canceled": False, "open": True}),
        ("add margin", {"id": OTHER_TRADE_ID}),
        ("cash in", {"id": OTHER_TRADE_ID}),
        ("stop loss", {"id": OTHER_TRADE_ID}),
        ("stop loss", {"stoploss": 95_000.5}),
        ("no stop loss", {"stoploss": 95_000}),
        ("no stop loss", {"running": False, "closed": True}),
        ("trailing stop", {"id": OTHER_TRADE_ID}),
        ("take profit", {"id": OTHER_TRADE_ID}),
        ("take profit", {"takeprofit": 0}),
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
