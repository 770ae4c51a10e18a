"""Faults that spoil an answer: what a raw client receives, and that the request was executed."""

import gzip
import json
from http.client import HTTPConnection, IncompleteRead
from io import BytesIO
from urllib.parse import urlsplit

import pytest

from tests.exchanges.paper.trader import ISOLATED, TIMEOUT_SECONDS, Trader

TRADE = f"{ISOLATED}/trade"
ORDER = '{"side":"buy","type":"market","leverage":10,"quantity":1}'
MEGABYTE = 2**20


@pytest.fixture
def raw(shared_paper):
    """A connection whose answers nothing has looked at."""
    connection = HTTPConnection(urlsplit(shared_paper.origin).netloc, timeout=TIMEOUT_SECONDS)
    yield connection
    connection.close()


@pytest.fixture
def owner(shared_paper):
    return shared_paper.control.create_account(balance=10_000_000)


@pytest.fixture
def order(shared_paper, owner, raw):
    """Sends an order under a fault and answers the raw response."""

    def order(kind, **options):
        fault = {"path": f"/v3{TRADE}", "account_id": owner.id} | options
        shared_paper.control.fault(kind, **fault)
        headers = Trader(shared_paper.url, owner.credentials).headers("POST", TRADE, data=ORDER)
        raw.request("POST", f"/v3{TRADE}", ORDER, headers | {"content-type": "application/json"})
        return raw.getresponse()

    return order


def running(shared_paper, owner):
    return shared_paper.control.account(owner.id)["trades"]


def is_not_json(body):
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def is_a_trade(body):
    return json.loads(body)["running"]


@pytest.mark.parametrize(
    ("kind", "content_type", "is_expected"),
    [
        pytest.param("malformed_json", "application/json", is_not_json, id="malformed"),
        pytest.param("not_json", "text/html", is_not_json, id="another language"),
        pytest.param("empty_body", "application/json", lambda body: body == b"", id="empty"),
        pytest.param("wrong_type", "text/html", is_a_trade, id="wrong type"),
    ],
)
def test_spoiled_answers(shared_paper, owner, order, kind, content_type, is_expected):
    answer = order(kind)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert is_expected(answer.read())
    assert len(running(shared_paper, owner)) == 1, "it was executed"


def test_a_body_that_ends_too_early(shared_paper, owner, order):
    answer = order("truncated_body")
    with pytest.raises(IncompleteRead) as cut:
        answer.read()
    assert cut.value.partial.startswith(b'{"id":')
    assert len(running(shared_paper, owner)) == 1


def test_a_huge_body_is_json_all_the_same(order):
    body = order("huge_body").read()
    assert len(body) > 50 * MEGABYTE
    assert is_a_trade(body)


def test_a_bomb_is_small_until_it_is_unpacked(order):
    answer = order("gzip_bomb")
    assert answer.headers["content-encoding"] == "gzip"
    packed = answer.read()
    assert len(packed) < MEGABYTE
    assert sum(len(piece) for piece in unpacked(packed)) > 200 * MEGABYTE


def unpacked(packed):
    with gzip.GzipFile(fileobj=BytesIO(packed)) as content:
        while piece := content.read(MEGABYTE):
            yield piece


def test_a_slow_body_comes_byte_by_byte(order):
    answer = order("slow_body", seconds=0.001)
    pieces = []
    while piece := answer.read1():
        pieces.append(piece)
    assert len(pieces) > 10
    assert is_a_trade(b"".join(pieces))


def test_a_slow_body_holds_up_nobody(shared_paper, order):
    order("slow_body", seconds=600)
    assert shared_paper.control.price() == 100_000


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("status", "is_expected"),
    [
        (500, lambda body: json.loads(body)["code"] == "INTERNAL_SERVER_ERROR"),
        (502, is_not_json),
        (503, lambda body: json.loads(body)["code"] == "SERVICE_UNAVAILABLE"),
        (504, is_not_json),
    ],
    ids=["500", "502", "503", "504"],
)
def test_server_errors(shared_paper, owner, order, status, is_expected, executed):
    answer = order("fail_after" if executed else "fail_before", status=status)
    assert answer.status == status
    assert is_expected(answer.read())
    assert len(running(shared_paper, owner)) == executed


def test_too_many_requests_executes_nothing(shared_paper, owner, order):
    answer = order("too_many_requests", seconds=1.5)
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert json.loads(answer.read())["code"] == "TOO_MANY_REQUESTS"
    assert running(shared_paper, owner) == []


def test_the_connection_lives_on_after_a_spoiled_answer(order, raw):
    for kind in ("malformed_json", "huge_body", "empty_body"):
        order(kind).read()
    raw.request("GET", "/v3/ping")
    assert raw.getresponse().read() == b'"pong"'
