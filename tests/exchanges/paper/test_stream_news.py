"""What the stream tells, and whom: a table of actions, each with the news it makes."""

import time

import pytest
import requests

from tests.exchanges.paper.listener import Listener
from tests.exchanges.paper.trader import ISOLATED, Trader

CROSS = "/futures/cross"
INVERSE = "futures/inverse/btc_usd"
ISOLATED_TRADES = f"{INVERSE}/isolated/trades"
ORDERS, POSITION = f"{INVERSE}/cross/orders", f"{INVERSE}/cross/position"

PLACED = {"id", "side", "type", "quantity", "margin", "leverage", "price", "openingFee",
          "createdAt", "clientId"}  # fmt: skip
CANCELED = {"id", "closedAt", "clientId"}
LIQUIDATED = CANCELED | {"closingFee", "exitPrice"}
CLOSED = LIQUIDATED | {"pl"}
OPEN_ORDER = {"id", "side", "type", "quantity", "price", "tradingFee", "clientId", "createdAt"}
FILLED_ORDER = OPEN_ORDER | {"filledAt"}
CANCELED_ORDER = OPEN_ORDER - {"tradingFee"} | {"canceledAt"}
POSITION_FIELDS = {"quantity", "leverage", "margin", "entryPrice", "liquidation", "totalPl",
                   "fundingFees", "tradingFees", "initialMargin", "maintenanceMargin",
                   "runningMargin", "deltaPl", "updatedAt"}  # fmt: skip


@pytest.fixture
def listener(paper, account):
    """Hears everything private about `account`."""
    with Listener(paper.origin) as listener:
        listener.authenticate(account.credentials)
        listener.hear(ISOLATED_TRADES, ORDERS, POSITION, "wallet/deposit", "wallet/withdrawal")
        yield listener


def limit(trader, **order):
    return trader.open(type="limit", price=90_000, **order)


def close(paper, trader):
    trade = trader.open(clientId="mine")
    trader.post(f"{ISOLATED}/trade/close", {"id": trade["id"]})


def cancel(paper, trader):
    trade = limit(trader)
    trader.post(f"{ISOLATED}/trade/cancel", {"id": trade["id"]})


def cancel_all(paper, trader):
    limit(trader)
    limit(trader)
    trader.post(f"{ISOLATED}/trades/cancel-all")


def touch(paper, trader):
    limit(trader)
    paper.control.set_price(89_999)


def stop(paper, trader):
    trader.open(stoploss=95_000)
    paper.control.set_price(95_000)


def take(paper, trader):
    trader.open(takeprofit=105_000)
    paper.control.set_price(105_000)


def lose(paper, trader):
    trader.open()
    paper.control.set_price(80_000)


def adjust(paper, trader):
    trade = {"id": trader.open()["id"]}
    assert trader.post(f"{ISOLATED}/trade/add-margin", trade | {"amount": 1000}).ok
    assert trader.put(f"{ISOLATED}/trade/stoploss", trade | {"value": 95_000}).ok
    assert trader.put(f"{ISOLATED}/trade/takeprofit", trade | {"value": 105_000}).ok
    assert trader.post(f"{ISOLATED}/trade/cash-in", trade | {"amount": 500}).ok


