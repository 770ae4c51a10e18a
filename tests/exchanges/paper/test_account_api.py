"""Addresses, deposits, withdrawals and notifications over HTTP, with the networks in one hand."""

import pytest

from exchanges.paper.bitcoin import is_address, make_invoice, read_invoice
from exchanges.paper.scopes import Scope
from tests.exchanges.paper.test_bitcoin import AT, P2TR
from tests.exchanges.paper.trader import Trader

INVOICE = make_invoice(50_000, payment_hash="ab" * 32, at=AT)
EMPTY = {"data": [], "nextCursor": None}


@pytest.fixture
def owner(paper):
    """An account with ten million sats whose key may do everything."""
    return paper.control.create_account(balance=10_000_000, permissions=list(Scope))


@pytest.fixture
def client(paper, owner):
    return Trader(paper.url, owner.credentials)


def balance(client):
    return client.get("/account").json()["balance"]


def test_there_is_always_an_address(client):
    address = client.get("/account/address/bitcoin").json()
    assert is_address(address["address"])
    assert client.get("/account/address/bitcoin").json() == address


@pytest.mark.parametrize(
    ("body", "prefix"),
    [({"format": "p2tr"}, "bcrt1p"), ({"format": "p2wpkh"}, "bcrt1q"), ({}, "bcrt1p")],
)
def test_a_new_address_is_the_current_one(client, body, prefix):
    address = client.post("/account/address/bitcoin", body).json()
    assert set(address) == {"address", "createdAt"}
    assert address["address"].startswith(prefix)
    assert client.get("/account/address/bitcoin").json()["address"] == address["address"]


def test_too_many_unused_addresses(paper, owner, client):
    for _ in range(10):
        assert client.post("/account/address/bitcoin").ok
    answer = client.post("/account/address/bitcoin")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("You have too many unused addresses")
    paper.control.receive(owner.id, amount=1)
    assert client.post("/account/address/bitcoin").ok


def test_a_lightning_deposit_is_credited_when_it_is_paid(paper, owner, client):
    asked = client.post("/account/deposit/lightning", {"amount": 21_000, "comment": "rent"}).json()
    assert read_invoice(asked["paymentRequest"]).amount == 21_000
    [deposit] = client.get("/account/deposits/lightning").json()["data"]
    expected = {"id": asked["depositId"], "amount": 21_000, "comment": "rent", "settledAt": None}
    assert deposit.items() >= expected.items()
    assert client.get("/account/deposits/lightning", settled="true").json() == EMPTY
    paper.control.advance_deposit(owner.id, asked["depositId"])
    assert balance(client) == 10_021_000
    [deposit] = client.get("/account/deposits/lightning", settled="true").json()["data"]
    assert deposit["settledAt"] is not None
    assert client.get("/account/deposits/lightning", settled="false").json() == EMPTY
    with pytest.raises(OSError, match="settled already"):
        paper.control.advance_deposit(owner.id, asked["depositId"])


def test_an_on_chain_deposit_is_credited_when_it_is_irreversible(paper, owner, client):
    deposit_id = paper.control.receive(owner.id, amount=300_000)["id"]
    for status, confirmations, sats in [
        ("CONFIRMED", 1, 10_000_000),
        ("under_review", 0, 10_000_000),
        ("IRREVERSIBLE", 6, 10_300_000),
    ]:
        paper.control.advance_deposit(owner.id, deposit_id, status=status)
        [deposit] = client.get("/account/deposits/on-chain", status=status).json()["data"]
        assert (deposit["id"], deposit["confirmations"]) == (deposit_id, confirmations)
        assert (deposit["blockHeight"] is None) is (confirmations == 0)
        assert balance(client) == sats
    with pytest.raises(OSError, match="irreversible"):
        paper.control.advance_deposit(owner.id, deposit_id, status="MEMPOOL")


@pytest.mark.parametrize(
    ("status", "fee", "left", "cost"),
    [
        pytest.param("processed", None, 9_949_500, 500, id="at the highest fee"),
        pytest.param("processed", 20, 9_949_980, 20, id="cheaper"),
        pytest.param("failed", None, 10_000_000, 0, id="failed: all comes back"),
    ],
)
def test_a_lightning_withdrawal(paper, owner, client, status, fee, left, cost):
    asked = client.post("/account/withdraw/lightning", {"invoice": INVOICE}).json()
    expected = {"amount": 50_000, "maxFees": 500, "paymentHash": "ab" * 32}
    assert asked.items() >= expected.items()
    assert balance(client) == 9_949_500
    [waiting] = client.get("/account/withdrawals/lightning", status="processing").json()["data"]
    assert waiting["id"] == asked["id"]
    paper.control.advance_withdrawal(owner.id, asked["id"], status=status, fee=fee)
    assert balance(client) == left
    [done] = client.get("/account/withdrawals/lightning").json()["data"]
    assert (done["status"], done["fee"]) == (status, cost)


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        pytest.param(["processing", "processed"], 9_899_000, id="goes through"),
        pytest.param(["canceled"], 10_000_000, id="canceled"),
        pytest.param(["rejected"], 10_000_000, id="rejected"),
    ],
)
def test_an_on_chain_withdrawal(paper, owner, client, steps, left):
    body = {"address": P2TR, "amount": 100_000}
    asked = client.post("/account/withdraw/on-chain", body).json()
    assert asked.items() >= (body | {"status": "pending"}).items()
    assert balance(client) == 9_899_000
    for status in steps:
        paper.control.advance_withdrawal(owner.id, asked["id"], status=status)
    assert balance(client) == left
    [done] = client.get("/account/withdrawals/on-chain").json()["data"]
    assert done["status"] == steps[-1]
    assert (done["txId"] is not None) is (steps[-1] == "processed")
    with pytest.raises(OSError, match="allowed now: nothing"):
        paper.control.advance_withdrawal(owner.id, asked["id"], status="processed")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        pytest.param("lightning", {"invoice": "lnbc1"}, "Send a correct BOLT 11 invoice", id="bad"),
        pytest.param("on-chain", {"address": "x", "amount": 1}, "Invalid address", id="address"),
        pytest.param("on-chain", {"address": P2TR, "amount": 0}, "amount: ", id="nothing"),
        pytest.param(
            "on-chain", {"address": P2TR, "amount": 9_999_001}, "Insufficient balance", id="fee"
        ),
    ],
)
def test_refused_withdrawals(client, path, body, message):
    answer = client.post(f"/account/withdraw/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert message in answer.json()["message"]
    assert client.get(f"/account/withdrawals/{path}").json() == EMPTY


def test_notifications_are_unread_until_all_are_read(paper, owner, client):
    for number in range(3):
        paper.control.notify(owner.id, type="news", message=f"number {number}")
    page = client.get("/account/notifications", limit=2).json()
    assert [each["message"] for each in page["data"]] == ["number 2", "number 1"]
    rest = client.get("/account/notifications", cursor=page["nextCursor"]).json()
    assert [each["message"] for each in rest["data"]] == ["number 0"]
    assert rest["data"][0].items() >= {"read": False, "type": "news", "event": "news"}.items()
    assert client.send("PUT", "/account/notifications").ok
    assert client.get("/account/notifications").json() == EMPTY
    assert len(client.get("/account/notifications", read="true").json()["data"]) == 3
