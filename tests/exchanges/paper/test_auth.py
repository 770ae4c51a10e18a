"""Signatures: the specification's vectors, and everything that is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.paper.auth import authenticate, sign
from exchanges.paper.refusals import Unauthorized
from tests.exchanges.paper.desk import Desk

TRADE_ID = "d0b9f9a0-4f6e-4a5a-8b7a-7f0f5f9a8a1e"
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "path", "data", "signature"),
    [
        pytest.param("get", "/v3/account", "",
                     "PqAcWIRWmtwRm7dF50WAZ4m8gzcM+X17ZlO1mexMsKc=", id="no data"),
        pytest.param("get", "/v3/futures/isolated/trades/closed", "?limit=10",
                     "raSRTGjNIOJquEQlIoPgRdcNrNeT+V3E9pcWhMmhzts=", id="query"),
        pytest.param("post", "/v3/futures/isolated/trade",
                     '{"leverage":10,"margin":1000,"side":"buy","type":"market",'
                     '"clientId":"client-1"}',
                     "ZDDA6BKkHfwR6T/70eTfMc4EPfGR1RcK4qBfCjOa65s=", id="body"),
        pytest.param("put", "/v3/futures/isolated/trade/stoploss",
                     f'{{"id":"{TRADE_ID}","value":0.1,"mode":"trailing"}}',
                     "vj3wVlzktwWdi3+d/pAFtWjzaQAHDhlAuNPx+VUoVOM=", id="put"),
        pytest.param("delete", "/v3/futures/isolated/trade/stoploss", f"?id={TRADE_ID}",
                     "0IFIBtrTHD68kqd+bcilXY1HVPrqu8/U1Lz5zhHYgYM=", id="delete"),
        pytest.param("post", "/v3/futures/cross/order",
                     '{"side":"buy","quantity":2,"type":"limit","price":64000.5,'
                     '"clientId":"client-1"}',
                     "6eoYpyU6hRWJ5mebpuxh4d/Hx9++27toVFQaTHVAmOM=", id="price with a fraction"),
        pytest.param("put", "/v3/futures/cross/leverage", '{"leverage":25}',
                     "wtyVqDOxnBZN/Qhd2OPgs0extyzSzigKxM83LKKMkGQ=", id="one number"),
        pytest.param("POST", "/v3/futures/cross/orders/cancel-all", "",
                     "AAaqaGHfslfYrKtXpmpDCqbN75r2Tyq/PJjVyb95N0o=", id="post without a body"),
    ],
)  # fmt: skip
def test_signature_vectors(method, path, data, signature):
    signed = sign(
        secret="test-secret", timestamp="1700000000000", method=method, path=path, data=data
    )
    assert signed == signature


def headers(*, age=timedelta(0), signed_with="trader-secret", **changes):
    timestamp = str(int((NOW - age).timestamp() * 1000))
    signature = sign(
        secret=signed_with, timestamp=timestamp, method="GET", path="/v3/account", data="?a=1"
    )
    values = {
        "key": "trader-key",
        "passphrase": "trader-passphrase",
        "timestamp": timestamp,
        "signature": signature,
    }
    return {f"lnm-access-{name}": value for name, value in (values | changes).items()}


def check(given, *, data="?a=1"):
    book = Desk(price=Decimal(100_000)).book
    return authenticate(given, method="GET", path="/v3/account", data=data, book=book, now=NOW)


@pytest.mark.parametrize(
    "age",
    [
        pytest.param(timedelta(0), id="now"),
        pytest.param(timedelta(seconds=30), id="as old as may be"),
        pytest.param(timedelta(seconds=-30), id="as far ahead as may be"),
    ],
)
def test_accepted(age):
    assert check(headers(age=age)).account.id == "trader"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({}, "Unknown key", id="no headers"),
        pytest.param(headers(key="other"), "Unknown key", id="unknown key"),
        pytest.param(headers(passphrase="other"), "Wrong passphrase", id="passphrase"),
        pytest.param(headers(signed_with="other"), "Wrong signature", id="another secret"),
        pytest.param(headers(signature=""), "Wrong signature", id="no signature"),
        pytest.param(headers(signature="é"), "Wrong signature", id="signature not ASCII"),
        pytest.param(headers(age=timedelta(seconds=30, milliseconds=1)),
                     "Timestamp is outside the window of 30 seconds", id="too old"),
        pytest.param(headers(age=-timedelta(seconds=30, milliseconds=1)),
                     "Timestamp is outside the window of 30 seconds", id="too far ahead"),
        pytest.param(headers(timestamp=""), "Timestamp must be milliseconds", id="no timestamp"),
        pytest.param(headers(timestamp="1e12"), "Timestamp must be milliseconds", id="exponent"),
        pytest.param(headers(timestamp="²"), "Timestamp must be milliseconds", id="superscript"),
        pytest.param(headers(timestamp="9" * 15), "Timestamp must be milliseconds", id="endless"),
    ],
)  # fmt: skip
def test_refused(given, message):
    with pytest.raises(Unauthorized, match=f"^{message}") as refusal:
        check(given)
    assert (refusal.value.status, refusal.value.code) == (401, "UNAUTHORIZED")


def test_the_data_is_part_of_what_is_signed():
    with pytest.raises(Unauthorized, match="Wrong signature"):
        check(headers(), data="?a=2")
