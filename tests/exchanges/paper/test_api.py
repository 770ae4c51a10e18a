"""LN Markets' routes over real HTTP: shapes, life of a trade, histories, what is refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import requests

from tests.exchanges.paper.trader import ISOLATED, TIMEOUT_SECONDS

TRADE = f"{ISOLATED}/trade"
TRADE_FIELDS = {
    "id", "type", "side", "quantity", "margin", "leverage", "price", "entryPrice", "entryMargin",
    "liquidation", "maintenanceMargin", "openingFee", "closingFee", "stoploss", "takeprofit",
    "stoplossTrailingDistance", "exitPrice", "pl", "sumFundingFees", "sumCashInPl",
    "sumCashInMargin", "createdAt", "filledAt", "closedAt", "open", "running", "closed",
    "canceled", "clientId",
}  # fmt: skip


def read(paper, path):
    return requests.get(paper.url + path, timeout=TIMEOUT_SECONDS)


def state_of(trade):
    return [name for name in ("open", "running", "closed", "canceled") if trade[name]]


def test_public_reads(paper):
    paper.control.set_price("98765.5")
    assert read(paper, "/ping").text == '"pong"'
    assert abs(datetime.fromisoformat(read(paper, "/time").json()["time"]) - datetime.now(UTC)) < (
        timedelta(seconds=5)
    )
    ticker = read(paper, "/futures/ticker").json()
    assert (ticker["lastPrice"], ticker["index"]) == (98765.5, 98765.5)
    assert ticker["prices"] == [
        {"minSize": 0, "maxSize": 500_000, "askPrice": 98765.5, "bidPrice": 98765.5}
    ]
    assert set(ticker["exchangesWeights"]) == {"bybit", "binance", "okx"}
    funding_at = datetime.fromisoformat(ticker["fundingTime"])
    assert timedelta(0) < funding_at - datetime.now(UTC) <= timedelta(hours=8)
    assert (funding_at.hour % 8, funding_at.minute) == (0, 0)


def test_account(trader, account):
    assert trader.get("/account").json() == {
        "id": account.id,
        "username": account.username,
        "email": None,
        "linkingPublicKey": None,
        "balance": 10_000_000,
        "syntheticUsdBalance": 0,
        "feeTier": 0,
    }


def test_life_of_a_limit_order(paper, trader):
    opened = trader.open(type="limit", price=99_000, clientId="mine")
    assert set(opened) == TRADE_FIELDS
    assert str(UUID(opened["id"])) == opened["id"]
    assert (state_of(opened), opened["filledAt"], opened["entryPrice"]) == (["open"], None, 99_000)
    assert [opened[name] for name in ("openingFee", "closingFee", "pl", "stoploss")] == [0] * 4
    assert opened["maintenanceMargin"] > 0
    assert trader.get(f"{ISOLATED}/trades/open").json() == [opened]

    paper.control.set_price(98_000)
    [running] = trader.get(f"{ISOLATED}/trades/running").json()
    assert (running["id"], state_of(running), running["clientId"]) == (
        opened["id"],
        ["running"],
        "mine",
    )
    assert running["pl"] == -10_308
    assert running["filledAt"] is not None

    closed = trader.post(f"{TRADE}/close", {"id": opened["id"]}).json()
    assert (state_of(closed), closed["exitPrice"], closed["pl"]) == (["closed"], 98_000, -10_308)
    assert trader.get(f"{ISOLATED}/trades/running").json() == []
    assert trader.get(f"{ISOLATED}/trades/closed").json() == {"data": [closed], "nextCursor": None}


def test_what_may_be_done_to_a_running_trade(trader):
    trade_id = trader.open()["id"]
    steps = [
        (trader.post, f"{TRADE}/add-margin", {"amount": 50_000}, {"margin": 150_000}),
        (trader.post, f"{TRADE}/cash-in", {"amount": 30_000}, {"sumCashInMargin": 30_000}),
        (trader.put, f"{TRADE}/stoploss", {"value": 95_000.5}, {"stoploss": 95_000.5}),
        (trader.put, f"{TRADE}/takeprofit", {"value": 110_000}, {"takeprofit": 110_000}),
    ]
    for method, path, body, expected in steps:
        answer = method(path, {"id": trade_id} | body).json()
        assert expected.items() <= answer.items()
    assert trader.delete(f"{TRADE}/stoploss", id=trade_id).json()["stoploss"] == 0
    assert trader.delete(f"{TRADE}/takeprofit", id=trade_id).json()["takeprofit"] == 0
    assert trader.get("/account").json()["balance"] == 10_000_000 - 102_100 - 20_000


def test_canceling(trader):
    kept, one, two = (
        trader.open(type="limit", price=price, quantity=1)["id"]
        for price in (70_000, 80_000, 90_000)
    )
    assert state_of(trader.post(f"{TRADE}/cancel", {"id": kept}).json()) == ["canceled"]
    answer = trader.post(f"{ISOLATED}/trades/cancel-all")
    assert {trade["id"] for trade in answer.json()} == {one, two}
    assert trader.post(f"{ISOLATED}/trades/cancel-all").json() == []
    canceled = trader.get(f"{ISOLATED}/trades/canceled").json()["data"]
    assert {trade["id"] for trade in canceled} == {kept, one, two}


def test_a_client_id_is_only_a_label(trader):
    first, second = (trader.open(clientId="same") for _ in range(2))
    assert first["id"] != second["id"]
    assert first["clientId"] == second["clientId"] == "same"
    assert len(trader.get(f"{ISOLATED}/trades/running").json()) == 2


def test_histories_come_in_pages_last_first(trader):
    ids = [trader.open(quantity=n)["id"] for n in range(1, 6)]
    for trade_id in ids:
        trader.post(f"{TRADE}/close", {"id": trade_id})
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = trader.get(
            f"{ISOLATED}/trades/closed", limit=2, **({"cursor": cursor} if cursor else {})
        ).json()
        seen += [trade["id"] for trade in page["data"]]
        cursor = page["nextCursor"]
    assert seen == ids[::-1]


def test_histories_may_be_narrowed_to_a_span(trader):
    for _ in range(3):
        trader.post(f"{TRADE}/close", {"id": trader.open()["id"]})
    path = f"{ISOLATED}/trades/closed"
    _, middle, _ = (trade["closedAt"] for trade in trader.get(path).json()["data"])
    for query, count in [
        ({"from": middle}, 2),
        ({"to": middle}, 2),
        ({"from": middle, "to": middle}, 1),
        ({"from": "2100-01-01T00:00:00.000Z"}, 0),
    ]:
        assert len(trader.get(path, **query).json()["data"]) == count


def test_a_chunked_body_is_as_good(trader):
    body = '{"side":"sell","type":"market","leverage":5,"quantity":10}'
    answer = trader.send("POST", TRADE, body=body, chunked=True)
    assert state_of(answer.json()) == ["running"]


@pytest.mark.parametrize(
    ("body", "signed", "status"),
    [
        pytest.param('{"side":"buy","type":"limit","leverage":1,"quantity":1,"price":72000.0}',
                     None, 401, id="72000.0 as sent"),
        pytest.param('{"side":"buy","type":"limit","leverage":1,"quantity":1,"price":72000.0}',
                     '{"side":"buy","type":"limit","leverage":1,"quantity":1,"price":72000}',
                     200, id="72000.0 sent, 72000 signed"),
        pytest.param('{"side": "buy", "type": "market", "leverage": 1, "quantity": 1}',
                     None, 401, id="spaces"),
        pytest.param('{"side":"buy","type":"market","leverage":1,"quantity":1,"clientId":"é"}',
                     None, 200, id="not ASCII"),
        pytest.param('{"side":"buy","type":"market","leverage":1,"quantity":1,"clientId":"\\u00e9"}',
                     None, 401, id="escaped without need"),
        pytest.param('{"side":"buy","type":"market","leverage":1,"quantity":1e999}',
                     '{"side":"buy","type":"market","leverage":1,"quantity":null}',
                     400, id="infinite is null"),
    ],
)  # fmt: skip
def test_the_body_is_signed_as_javascript_writes_it(stranger, body, signed, status):
    assert stranger.send("POST", TRADE, body=body, signed=signed).status_code == status


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        pytest.param(TRADE, "{", "The body is not JSON", id="not JSON"),
        pytest.param(TRADE, "[" * 100_000, "The body is not JSON", id="nested"),
        pytest.param(TRADE, "", "side: ", id="no body"),
        pytest.param(TRADE, "[]", "Input should be a valid dictionary", id="not an object"),
        pytest.param(TRADE, '{"side":"buy"}', "type: ", id="field missing"),
        pytest.param(TRADE, '{"side":"buy","type":"market","leverage":"10","quantity":1}',
                     "leverage: must be a number", id="number as text"),
        pytest.param(f"{TRADE}/add-margin", '{"id":"x","amount":1.5}', "amount: ", id="half a sat"),
        pytest.param(f"{TRADE}/add-margin", '{"id":"x","amount":-1}', "amount: ", id="negative"),
        pytest.param(f"{TRADE}/close", '{"id":"x"}', "You do not own this trade", id="no such"),
    ],
)  # fmt: skip
def test_bad_requests(stranger, path, body, message):
    answer = stranger.send("POST", path, body=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "BAD_REQUEST"
    assert answer.json()["message"].startswith(message)
    assert stranger.get("/account").json()["balance"] == 10_000_000


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"limit": 0}, id="limit too small"),
        pytest.param({"limit": 1001}, id="limit too large"),
        pytest.param({"from": "yesterday"}, id="from is no time"),
        pytest.param({"cursor": "nobody"}, id="cursor of nowhere"),
    ],
)
def test_bad_pages(stranger, query):
    answer = stranger.get(f"{ISOLATED}/trades/closed", **query)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(next(iter(query)))


@pytest.mark.parametrize("path", ["/account", f"{ISOLATED}/trades/running", TRADE])
def test_unsigned_requests(shared_paper, path):
    method = "POST" if path == TRADE else "GET"
    answer = requests.request(method, shared_paper.url + path, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        pytest.param("GET", "/futures/nowhere", 404, "Not found", id="unknown route"),
        pytest.param("GET", "/control/price", 404, "Not found", id="control is not under v3"),
        pytest.param("DELETE", "/ping", 405, "Method Not Allowed", id="unknown method"),
    ],
)
def test_unknown_routes_answer_with_a_text(shared_paper, method, path, status, text):
    answer = requests.request(method, shared_paper.url + path, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, answer.text) == (status, text)
