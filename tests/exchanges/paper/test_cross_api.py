"""Cross margin over HTTP: the fields of the answers, and what each route does."""

import pytest

CROSS = "/futures/cross"
POSITION_FIELDS = {
    "id", "quantity", "margin", "leverage", "entryPrice", "liquidation", "initialMargin",
    "runningMargin", "maintenanceMargin", "totalPl", "deltaPl", "fundingFees", "tradingFees",
    "updatedAt",
}  # fmt: skip
ORDER_FIELDS = {
    "id", "type", "side", "quantity", "price", "tradingFee", "createdAt", "filledAt", "canceledAt",
    "open", "filled", "canceled", "clientId",
}  # fmt: skip
BUY = {"side": "buy", "quantity": 1000, "type": "market"}
LIMIT = {"side": "buy", "quantity": 1000, "type": "limit", "price": 90_000}


@pytest.fixture
def funded(stranger):
    """A client with a million sats of cross margin at 10x."""
    assert stranger.post(f"{CROSS}/deposit", {"amount": 1_000_000}).ok
    assert stranger.put(f"{CROSS}/leverage", {"leverage": 10}).ok
    return stranger


def test_a_flat_position_exists(stranger):
    position = stranger.get(f"{CROSS}/position").json()
    assert set(position) == POSITION_FIELDS
    expected = {"quantity": 0, "margin": 0, "leverage": 1, "entryPrice": None, "liquidation": None}
    assert position.items() >= expected.items()


def test_a_market_order_is_filled_and_nets(funded):
    order = funded.post(f"{CROSS}/order", BUY | {"clientId": "mine"}).json()
    assert set(order) == ORDER_FIELDS
    expected = {"open": False, "filled": True, "canceled": False, "tradingFee": 1_000}
    assert order.items() >= (expected | {"price": 100_000, "clientId": "mine"}).items()
    funded.post(f"{CROSS}/order", BUY | {"side": "sell", "quantity": 1500})
    position = funded.get(f"{CROSS}/position").json()
    expected = {"quantity": -500, "tradingFees": 2_500, "margin": 997_500, "entryPrice": 100_000}
    assert position.items() >= expected.items()


def test_the_same_client_id_twice_is_two_orders(funded):
    ids = {
        funded.post(f"{CROSS}/order", LIMIT | {"clientId": "same"}).json()["id"] for _ in range(2)
    }
    assert {order["id"] for order in funded.get(f"{CROSS}/orders/open").json()} == ids


def test_a_limit_is_open_until_cancelled(funded):
    order = funded.post(f"{CROSS}/order", LIMIT).json()
    assert order.items() >= {"open": True, "tradingFee": 0, "filledAt": None}.items()
    assert funded.get(f"{CROSS}/position").json()["initialMargin"] == 111_111
    assert funded.get(f"{CROSS}/orders/open").json() == [order]
    canceled = funded.post(f"{CROSS}/order/cancel", {"id": order["id"]}).json()
    assert canceled.items() >= {"id": order["id"], "open": False, "canceled": True}.items()
    assert canceled["canceledAt"] is not None
    assert funded.get(f"{CROSS}/orders/open").json() == []


def test_cancel_all_is_an_empty_post_that_answers_a_list(funded):
    ids = {funded.post(f"{CROSS}/order", LIMIT).json()["id"] for _ in range(2)}
    canceled = funded.post(f"{CROSS}/orders/cancel-all").json()
    assert {order["id"] for order in canceled} == ids
    assert funded.post(f"{CROSS}/orders/cancel-all").json() == []


def test_close_is_an_empty_post_that_answers_an_order(funded):
    funded.post(f"{CROSS}/order", BUY)
    order = funded.post(f"{CROSS}/position/close").json()
    expected = {"side": "sell", "type": "market", "quantity": 1000, "filled": True}
    assert order.items() >= (expected | {"clientId": None}).items()
    assert funded.get(f"{CROSS}/position").json()["quantity"] == 0


