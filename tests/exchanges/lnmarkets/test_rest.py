"""Requests as the specification has them, and answers that are not about what was asked."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from exchanges import registry
from exchanges.errors import InvalidCredentials, UnknownOutcome, UnreadableAnswer
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.lnmarkets.transport import Transport
from exchanges.types import NewTrade, OrderType, Side
from tests.exchanges.lnmarkets.answers import (
    CANCELED,
    CLOSED,
    OPEN,
    OTHER_TRADE_ID,
    RUNNING,
    TRADE_ID,
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

Act = Callable[[LNMarketsClient], object]
ACTS: dict[str, tuple[Act, dict[str, object], str, str, str]] = {
    "market order": (
        lambda c: c.isolated.new_trade(MARKET, signature=SIGNATURE),
        RUNNING,
        "POST",
        "/v3/futures/isolated/trade",
        '{"side":"buy","type":"market","leverage":2.5,"margin":100,"stoploss":85000}',
    ),
    "limit order": (
        lambda c: c.isolated.new_trade(LIMIT, signature=SIGNATURE),
        OPEN,
        "POST",
        "/v3/futures/isolated/trade",
        '{"side":"buy","type":"limit","leverage":10,"quantity":9,"price":0.5,"clientId":"axisor:1"}',
    ),
    "close": (
        lambda c: c.isolated.close_trade(TRADE_ID, signature=SIGNATURE),
        CLOSED,
        "POST",
        "/v3/futures/isolated/trade/close",
        f'{{"id":"{TRADE_ID}"}}',
    ),
    "cancel": (
        lambda c: c.isolated.cancel_trade(TRADE_ID, signature=SIGNATURE),
        CANCELED,
        "POST",
        "/v3/futures/isolated/trade/cancel",
        f'{{"id":"{TRADE_ID}"}}',
    ),
    "add margin": (
        lambda c: c.isolated.add_margin(TRADE_ID, amount=5000, signature=SIGNATURE),
        RUNNING,
        "POST",
        "/v3/futures/isolated/trade/add-margin",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "cash in": (
        lambda c: c.isolated.cash_in(TRADE_ID, amount=5000, signature=SIGNATURE),
        RUNNING,
        "POST",
        "/v3/futures/isolated/trade/cash-in",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "stop loss": (
        lambda c: c.isolated.set_stop_loss(TRADE_ID, price=Decimal("95000.0"), signature=SIGNATURE),
        RUNNING,
        "PUT",
        "/v3/futures/isolated/trade/stoploss",
        f'{{"id":"{TRADE_ID}","value":95000}}',
    ),
    "take profit": (
        lambda c: c.isolated.set_take_profit(
            TRADE_ID, price=Decimal("120000.5"), signature=SIGNATURE
        ),
        RUNNING,
        "PUT",
        "/v3/futures/isolated/trade/takeprofit",
        f'{{"id":"{TRADE_ID}","value":120000.5}}',
    ),
}


@pytest.mark.parametrize(("act", "document", "method", "path", "body"), ACTS.values(), ids=ACTS)
def test_acts_on_the_wire(act, document, method, path, body):
    with rude_server(says(answer(document))) as server:
        act(client_of(server.url))

    (request,) = server.received
    assert (request.method, request.target, request.body.decode()) == (method, path, body)
    assert request.headers["content-type"] == "application/json"


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
        ("take profit", {"id": OTHER_TRADE_ID}),
    ],
)
def test_an_answer_about_something_else_leaves_the_outcome_unknown(name, change):
    act, document, *_ = ACTS[name]
    with rude_server(says(answer(document | change))) as server:
        with pytest.raises(UnknownOutcome):
            act(client_of(server.url))

        assert len(server.received) == 1


# Pages


def pages(*contents: list[str], loop: bool = False) -> Callable[[Peer], None]:
    """Serves trades with these ids; the cursor is the number of the next page."""

    def behave(peer: Peer) -> None:
        number = int(dict(parse_qsl(urlsplit(peer.request.target).query)).get("cursor", "0"))
        following = str(number) if loop else str(number + 1)
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


SINCE = datetime(2026, 11, 20, 13, 30, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))


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


def test_pages_in_a_circle_are_noticed():
    unreadable = pytest.raises(UnreadableAnswer, match="circles")
    with rude_server(pages([trade_id(1)], loop=True)) as server, unreadable:
        closed_ids(client_of(server.url))

    assert len(server.received) == 2


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
        with pytest.raises(InvalidCredentials):
            client.account()
        for act, *_ in ACTS.values():
            with pytest.raises(InvalidCredentials):
                act(client)

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
