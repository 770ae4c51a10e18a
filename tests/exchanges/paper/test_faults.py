"""Faults strike as asked: before or after the exchange executes, and only whom they should."""

import time
from datetime import UTC, datetime

import pytest
import requests

from tests.exchanges.paper.listener import Listener
from tests.exchanges.paper.test_control import until
from tests.exchanges.paper.trader import ISOLATED, TIMEOUT_SECONDS, Trader

TRADE = f"{ISOLATED}/trade"
ORDER = {"side": "buy", "type": "market", "leverage": 10, "quantity": 1}


@pytest.mark.parametrize(("kind", "executed"), [("cut_before", False), ("cut_after", True)])
def test_cut_connections(paper, trader, kind, executed):
    paper.control.fault(kind, path=f"/v3{TRADE}", method="POST")
    with pytest.raises(requests.ConnectionError):
        trader.post(TRADE, ORDER)
    assert len(trader.get(f"{ISOLATED}/trades/running").json()) == executed
    assert trader.post(TRADE, ORDER).ok, "it strikes once"


@pytest.mark.parametrize(("kind", "executed"), [("fail_before", False), ("fail_after", True)])
def test_server_errors(paper, trader, kind, executed):
    paper.control.fault(kind, path=f"/v3{TRADE}", method="POST")
    assert trader.post(TRADE, ORDER).status_code == 503
    assert len(trader.get(f"{ISOLATED}/trades/running").json()) == executed
    assert trader.post(TRADE, ORDER).ok, "it strikes once"


@pytest.mark.parametrize("kind", ["delay_before", "delay_after"])
def test_delays(paper, trader, kind):
    paper.control.fault(kind, path=f"/v3{TRADE}", seconds=0.2)
    began = time.monotonic()
    assert trader.post(TRADE, ORDER).ok
    assert time.monotonic() - began >= 0.2


def test_what_was_delayed_is_executed_though_the_client_left(paper, trader):
    paper.control.fault("delay_before", path=f"/v3{TRADE}", seconds=0.3)
    with pytest.raises(requests.ReadTimeout):
        trader.send("POST", TRADE, body='{"side":"buy","type":"market","leverage":1,"quantity":1}',
                    timeout=0.1)  # fmt: skip
    assert trader.get(f"{ISOLATED}/trades/running").json() == []
    until(lambda: len(trader.get(f"{ISOLATED}/trades/running").json()) == 1)


def test_a_delayed_request_holds_up_nobody_else(paper, trader):
    paper.control.fault("delay_before", path="/v3/ping", seconds=0.3)
    with pytest.raises(requests.ReadTimeout):
        trader.send("GET", "/ping", timeout=0.05)
    assert trader.send("GET", "/account", timeout=0.2).ok


@pytest.mark.parametrize(
    "narrowed",
    [
        pytest.param({"path": "/v3/ping"}, id="another path"),
        pytest.param({"method": "POST"}, id="another method"),
        pytest.param({"account_id": "OTHER"}, id="another account"),
    ],
)
def test_faults_strike_only_what_they_name(paper, trader, narrowed):
    other = paper.control.create_account(balance=0)
    if "account_id" in narrowed:
        narrowed = {"account_id": other.id}
    paper.control.fault("cut_before", **narrowed)
    assert trader.get("/account").ok
    if "account_id" in narrowed:
        with pytest.raises(requests.ConnectionError):
            Trader(paper.url, other.credentials).get("/account")


def test_faults_strike_as_often_as_asked(paper, trader):
    paper.control.fault("cut_before", times=2)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            trader.get("/account")
    assert trader.get("/account").ok


def test_faults_are_listed_and_cleared_one_by_one(paper, account, trader):
    cut = paper.control.fault("cut_before", times=3, account_id=account.id)
    late = paper.control.fault("delay_after", seconds=0.5, path="/v3/ping", method="GET")
    with pytest.raises(requests.ConnectionError):
        trader.get("/account")
    assert paper.control.faults() == [
        {"id": cut, "kind": "cut_before", "account_id": account.id, "times": 2},
        {"id": late, "kind": "delay_after", "path": "/v3/ping", "method": "GET",
         "seconds": 0.5, "times": 1},
    ]  # fmt: skip
    paper.control.clear_fault(cut)
    assert trader.get("/account").ok
    assert [fault["id"] for fault in paper.control.faults()] == [late]
    with pytest.raises(requests.HTTPError, match="404"):
        paper.control.clear_fault(cut)


def test_a_fault_without_a_number_of_times_lasts(paper, trader):
    paper.control.fault("fail_before", times=None)
    assert {trader.get("/account").status_code for _ in range(5)} == {503}


@pytest.mark.parametrize("skew", [-40, 40, 3600])
def test_a_clock_that_is_off(paper, account, trader, skew):
    def seconds_ahead():
        answer = requests.get(f"{paper.url}/time", timeout=TIMEOUT_SECONDS)
        told = datetime.fromisoformat(answer.json()["time"])
        return (told - datetime.now(UTC)).total_seconds()

    fault = paper.control.fault("clock_skew", skew=skew)
    assert seconds_ahead() == pytest.approx(skew, abs=5)
    assert trader.get("/account").status_code == 401
    with Listener(paper.origin) as listener:
        assert "error" in listener.authenticate(account.credentials)
        assert listener.call("time")["time"] / 1000 == pytest.approx(time.time() + skew, abs=5)
    paper.control.clear_fault(fault)
    assert seconds_ahead() == pytest.approx(0, abs=5)
    assert trader.get("/account").ok


def test_faults_can_be_called_off(paper, trader):
    paper.control.fault("cut_before", times=1000)
    paper.control.clear_faults()
    assert trader.get("/account").ok
