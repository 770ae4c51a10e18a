"""Signatures: the specification's vectors, on what `requests` would put on the wire."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import requests

from exchanges.errors import InvalidCredentials
from exchanges.lnmarkets.auth import SignedAt, canonical_json, hmac_base64
from exchanges.types import Credentials, Side

BASE = "https://api.lnmarkets.com"
CREDENTIALS = Credentials(key="test-key", secret="test-secret", passphrase="test-passphrase")
SIGNED_AT = datetime.fromtimestamp(1_700_000_000, UTC)
TRADE_ID = "d0b9f9a0-4f6e-4a5a-8b7a-7f0f5f9a8a1e"

VECTORS = [
    ("GET", "/v3/account", None, "PqAcWIRWmtwRm7dF50WAZ4m8gzcM+X17ZlO1mexMsKc="),
    (
        "GET",
        "/v3/futures/isolated/trades/closed?limit=10",
        None,
        "raSRTGjNIOJquEQlIoPgRdcNrNeT+V3E9pcWhMmhzts=",
    ),
    (
        "POST",
        "/v3/futures/isolated/trade",
        {
            "leverage": Decimal("10.0"),
            "margin": 1000,
            "side": Side.BUY,
            "type": "market",
            "clientId": "client-1",
        },
        "ZDDA6BKkHfwR6T/70eTfMc4EPfGR1RcK4qBfCjOa65s=",
    ),
    (
        "PUT",
        "/v3/futures/isolated/trade/stoploss",
        {"id": TRADE_ID, "value": Decimal("0.10"), "mode": "trailing"},
        "vj3wVlzktwWdi3+d/pAFtWjzaQAHDhlAuNPx+VUoVOM=",
    ),
    (
        "DELETE",
        f"/v3/futures/isolated/trade/stoploss?id={TRADE_ID}",
        None,
        "0IFIBtrTHD68kqd+bcilXY1HVPrqu8/U1Lz5zhHYgYM=",
    ),
    (
        "POST",
        "/v3/futures/cross/order",
        {
            "side": "buy",
            "quantity": 2,
            "type": "limit",
            "price": Decimal("64000.5"),
            "clientId": "client-1",
        },
        "6eoYpyU6hRWJ5mebpuxh4d/Hx9++27toVFQaTHVAmOM=",
    ),
    (
        "PUT",
        "/v3/futures/cross/leverage",
        {"leverage": 25},
        "wtyVqDOxnBZN/Qhd2OPgs0extyzSzigKxM83LKKMkGQ=",
    ),
    (
        "POST",
        "/v3/futures/cross/orders/cancel-all",
        None,
        "AAaqaGHfslfYrKtXpmpDCqbN75r2Tyq/PJjVyb95N0o=",
    ),
]


@pytest.mark.parametrize(("method", "target", "body", "signature"), VECTORS, ids=lambda v: str(v))
def test_the_vectors_of_the_specification(method, target, body, signature):
    request = requests.Request(
        method,
        BASE + target,
        data=None if body is None else canonical_json(body),
        auth=SignedAt(CREDENTIALS, SIGNED_AT),
    ).prepare()

    assert request.headers["lnm-access-signature"] == signature
    assert request.headers["lnm-access-timestamp"] == "1700000000000"
    assert request.headers["lnm-access-key"] == "test-key"
    assert request.headers["lnm-access-passphrase"] == "test-passphrase"


@pytest.mark.parametrize(
    ("secret", "payload", "signature"),
    [
        ("test-secret", "payload-1", "JJ8q7bXc7Kkj7cjj1EgBqA9pn70I9b2B8iLeDwDtQ2Y="),
        ("secret", "1747035005657nonce123", "yh1LdQfBmrJDrEKy/o1vmPD5bK6mz5yVNEsINCPbYQA="),
    ],
)
def test_plain_hmac(secret, payload, signature):
    assert hmac_base64(secret, payload) == signature


def test_the_timestamp_is_exact_to_the_millisecond():
    at = datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
    request = requests.Request("GET", BASE + "/v3/account", auth=SignedAt(CREDENTIALS, at))

    assert request.prepare().headers["lnm-access-timestamp"] == "1795176000999"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (72000, "72000"),
        (Decimal("72000.0"), "72000"),
        (Decimal("7.2E+4"), "72000"),
        (Decimal(100000000), "100000000"),
        (Decimal("-0.0"), "0"),
        (Decimal("64000.50"), "64000.5"),
        (Decimal("0.001"), "0.001"),
        (Decimal("10.33333333333333333333333333"), "10.333333333333334"),
        ("Zürich ⚡", '"Zürich ⚡"'),
        ('a "quote"\n', '"a \\"quote\\"\\n"'),
    ],
)
def test_values_are_written_as_javascript_writes_them(value, written):
    assert canonical_json({"value": value}).decode() == f'{{"value":{written}}}'


def test_keys_keep_their_order():
    assert canonical_json({"b": 1, "a": 2}) == b'{"b":1,"a":2}'


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), Decimal("0.00001"), b"bytes"], ids=str
)
def test_what_has_no_plain_notation_is_refused(value):
    with pytest.raises(ValueError, match="holds"):
        canonical_json({"value": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", ""),
        ("key", " k3y"),
        ("key", "key\r\nlnm-access-key: other"),
        ("key", "ключ"),
        ("passphrase", "pass\tphrase"),
        ("passphrase", "päss"),
        ("secret", ""),
        ("secret", "\ud800"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_named_and_not_shown(name, value):
    parts = {"key": "k", "secret": "s", "passphrase": "p", name: value}
    auth = SignedAt(Credentials(**parts), SIGNED_AT)

    with pytest.raises(InvalidCredentials, match=f"The {name} is not usable") as caught:
        requests.Request("GET", BASE + "/v3/account", auth=auth).prepare()
    assert not value or value not in str(caught.value)
