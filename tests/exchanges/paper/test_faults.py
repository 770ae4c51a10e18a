"""Faults strike as asked: before or after the exchange executes, and only whom they should."""

import time

import pytest
import requests

from tests.exchanges.paper.test_control import until
from tests.exchanges.paper.trader import ISOLATED, Trader

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


def test_faults_can_be_called_off(paper, trader):
    paper.control.fault("cut_before", times=1000)
    paper.control.clear_faults()
    assert trader.get("/account").ok
