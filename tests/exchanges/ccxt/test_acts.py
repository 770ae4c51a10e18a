"""What an act is sent, how often, and what is made of the answer: the server counts."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.client import Signature
from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    InvalidCredentials,
    MissingScope,
    NotSent,
    NotSupported,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from exchanges.types import NewSpotOrder, OrderType, Side
from tests.exchanges.ccxt.fake_kraken import Fault
from tests.exchanges.conformance.world import signed_now

MARKET = "BTC/USD"
BUY = NewSpotOrder(MARKET, Side.BUY, OrderType.MARKET, Decimal("0.001"))
LIMIT = NewSpotOrder(
    MARKET, Side.BUY, OrderType.LIMIT, Decimal("0.001"), Decimal("90000.5"),
    client_id="6d1b345e-2821-40e2-ad83-4ecb18a06876",
)  # fmt: skip


def says(*errors: str, **rest: object) -> tuple[int, bytes]:
    return 200, json.dumps({"error": errors, **rest}).encode()


def buy(client, order=BUY):
    return client.spot.new_order(order, signature=signed_now())


UNKNOWN = {
    "500": (500, b""),
    "502 with a page": (502, b"<html>Bad gateway</html>"),
    "503 that says it was refused": (503, says("EOrder:Insufficient funds")[1]),
    "504": (504, b"{}"),
    "520": (520, b"{}"),
    "408": (408, b""),
    "a redirect": (302, b""),
    "nothing": (200, b""),
    "not JSON": (200, b"<html>Welcome</html>"),
    "half": (200, b'{"error": [], "result": {"txid": ["O'),
    "not UTF-8": (200, b'{"error": [], "\xff": 1}'),
    "a list": (200, b"[]"),
    "a number": (200, b"7"),
    "no result": says(),
    "errors that are no list": (200, b'{"error": 7, "result": {}}'),
    "no errors": (200, b'{"result": {"txid": ["OX"]}}'),
    "no id": says(result={"descr": {}}),
    "an id of nothing": says(result={"txid": [None]}),
    "NaN": (200, b'{"error": [], "result": NaN}'),
    "too deep": (200, b"[" * 100_000),
    "an error nobody knows": says("EService:The moon is full"),
    "too busy": says("EService:Busy"),
    "an internal error": says("EGeneral:Internal error"),
    "maintenance": says("EService:Market in cancel_only mode"),
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("executed", [True, False], ids=["executed", "not executed"])
def test_what_leaves_an_order_unknown(kraken, account, client, answer, executed):
    kraken.faults.append(Fault(answer, executed=executed, call="AddOrder"))

    with pytest.raises(UnknownOutcome):
        buy(client)
    assert (kraken.asked["AddOrder"], account.done) == (1, executed)


REFUSED = {
    "funds": (says("EOrder:Insufficient funds"), Refused),
    "an order that ccxt does not know": (says("EOrder:Positions limit exceeded"), Refused),
    "arguments": (says("EGeneral:Invalid arguments:price"), Refused),
    "a market": (says("EQuery:Invalid asset pair"), Refused),
    "400": ((400, b""), Refused),
    "key": (says("EAPI:Invalid key"), InvalidCredentials),
    "signature": (says("EAPI:Invalid signature"), InvalidCredentials),
    "401": ((401, b""), InvalidCredentials),
    "permission": (says("EGeneral:Permission denied"), MissingScope),
    "locked": (says("ETrade:User Locked"), AccessDenied),
    "403 with a page": ((403, b"<html>Go away</html>"), AccessDenied),
    "nonce": (says("EAPI:Invalid nonce"), ClockSkew),
    "rate": (says("EOrder:Rate limit exceeded"), RateLimited),
    "lockout": (says("EGeneral:Temporary lockout"), RateLimited),
    "429": ((429, b""), RateLimited),
}


@pytest.mark.parametrize(("answer", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_refuses_an_order(kraken, client, answer, expected):
    kraken.faults.append(Fault(answer, call="AddOrder"))

    with pytest.raises(expected) as caught:
        buy(client)
    assert type(caught.value) is expected
    assert kraken.asked["AddOrder"] == 1


def test_a_refusal_has_the_exchanges_words(client):
    with pytest.raises(Refused, match=r"^EOrder:Insufficient funds$") as caught:
        buy(client, replace(BUY, amount=Decimal(1_000)))
    assert caught.value.code == "EOrder:Insufficient funds"


def test_an_order_of_which_nothing_more_is_told_was_sent_once(kraken, account, client):
    kraken.faults.append(Fault(call="QueryOrders"))

    with pytest.raises(UnknownOutcome, match="accepted"):
        buy(client, LIMIT)
    assert (kraken.asked["AddOrder"], account.done) == (1, 1)
    assert [one.client_id for one in client.spot.open_orders(MARKET)] == [LIMIT.client_id]


def test_an_order_that_is_another_than_asked_for(kraken, client):
    def sold_instead(call, result):
        for order in result.values() if call == "QueryOrders" else ():
            order["descr"]["type"] = "sell"
        return result

    kraken.bend = sold_instead
    with pytest.raises(UnknownOutcome, match="another"):
        buy(client)
    assert kraken.asked["AddOrder"] == 1


def test_a_cancellation_without_effect_is_no_success(kraken, client):
    order = buy(client, LIMIT)
    kraken.faults.append(Fault(says(result={"count": 0}), call="CancelOrder"))

    with pytest.raises(UnknownOutcome):
        client.spot.cancel_order(order.id, MARKET, signature=signed_now())
    assert kraken.asked["CancelOrder"] == 1


def test_an_act_whose_markets_cannot_be_had_is_not_sent(kraken, account):
    stranger = registry.connect("ccxt-kraken", base_url=kraken.url, credentials=account.credentials)
    kraken.faults.append(Fault((500, b""), call="Assets"))

    with pytest.raises(NotSent):
        buy(stranger)
    assert kraken.asked["AddOrder"] == 0


def test_past_the_deadline_nothing_is_sent(kraken, client):
    now = datetime.now(UTC)
    late = Signature(signed_at=now, deadline=now - timedelta(milliseconds=1))

    with pytest.raises(NotSent, match="deadline"):
        client.spot.new_order(BUY, signature=late)
    assert kraken.asked["AddOrder"] == 0


def test_an_act_may_send_one_request(kraken, client):
    def twice(library):
        return library.fetch_balance(), library.fetch_balance()

    with pytest.raises(UnknownOutcome, match="second"):
        client._channel.act("twice", twice, lambda _: None, signature=signed_now())
    assert kraken.asked["BalanceEx"] == 1


def test_the_library_may_ask_nobody_else(kraken, client):
    elsewhere = "https://kraken.zendesk.com/api"

    with pytest.raises(NotSupported, match="somebody else"):
        client._channel.act(
            "elsewhere", lambda library: library.fetch(elsewhere), str, signature=signed_now()
        )


@pytest.mark.parametrize(
    ("amount", "price", "sent"),
    [
        ("0.00123456", "90000.5", ("0.00123456", "90000.5")),
        ("0.001234569", "90000.5", ("0.00123456", "90000.5")),
        ("1e-3", "9e4", ("0.001", "90000")),
        ("0.1", "99999.94", ("0.1", "99999.9")),
        ("0.30000000000000004", "1", ("0.3", "1")),
    ],
)
def test_numbers_are_sent_as_the_market_wants_them(account, client, amount, price, sent):
    order = buy(client, replace(LIMIT, amount=Decimal(amount), price=Decimal(price)))

    kept = account.orders[order.id]
    assert (kept["vol"], kept["descr"]["price"]) == sent