@pytest.mark.parametrize(
    ("action", "events"),
    [
        pytest.param(lambda _paper, trader: trader.open(), [("filled", PLACED)], id="market"),
        pytest.param(lambda _paper, trader: limit(trader), [("open", PLACED)], id="limit"),
        pytest.param(touch, [("open", PLACED), ("filled", PLACED)], id="limit touched"),
        pytest.param(close, [("filled", PLACED), ("closed", CLOSED)], id="close"),
        pytest.param(cancel, [("open", PLACED), ("canceled", CANCELED)], id="cancel"),
        pytest.param(cancel_all, [("open", PLACED)] * 2 + [("canceled", CANCELED)] * 2,
                     id="cancel all"),
        pytest.param(stop, [("filled", PLACED), ("stoploss", CLOSED)], id="stop loss"),
        pytest.param(take, [("filled", PLACED), ("takeprofit", CLOSED)], id="take profit"),
        pytest.param(lose, [("filled", PLACED), ("liquidation", LIQUIDATED)], id="liquidation"),
        pytest.param(adjust, [("filled", PLACED)], id="margin and levels: nothing is told"),
    ],
)  # fmt: skip
def test_isolated_trades(paper, trader, listener, action, events):
    action(paper, trader)
    told = [listener.next(topic=ISOLATED_TRADES) for _ in events]
    assert [(each["event"], set(each["trade"])) for each in told] == events
    assert {each["pair"] for each in told} == {"btc_usd"}
    listener.call("ping")
    assert listener.pending == []


def test_news_of_a_trade_agree_with_what_is_answered(trader, listener):
    began = int(time.time() * 1000)
    trade = trader.open(clientId="mine")
    told = listener.next()["trade"]
    assert began <= told.pop("createdAt") <= int(time.time() * 1000)
    assert told == {name: trade[name] for name in told}
    closed = trader.post(f"{ISOLATED}/trade/close", {"id": trade["id"]}).json()
    told = listener.next()["trade"]
    assert began <= told.pop("closedAt") <= int(time.time() * 1000)
    assert told == {name: closed[name] for name in told}


def order(trader, **fields):
    order = {"type": "market", "side": "buy", "quantity": 100} | fields
    answer = trader.post(f"{CROSS}/order", order)
    assert answer.ok, answer.text
    return answer.json()


def cross_limit(paper, trader):
    return order(trader, type="limit", price=90_000)


def cross_cancel(paper, trader):
    trader.post(f"{CROSS}/order/cancel", {"id": cross_limit(paper, trader)["id"]})


def cross_touch(paper, trader):
    cross_limit(paper, trader)
    paper.control.set_price(90_000)


def cross_close(paper, trader):
    order(trader)
    assert trader.post(f"{CROSS}/position/close").ok


def cross_lose(paper, trader):
    assert trader.put(f"{CROSS}/leverage", {"leverage": 100}).ok
    order(trader, quantity=1_000)
    paper.control.set_price(40_000)


def cross_withdraw(paper, trader):
    assert trader.post(f"{CROSS}/withdraw", {"amount": 10}).ok


@pytest.mark.parametrize(
    ("action", "orders", "positions"),
    [
        pytest.param(lambda _paper, trader: order(trader), [("new", FILLED_ORDER)], ["new"],
                     id="market"),
        pytest.param(cross_limit, [("new", OPEN_ORDER)], ["new"], id="limit"),
        pytest.param(cross_touch, [("new", OPEN_ORDER), ("limit", FILLED_ORDER)],
                     ["new", "limit"], id="limit touched"),
        pytest.param(cross_cancel, [("new", OPEN_ORDER), ("canceled", CANCELED_ORDER)],
                     ["new", "cancel"], id="cancel"),
        pytest.param(cross_close, [("new", FILLED_ORDER)] * 2, ["new", "new"], id="close"),
        pytest.param(cross_lose, [("new", FILLED_ORDER)] * 2,
                     ["leverage", "new", "liquidation"], id="liquidation"),
        pytest.param(cross_withdraw, [], ["withdraw"], id="withdraw"),
    ],
)  # fmt: skip
def test_cross_margin(paper, trader, listener, action, orders, positions):
    assert trader.post(f"{CROSS}/deposit", {"amount": 1_000_000}).ok
    action(paper, trader)
    told = [listener.next(topic=ORDERS) for _ in orders]
    assert [(each["event"], set(each["order"])) for each in told] == orders
    with_deposit = ["deposit", *positions]
    told = [listener.next(topic=POSITION) for _ in with_deposit]
    assert [each["event"] for each in told] == with_deposit
    assert all(set(each["position"]) == POSITION_FIELDS for each in told)


