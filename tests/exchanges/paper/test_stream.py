"""The stream's methods: what each answers, and what each refuses."""

import time

import pytest

from exchanges.paper.auth import sign_stream
from exchanges.paper.scopes import DEFAULT_SCOPES
from exchanges.paper.stream_topics import SCOPES, TOPICS
from tests.exchanges.paper.listener import Listener, authentication

TICKER = "futures/inverse/btc_usd/ticker"
LAST_PRICE = "futures/inverse/btc_usd/lastPrice"
PERMISSIONS = [str(scope) for scope in DEFAULT_SCOPES]


@pytest.fixture
def listener(shared_paper):
    with Listener(shared_paper.origin) as listener:
        yield listener


@pytest.fixture
def owner(shared_paper):
    return shared_paper.control.create_account(balance=10_000_000)


def test_the_signature_is_that_of_the_specification():
    signature = sign_stream(secret="secret", timestamp=1747035005657, nonce="nonce123")
    assert signature == "yh1LdQfBmrJDrEKy/o1vmPD5bK6mz5yVNEsINCPbYQA="


def test_hello_ping_and_time(listener):
    before = int(time.time() * 1000)
    assert listener.call("hello", clientName="a", clientVersion="1") == {"version": "1.0.0"}
    assert listener.call("ping") == "pong"
    assert before <= listener.call("time")["time"] <= int(time.time() * 1000)


@pytest.mark.parametrize("request_id", ["0123456789abcdef", "", 7, 0])
def test_an_answer_has_the_id_of_its_request(listener, request_id):
    answer = listener.ask("ping", id=request_id)
    assert (answer["jsonrpc"], answer["id"], answer["result"]) == ("2.0", request_id, "pong")


def test_an_answer_tells_times_and_what_is_left(listener):
    first, second = listener.ask("ping"), listener.ask("ping")
    assert first["usDiff"] == first["usOut"] - first["usIn"] >= 0
    assert first["rateLimit"] == {"remaining": 9, "limit": 10}
    assert second["rateLimit"]["remaining"] in (8, 9)


def test_authentication(listener, owner):
    answer = listener.authenticate(owner.credentials)
    assert answer["result"] == {"authenticated": True, "permissions": PERMISSIONS}
    assert listener.call("whoami") == {
        "apiKey": owner.credentials.key,
        "userId": owner.id,
        "permissions": PERMISSIONS,
    }


@pytest.mark.parametrize(
    ("altered", "code", "message"),
    [
        pytest.param({"key": "?"}, -32001, "Unknown key", id="key"),
        pytest.param({"passphrase": "?"}, -32001, "Wrong passphrase", id="passphrase"),
        pytest.param({"signature": "?"}, -32001, "Wrong signature", id="signature"),
        pytest.param({"nonce": "other"}, -32001, "Wrong signature", id="nonce"),
        pytest.param({"timestamp": 1}, -32001, "Timestamp is outside", id="old timestamp"),
        pytest.param({"timestamp": 10**14 - 1}, -32001, "Timestamp is outside", id="far timestamp"),
        pytest.param({"timestamp": 10**20}, -32001, "Timestamp must be", id="absurd timestamp"),
        pytest.param({"timestamp": "1"}, -32602, "timestamp: ", id="timestamp as text"),
        pytest.param({"key": None}, -32602, "key: ", id="no key"),
        pytest.param({"nonce": ["x"]}, -32602, "nonce: ", id="nonce no text"),
    ],
)
def test_a_wrong_authentication_is_refused(listener, owner, altered, code, message):
    error = listener.authenticate(owner.credentials, **altered)["error"]
    assert error["code"] == code
    assert error["message"].startswith(message)
    assert listener.ask("whoami")["error"]["code"] == -32001


def test_a_nonce_is_good_once(listener, owner):
    first, second = (authentication(owner.credentials, nonce=nonce) for nonce in ("n1", "n2"))
    assert "result" in listener.ask("authenticate", first)
    assert listener.ask("authenticate", first)["error"]["code"] == -32001
    assert "result" in listener.ask("authenticate", second)


def test_whoami_needs_authentication(listener):
    answer = listener.ask("whoami")
    assert answer["error"] == {
        "code": -32001,
        "message": "Authenticate first",
        "data": {"code": "UNAUTHORIZED"},
    }


def test_every_topic_can_be_subscribed_to(listener, owner):
    listener.authenticate(owner.credentials)
    listener.hear(*sorted(TOPICS))


@pytest.mark.parametrize("topic", sorted(SCOPES))
def test_private_topics_need_authentication(listener, topic):
    answer = listener.ask("subscribe", {"topics": [TICKER, topic]})
    assert answer["error"]["data"] == {"code": "UNAUTHORIZED"}
    assert listener.call("unsubscribeAll") == {"unsubscribed": []}, "nothing half done"


def test_unsubscribing(listener):
    listener.hear(TICKER, LAST_PRICE)
    assert listener.call("subscribe", topics=[TICKER]) == {"subscribed": [TICKER]}
    assert listener.call("unsubscribe", topics=[TICKER]) == {"unsubscribed": [TICKER]}
    assert listener.call("unsubscribe", topics=[TICKER]) == {"unsubscribed": []}
    assert listener.call("unsubscribeAll") == {"unsubscribed": [LAST_PRICE]}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("{", -32700, id="no JSON"),
        pytest.param("[" * 60_000, -32700, id="nested"),
        pytest.param('"\\ud800"', -32700, id="half a character"),
        pytest.param("[]", -32600, id="batch"),
        pytest.param("{}", -32600, id="nothing"),
        pytest.param('{"jsonrpc":"2.0","method":"ping"}', -32600, id="no id"),
        pytest.param('{"jsonrpc":"2.0","method":"ping","id":null}', -32600, id="null id"),
        pytest.param('{"jsonrpc":"2.0","method":"ping","id":{}}', -32600, id="id an object"),
        pytest.param('{"jsonrpc":"1.0","method":"ping","id":1}', -32600, id="version"),
        pytest.param('{"jsonrpc":"2.0","method":["ping"],"id":1}', -32600, id="method a list"),
        pytest.param('{"jsonrpc":"2.0","method":"pong","id":1}', -32601, id="method"),
        pytest.param('{"jsonrpc":"2.0","method":"hello","id":1}', -32602, id="no params"),
        pytest.param('{"jsonrpc":"2.0","method":"hello","id":1,"params":[1]}', -32602, id="list"),
        pytest.param('{"jsonrpc":"2.0","method":"subscribe","id":1,"params":{"topics":[]}}',
                     -32602, id="no topic"),
        pytest.param('{"jsonrpc":"2.0","method":"subscribe","id":1,"params":{"topics":["x"]}}',
                     -32602, id="unknown topic"),
    ],
)  # fmt: skip
def test_bad_requests(listener, text, code):
    listener.socket.send(text)
    answer = listener.receive()
    assert answer["error"]["code"] == code
    assert listener.call("ping") == "pong", "the connection lives on"


def test_binary_messages_are_no_requests(listener):
    listener.socket.send_binary(b"{}")
    assert listener.receive()["error"]["code"] == -32700


def test_more_than_ten_messages_a_second_are_refused(listener):
    ids = [listener.send("ping") for _ in range(40)]
    answers = [listener.receive() for _ in ids]
    assert [answer["id"] for answer in answers] == ids
    assert all("result" in answer for answer in answers[:10])
    assert {answer["error"]["code"] for answer in answers if "error" in answer} == {-32029}
