"""What is read, what is refused to be read, and how often the exchange is asked."""

import builtins
import contextlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges import registry
from exchanges.errors import (
    InvalidCredentials,
    NotSupported,
    Refused,
    Suspended,
    TransientError,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.guard import Call
from exchanges.types import CandleRange, Credentials, NewSpotOrder, OrderType, Side
from tests.exchanges.ccxt.fake_kraken import PAGE, Fault
from tests.exchanges.conformance.world import long_ago, signed_now

MARKET = "BTC/USD"
LIMIT = NewSpotOrder(MARKET, Side.BUY, OrderType.LIMIT, Decimal("0.0001"), Decimal("90000.5"))
NUMBERS = ["NaN", "Infinity", "-1", "1e99", "1e999", "9" * 50, "", "many", None, True, [], {}]

READS = {
    "balances": ("BalanceEx", lambda spot: spot.balances()),
    "open orders": ("OpenOrders", lambda spot: spot.open_orders(MARKET)),
    "closed orders": ("ClosedOrders", lambda spot: spot.closed_orders(MARKET, since=long_ago())),
    "best price": ("Ticker", lambda spot: spot.best_price(MARKET)),
}
NOT_EMPTY = [{}, [], None, {"error": []}, {"error": [], "result": None}, {"result": {"open": {}}}]


@pytest.mark.parametrize(("call", "ask"), READS.values(), ids=READS)
@pytest.mark.parametrize("document", NOT_EMPTY, ids=map(str, NOT_EMPTY))
def test_an_answer_without_a_list_is_not_an_empty_list(kraken, client, call, ask, document):
    kraken.faults.append(Fault((200, json.dumps(document).encode()), call=call))

    with pytest.raises(UnreadableAnswer):
        ask(client.spot)


@pytest.mark.parametrize("number", NUMBERS, ids=map(repr, NUMBERS))
@pytest.mark.parametrize("field", ["vol", "vol_exec"])
def test_an_order_with_a_number_that_is_none(kraken, client, field, number):
    order = client.spot.new_order(LIMIT, signature=signed_now())
    kraken.bend = lambda _call, result: {order.id: result[order.id] | {field: number}}

    with pytest.raises(UnreadableAnswer):
        client.spot.order(order.id, MARKET)


@pytest.mark.parametrize("pair", [None, 7, "", {}], ids=repr)
def test_an_open_order_of_no_market_is_not_left_out(kraken, client, pair):
    order = client.spot.new_order(LIMIT, signature=signed_now())

    def without_pair(_call, result):
        told = result["open"][order.id]
        return {"open": {order.id: told | {"descr": told["descr"] | {"pair": pair}}}}

    kraken.bend = without_pair
    with pytest.raises(UnreadableAnswer):
        client.spot.open_orders(MARKET)


@pytest.mark.parametrize("number", NUMBERS, ids=map(repr, NUMBERS))
@pytest.mark.parametrize("field", ["balance", "hold_trade"])
def test_a_balance_with_a_number_that_is_none(kraken, client, field, number):
    kraken.bend = lambda _call, result: result | {"XXBT": result["XXBT"] | {field: number}}

    with pytest.raises(UnreadableAnswer):
        client.spot.balances()


def test_numbers_stay_what_was_written(kraken, client):
    written = "0.10000000000000000555"
    kraken.bend = lambda _call, result: result | {"XXBT": {"balance": written, "hold_trade": "0"}}

    assert client.spot.balances()[0].total == Decimal(written)


def test_bid_above_ask_is_refused(kraken, client):
    def crossed(_call, result):
        return {"XXBTZUSD": result["XXBTZUSD"] | {"a": ["1"], "b": ["2"]}}

    kraken.bend = crossed
    with pytest.raises(UnreadableAnswer, match="bid"):
        client.spot.best_price(MARKET)


def test_the_answer_is_about_the_order_asked_for(kraken, client):
    order = client.spot.new_order(LIMIT, signature=signed_now())
    kraken.bend = lambda _call, result: {"OTHER": result[order.id]}

    with pytest.raises(Refused):
        client.spot.order(order.id, MARKET)


def test_all_pages_of_closed_orders(kraken, account, client):
    orders = [client.spot.new_order(LIMIT, signature=signed_now()) for _ in range(3)]
    for order in orders:
        client.spot.cancel_order(order.id, MARKET, signature=signed_now())
    pattern = account.orders[orders[0].id]
    account.orders |= {f"O{number:05}-AAAAA": dict(pattern) for number in range(2 * PAGE)}

    closed = client.spot.closed_orders(MARKET, since=long_ago())

    assert len(closed) == 2 * PAGE + 3
    assert kraken.asked["ClosedOrders"] == 4
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert list(client.spot.closed_orders(MARKET, since=later)) == []


def test_markets_are_asked_for_once_by_all_clients(kraken, client):
    for _ in range(3):
        another = kraken.open_account()
        registry.connect(
            "ccxt-kraken", base_url=kraken.url, credentials=another.credentials
        ).spot.balances()

    assert (kraken.asked["AssetPairs"], kraken.asked["Assets"]) == (1, 1)


@pytest.mark.parametrize("status", [500, 503])
def test_reads_are_not_repeated_by_the_library(kraken, client, status):
    kraken.faults.append(Fault((status, b""), call="BalanceEx"))

    with pytest.raises(Unavailable):
        client.spot.balances()
    assert kraken.asked["BalanceEx"] == 1


@pytest.mark.parametrize("length", CandleRange)
def test_candles_of_each_length(client, length):
    since, until = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC)
    if length in ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"):
        assert all(since <= c.at <= until for c in client.candles(length, since=since, until=until))
    else:
        with pytest.raises(NotSupported, match=r"candles of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w only"):
            client.candles(length, since=since, until=until)