def by_lightning(paper, account, trader):
    trader.post("/account/deposit/lightning", {"amount": 5000})
    [deposit] = trader.get("/account/deposits/lightning").json()["data"]
    paper.control.advance_deposit(account.id, deposit["id"])


def on_chain(paper, account, _trader):
    deposit = paper.control.receive(account.id, amount=7000)
    paper.control.advance_deposit(account.id, deposit["id"], status="IRREVERSIBLE")


@pytest.mark.parametrize(
    ("action", "told"),
    [
        pytest.param(by_lightning, [("lightning", 5000, "settled", 10_005_000)], id="lightning"),
        pytest.param(on_chain, [("bitcoin", 7000, "MEMPOOL", 10_000_000),
                                ("bitcoin", 7000, "IRREVERSIBLE", 10_007_000)], id="on chain"),
    ],
)  # fmt: skip
def test_deposits(paper, account, trader, listener, action, told):
    action(paper, account, trader)
    for network, amount, status, balance in told:
        news = listener.next(topic="wallet/deposit")
        assert news.pop("id")
        assert news.pop("txId")
        assert news == {
            "currency": "btc",
            "network": network,
            "amount": amount,
            "status": status,
            "balance": balance,
        }


def test_withdrawals(paper):
    account = paper.control.create_account(
        balance=1_000_000, permissions=["account:withdrawals:read", "account:withdrawals:write"]
    )
    trader = Trader(paper.url, account.credentials)
    with Listener(paper.origin) as listener:
        listener.authenticate(account.credentials)
        listener.hear("wallet/withdrawal")
        body = {"address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "amount": 100_000}
        sent = trader.post("/account/withdraw/on-chain", body).json()
        told = listener.next()
        assert (told["id"], told["status"], told["txId"]) == (sent["id"], "pending", "")
        assert told["balance"] == 900_000 - told["fee"]
        for status in ("processing", "processed"):
            paper.control.advance_withdrawal(account.id, sent["id"], status=status)
            told = listener.next()
            assert told["status"] == status
        assert told["txId"]


def test_funding_of_trades_and_of_the_cross_position(paper, trader, listener):
    trade = trader.open(clientId="funded")
    assert trader.post(f"{CROSS}/deposit", {"amount": 2_000_000}).ok
    order(trader, quantity=1_000)
    paper.control.set_terms(funding_rate="0.0001")
    paper.control.move_clock(advance_seconds=8 * 3600)
    told = listener.next(topic=ISOLATED_TRADES)
    while told["event"] != "funding":
        told = listener.next(topic=ISOLATED_TRADES)
    assert told["trade"].pop("fundedAt") % (8 * 3_600_000) == 0
    assert told["trade"].pop("liquidationPrice") > trade["liquidation"]
    fee = told["trade"]["fundingFee"]
    assert fee == 100
    assert told["trade"] == {
        "id": trade["id"], "margin": trade["margin"] - fee, "fundingFee": fee, "clientId": "funded",
    }  # fmt: skip
    while (told := listener.next(topic=POSITION))["event"] != "funding":
        pass
    assert told["position"]["fundingFees"] == fee


def test_a_key_hears_only_what_its_scopes_allow(paper):
    account = paper.control.create_account(balance=0, permissions=["futures:isolated:read"])
    with Listener(paper.origin) as listener:
        result = listener.authenticate(account.credentials)["result"]
        assert result["permissions"] == ["futures:isolated:read"]
        listener.hear(ISOLATED_TRADES)
        error = listener.ask("subscribe", {"topics": [ORDERS]})["error"]
        assert (error["code"], error["data"]) == (-32003, {"code": "FORBIDDEN"})


def test_a_revoked_key_hears_nothing_more(paper, account, trader, listener):
    _, credentials = paper.control.create_key(account.id)
    paper.control.revoke_key(account.id, account.key_id)
    Trader(paper.url, credentials).open()
    assert listener.ask("whoami")["error"]["code"] == -32001
    assert listener.ask("subscribe", {"topics": [ORDERS]})["error"]["code"] == -32001
    assert listener.authenticate(account.credentials)["error"]["code"] == -32001
    assert listener.pending == []


def test_private_news_reach_their_account_alone(paper, trader, listener):
    other = paper.control.create_account(balance=10_000_000)
    Trader(paper.url, other.credentials).open()
    trader.open(clientId="mine")
    assert listener.next()["trade"]["clientId"] == "mine"


def test_news_come_once_subscribed_and_until_unsubscribed(trader, listener):
    listener.call("unsubscribe", topics=[ISOLATED_TRADES])
    trader.open(clientId="unheard")
    listener.hear(ISOLATED_TRADES)
    trader.open(clientId="heard")
    assert listener.next()["trade"]["clientId"] == "heard"


def test_another_connection_hears_nothing_of_the_past(paper, account, trader, listener):
    trader.open()
    with Listener(paper.origin) as late:
        late.authenticate(account.credentials)
        late.hear(ISOLATED_TRADES)
        trader.open(clientId="later")
        assert late.next()["trade"]["clientId"] == "later"


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        pytest.param("ticker", {"lastPrice": 98_000.5, "index": 98_000.5}, id="ticker"),
        pytest.param("lastPrice", {"lastPrice": 98_000.5}, id="last price"),
        pytest.param("index", {"index": 98_000.5}, id="index"),
        pytest.param("ohlc/1m", {"low": 98_000.5, "close": 98_000.5}, id="minute"),
        pytest.param("ohlc/3months", {"high": 100_000, "close": 98_000.5}, id="quarter"),
    ],
)
def test_the_market(paper, topic, expected):
    with Listener(paper.origin) as listener:
        listener.hear(f"{INVERSE}/{topic}")
        paper.control.set_price("98000.5")
        while not expected.items() <= (told := listener.next()).items():
            pass
        assert type(told["time"]) is int


