"""The control API: what it does, and everything it refuses."""

import time
from decimal import Decimal

import pytest
import requests

from tests.exchanges.paper.trader import TIMEOUT_SECONDS

PATIENCE_SECONDS = 5


def until(condition):
    """Wait for it, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def prices(paper):
    return [
        entry["request"]["price"] for entry in paper.control.ledger() if entry["kind"] == "price"
    ]


def test_accounts_and_trades_by_hand(paper):
    account = paper.control.create_account(balance=1_000_000, username="alice")
    trade = paper.control.open_trade(account.id, side="buy", leverage=10, quantity=1000)
    limit = paper.control.open_trade(
        account.id, side="sell", leverage=10, quantity=1, type="limit", price=110_000
    )
    seen = paper.control.account(account.id)
    assert (seen["username"], seen["balance"]) == ("alice", 1_000_000 - 102_100 - 91)
    assert [live["id"] for live in seen["trades"]] == [trade["id"], limit["id"]]
    assert paper.control.close_trade(account.id, trade["id"])["closed"]
    kinds = [(entry["kind"], entry["by"]) for entry in paper.control.ledger()]
    assert kinds[1:] == [
        ("account", "control"),
        ("new_trade", "control"),
        ("new_trade", "control"),
        ("close", "control"),
    ]


def test_margin_is_added_by_hand(paper, account):
    trade = paper.control.open_trade(account.id, side="buy", leverage=10, quantity=1)
    after = paper.control.add_margin(account.id, trade["id"], amount=500)
    assert after["margin"] == trade["margin"] + 500
    last = paper.control.ledger()[-1]
    assert (last["kind"], last["by"], last["request"]["amount"]) == ("add_margin", "control", 500)
    assert "signed_at" not in last, "nobody signed it"


def test_the_ledger_tells_of_what_came_after(paper, account):
    everything = paper.control.ledger()
    assert [entry["seq"] for entry in everything] == [1, 2]
    assert paper.control.ledger(after=1) == everything[1:]
    assert paper.control.ledger(after=2) == paper.control.ledger(after=99) == []
    assert everything[1]["account"] == account.id
    assert account.credentials.secret not in str(everything)


def test_prices_are_set_as_text_or_number(paper):
    for price in ("98000.5", 97_000, 96_000.5):
        body = {"price": price}
        url = f"{paper.origin}/control/price"
        assert requests.post(url, json=body, timeout=TIMEOUT_SECONDS).json() == {
            "price": float(price)
        }
        assert paper.control.price() == Decimal(str(price))


def test_a_list_of_prices_plays(paper):
    paper.control.play([99_000, Decimal("98000.5"), 97_000], interval_ms=1)
    until(lambda: paper.control.price() == 97_000)
    assert prices(paper) == [100_000, 99_000, 98_000.5, 97_000]


def test_a_new_list_replaces_the_old(paper):
    paper.control.play([99_000, 1000], interval_ms=200)
    until(lambda: paper.control.price() == 99_000)
    paper.control.play([98_000, 97_000], interval_ms=300)
    until(lambda: paper.control.price() == 97_000)
    assert prices(paper) == [100_000, 99_000, 98_000, 97_000]


GOOD_TRADE = {"side": "buy", "type": "market", "leverage": 10, "quantity": 1}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        pytest.param("accounts", {}, "balance: ", id="balance missing"),
        pytest.param("accounts", {"balance": -1}, "balance: ", id="balance negative"),
        pytest.param("accounts", {"balance": "5"}, "balance: ", id="balance as text"),
        pytest.param("accounts", {"balance": 0.5}, "balance: ", id="part of a sat"),
        pytest.param("accounts", {"balance": 10**18}, "balance: ", id="more than exists"),
        pytest.param("accounts", {"balance": 1, "username": ""}, "username: ", id="empty name"),
        pytest.param("accounts", {"balance": 1, "name": "x"},
                     "name: unknown, allowed: balance, username", id="unknown field"),
        pytest.param("accounts", [], "Input should be", id="not an object"),
        pytest.param("price", {"price": 0}, "price: ", id="price zero"),
        pytest.param("price", {"price": -1}, "price: ", id="price negative"),
        pytest.param("price", {"price": "100.25"}, "price: must be a multiple of 0.5", id="tick"),
        pytest.param("price", {"price": "high"}, "price: must be a number", id="price a word"),
        pytest.param("price", {"price": "NaN"}, "price: ", id="price not a number"),
        pytest.param("price", {"price": "1e99"}, "price: ", id="price absurd"),
        pytest.param("price", {"price": True}, "price: must be a number", id="price true"),
        pytest.param("prices", {"prices": [], "interval_ms": 1}, "prices: ", id="no prices"),
        pytest.param("prices", {"prices": [1000, 0], "interval_ms": 1}, "prices.1: ",
                     id="second price bad"),
        pytest.param("prices", {"prices": [1000], "interval_ms": -1}, "interval_ms: ",
                     id="interval negative"),
        pytest.param("prices", {"prices": [1000]}, "interval_ms: ", id="interval missing"),
        pytest.param("faults", {"kind": "explode"}, "kind: ", id="unknown fault"),
        pytest.param("faults", {"kind": "delay_after"}, "seconds: ", id="delay without seconds"),
        pytest.param("faults", {"kind": "cut_after", "seconds": 1}, "seconds: ",
                     id="cut with seconds"),
        pytest.param("faults", {"kind": "delay_after", "seconds": -1}, "seconds: ",
                     id="seconds negative"),
        pytest.param("faults", {"kind": "cut_after", "times": 0}, "times: ", id="no times"),
        pytest.param("faults", {"kind": "cut_after", "path": "/control"}, "path: ", id="path"),
        pytest.param("faults", {"kind": "cut_after", "path": "/v3/acount"},
                     "path: no such path, allowed: /v3/account, ", id="unknown path"),
        pytest.param("faults", {"kind": "cut_after", "method": "PATCH"}, "method: ", id="method"),
        pytest.param("faults", {"kind": "fail_before", "status": 400}, "status: ", id="no failure"),
        pytest.param("faults", {"kind": "cut_before", "status": 500},
                     "status: not for cut_before, which takes path, method, account_id, times",
                     id="status of a cut"),
        pytest.param("faults", {"kind": "clock_skew"}, "skew: required for clock_skew",
                     id="skew missing"),
        pytest.param("faults", {"kind": "clock_skew", "skew": 90_000}, "skew: ", id="skew absurd"),
        pytest.param("faults", {"kind": "clock_skew", "skew": 1, "times": 1}, "times: not for",
                     id="a skew so many times"),
        pytest.param("faults", {"kind": "chaos", "probability": 0.5}, "seed: required for chaos",
                     id="chaos without seed"),
        pytest.param("faults", {"kind": "chaos", "seed": 1, "probability": 2}, "probability: ",
                     id="more than certain"),
        pytest.param("faults", {"kind": "stream_cut", "topic": "futures"},
                     "topic: no such topic, allowed: announcements", id="unknown topic"),
        pytest.param("faults", {"kind": "stream_cut", "path": "/v3/ping"}, "path: not for",
                     id="path of a stream"),
        pytest.param("faults", {"kind": "cut_after", "when": 1}, "when: unknown, allowed: kind",
                     id="unknown option"),
        pytest.param("announcements", {"title": "", "message": "x"}, "title: ", id="no title"),
        pytest.param("accounts/ACCOUNT/trades", GOOD_TRADE | {"leverage": 101}, "leverage: ",
                     id="leverage"),
        pytest.param("accounts/ACCOUNT/trades", GOOD_TRADE | {"quantity": 500_000},
                     "Insufficient balance", id="balance too small"),
        pytest.param("accounts/ACCOUNT/trades/x/close", {}, "You do not own this trade",
                     id="unknown trade"),
    ],
)  # fmt: skip
def test_bad_input(shared_paper, path, body, message):
    account = shared_paper.control.create_account(balance=10_000_000)
    before = shared_paper.control.ledger()
    url = f"{shared_paper.origin}/control/{path.replace('ACCOUNT', account.id)}"
    answer = requests.post(url, json=body, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert answer.json()["message"].startswith(message)
    assert shared_paper.control.ledger() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", "accounts/nobody", None, id="read"),
        pytest.param("POST", "accounts/nobody/trades", GOOD_TRADE, id="trade"),
        pytest.param("POST", "accounts/nobody/trades/x/close", {}, id="close"),
        pytest.param("POST", "faults", {"kind": "cut_after", "account_id": "nobody"}, id="fault"),
    ],
)
def test_unknown_accounts(shared_paper, method, path, body):
    url = f"{shared_paper.origin}/control/{path}"
    answer = requests.request(method, url, json=body, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="as a program asks"),
        pytest.param({"Host": "localhost:1"}, 200, id="by another local name"),
        pytest.param({"Host": "evil.example"}, 400, id="a name that leads here"),
        pytest.param({"Content-Type": "text/plain"}, 400, id="as a form may send"),
        pytest.param({"Content-Type": ""}, 400, id="of no kind"),
    ],
)
def test_a_web_page_cannot_drive_it(paper, headers, status):
    headers = {"Content-Type": "application/json"} | headers
    url = f"{paper.origin}/control/price"
    answer = requests.post(url, '{"price":50000}', headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == status
    assert (paper.control.price() == 50_000) == (status == 200)


def test_a_wrong_content_type_is_told_the_right_one(shared_paper):
    url = f"{shared_paper.origin}/control/price"
    answer = requests.post(url, data={"price": 50_000}, timeout=TIMEOUT_SECONDS)
    assert answer.json()["message"] == "content-type: must be application/json"