def test_filled_orders_come_newest_first_and_in_pages(funded):
    ids = [funded.post(f"{CROSS}/order", BUY).json()["id"] for _ in range(3)]
    canceled = funded.post(f"{CROSS}/order", LIMIT).json()["id"]
    funded.post(f"{CROSS}/order/cancel", {"id": canceled})
    first = funded.get(f"{CROSS}/orders/filled", limit=2).json()
    assert [order["id"] for order in first["data"]] == [ids[2], ids[1]]
    rest = funded.get(f"{CROSS}/orders/filled", limit=2, cursor=first["nextCursor"]).json()
    assert ([order["id"] for order in rest["data"]], rest["nextCursor"]) == ([ids[0]], None)


def test_deposit_and_withdraw_answer_the_position_and_are_listed(stranger):
    assert stranger.post(f"{CROSS}/deposit", {"amount": 700}).json()["margin"] == 700
    assert stranger.get("/account").json()["balance"] == 9_999_300
    assert stranger.post(f"{CROSS}/withdraw", {"amount": 200}).json()["margin"] == 500
    transfers = stranger.get(f"{CROSS}/transfers").json()["data"]
    assert [set(transfer) for transfer in transfers] == [{"id", "amount", "time"}] * 2
    assert [transfer["amount"] for transfer in transfers] == [-200, 700]


def test_no_funding_fees_yet(stranger):
    answer = stranger.get(f"{CROSS}/funding-fees").json()
    assert answer == {"data": [], "nextCursor": None}


def test_a_liquidation_is_a_filled_order_and_a_notification(paper, account, trader):
    trader.post(f"{CROSS}/deposit", {"amount": 200_000})
    trader.put(f"{CROSS}/leverage", {"leverage": 10})
    trader.post(f"{CROSS}/order", BUY)
    paper.control.set_price(80_000)
    [order, _] = trader.get(f"{CROSS}/orders/filled").json()["data"]
    assert order["type"] == "liquidation"
    [notification] = trader.get("/account/notifications").json()["data"]
    assert notification["type"] == "liquidation"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        pytest.param("post", "order", BUY | {"quantity": 0}, "quantity: ", id="nothing"),
        pytest.param("post", "order", BUY | {"quantity": 500_001}, "quantity: ", id="too much"),
        pytest.param("post", "order", BUY | {"quantity": 1.5}, "quantity: ", id="half a dollar"),
        pytest.param("post", "order", BUY | {"price": 90_000}, "price: ", id="market with price"),
        pytest.param("post", "order", BUY | {"type": "limit"}, "price: ", id="limit without"),
        pytest.param("post", "order", BUY | {"type": "liquidation"}, "type: ", id="liquidation"),
        pytest.param("post", "order", LIMIT | {"price": 90_000.3}, "price: ", id="off the tick"),
        pytest.param("post", "order", BUY | {"side": "b"}, "side: ", id="side of the old API"),
        pytest.param("post", "order", BUY | {"clientId": "x" * 65}, "clientId: ", id="long id"),
        pytest.param("post", "order", BUY, "Insufficient cross margin", id="no margin"),
        pytest.param("post", "order/cancel", {"id": "x"}, "Order not found", id="no such order"),
        pytest.param("post", "position/close", None, "no running cross position", id="flat"),
        pytest.param("put", "leverage", {"leverage": 0}, "leverage: ", id="no leverage"),
        pytest.param("put", "leverage", {"leverage": 101}, "leverage: ", id="too much leverage"),
        pytest.param("put", "leverage", {"leverage": 1.5}, "leverage: ", id="broken leverage"),
        pytest.param("post", "deposit", {"amount": 0}, "amount: ", id="deposit nothing"),
        pytest.param("post", "deposit", {"amount": 10_000_001}, "Insufficient balance", id="poor"),
        pytest.param("post", "withdraw", {"amount": 1}, "Insufficient cross margin", id="empty"),
    ],
)
def test_refused(stranger, method, path, body, message):
    answer = getattr(stranger, method)(f"{CROSS}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert message in answer.json()["message"]
    assert stranger.get(f"{CROSS}/position").json()["margin"] == 0