def test_the_prices_of_all_sizes(paper):
    with Listener(paper.origin) as listener:
        listener.hear(f"{INVERSE}/buckets")
        paper.control.set_price(98_000)
        while (bucket := listener.next()["buckets"][0])["askPrice"] != 98_000:
            pass
        assert set(bucket) == {"minSize", "maxSize", "askPrice", "bidPrice"}


def test_funding_is_told_of_only_when_it_changes(paper):
    with Listener(paper.origin) as listener:
        listener.hear(f"{INVERSE}/lastPrice", f"{INVERSE}/funding")
        for _ in range(3):
            listener.next(topic=f"{INVERSE}/lastPrice")
        paper.control.set_terms(funding_rate="0.0001")
        told = [listener.next(topic=f"{INVERSE}/funding") for _ in range(2)]
        assert [each["current"]["rate"] for each in told] == [0, 0.0001]
        assert {each["pair"] for each in told} == {"btc_usd"}
        assert told[0]["current"]["time"] % (8 * 3_600_000) == 0


def test_the_market_is_told_of_also_while_it_stands_still(paper):
    with Listener(paper.origin) as listener:
        listener.hear(f"{INVERSE}/lastPrice")
        first, second = listener.next(), listener.next()
        assert first["lastPrice"] == second["lastPrice"] == 100_000
        assert first["time"] < second["time"]


def test_announcements(paper):
    with Listener(paper.origin) as listener:
        listener.hear("announcements")
        made = paper.control.announce("Maintenance", "At noon.")
        told = {"id": made, "title": "Maintenance", "message": "At noon.", "link": None}
        assert listener.next() == told
        paper.control.withdraw_announcement(made)
        assert listener.next() == {"id": made}
        with pytest.raises(requests.HTTPError, match=r"404.*unknown"):
            paper.control.withdraw_announcement(made)