class Turnstile:
    """A guard that notes what comes, and lets nothing through once it is shut."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.is_shut = False

    def run(self, call, request):
        self.calls.append(call)
        if self.is_shut:
            raise Suspended("shut")
        return request()

    def learn(self, call, allowance) -> None:
        """Kraken says nothing of the kind."""


def test_every_request_passes_the_guard(kraken, account):
    guard = Turnstile()
    client = registry.connect(
        "ccxt-kraken", base_url=kraken.url, credentials=account.credentials, guard=guard
    )

    client.spot.new_order(LIMIT, signature=signed_now())

    markets = Call("spot.markets", is_public=True)
    expected = [markets, markets, Call("spot.new_order", is_act=True), Call("spot.order")]
    assert guard.calls == expected
    assert sum(kraken.asked.values()) == len(expected)
    guard.is_shut = True
    with pytest.raises(Suspended):
        client.spot.new_order(LIMIT, signature=signed_now())
    assert account.done == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"passphrase": "secret words"}, "no passphrase: leave it blank"),
        ({"secret": "not base64!"}, "copy all of it"),
    ],
    ids=["a passphrase", "half a secret"],
)
def test_credentials_that_cannot_be_krakens(kraken, account, change, said):
    given_ = {"key": account.key, "secret": account.credentials.secret, "passphrase": ""} | change
    client = registry.connect("ccxt-kraken", base_url=kraken.url, credentials=Credentials(**given_))

    with pytest.raises(InvalidCredentials, match=said):
        client.account()
    assert not kraken.asked


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    import_ = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "exchanges.ccxt.client":
            raise ModuleNotFoundError("No module named 'ccxt'", name="ccxt")
        return import_(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(NotSupported, match=r"pip install 'axisor\[ccxt\]'"):
        registry.connect("ccxt-kraken", base_url="https://api.kraken.com")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "result", "open", "O1", "vol"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(document=JSON, call=st.sampled_from(sorted(READS)))
@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_answer_makes_it_stumble(kraken, client, document, call):
    name, ask = READS[call]
    kraken.faults[:] = [
        Fault((200, json.dumps({"error": [], "result": document}).encode()), False, name)
    ]
    with contextlib.suppress(TransientError):
        ask(client.spot)
