"""The stream against a server on a real socket that is rude in every way it can be."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.errors import ClockSkew, InvalidCredentials, Unavailable
from exchanges.lnmarkets import rpc
from exchanges.lnmarkets.auth import hmac_base64
from exchanges.lnmarkets.stream import (
    LONGEST_WAIT,
    REFUSED_WAIT,
    SHORTEST_WAIT,
    LNMarketsStream,
    connect,
    permissions_of,
    stream_url,
    wait_after,
)
from exchanges.stream import AccountNews, Announcement, Down, MarketNews, News, Up
from exchanges.types import Credentials, Permission
from tests.exchanges.lnmarkets.clients import SECRETS, eventually
from tests.exchanges.rude_stream import ISOLATED, LAST_PRICE, TICKER, Client, RudeStream, answers

CREDENTIALS = Credentials(*SECRETS)


@pytest.fixture
def server() -> Iterator[RudeStream]:
    with RudeStream() as server:
        yield server


class Heard:
    """A stream and everything it told."""

    def __init__(self, server: RudeStream, credentials: Credentials | None) -> None:
        self.news: list[News] = []
        self.server = server
        self.stream: LNMarketsStream = connect(
            base_url=server.url, credentials=credentials, listener=self.news.append
        )

    def of(self, kind: type) -> list:
        return [news for news in self.news if isinstance(news, kind)]

    def prices(self) -> list[Decimal]:
        return [news.last_price for news in self.of(MarketNews)]

    def up(self, times: int = 1) -> Client:
        """Wait until it was up that often, and give the connection it is on."""
        eventually(lambda: len(self.of(Up)) >= times)
        return self.server.clients[-1]


@pytest.fixture
def market(server: RudeStream) -> Iterator[Heard]:
    heard = Heard(server, None)
    heard.stream.start()
    yield heard
    heard.stream.stop()


@pytest.fixture
def account(server: RudeStream) -> Iterator[Heard]:
    heard = Heard(server, CREDENTIALS)
    heard.stream.start()
    yield heard
    heard.stream.stop()


def test_the_market_is_told(market: Heard):
    client = market.up()
    now = int(time.time() * 1000)
    client.push(TICKER, {"time": now, "lastPrice": 100.5, "index": 100, "funding":
                         {"rate": 0.0001, "time": now + 5000}})  # fmt: skip
    client.push("announcements", {"title": "Maintenance", "body": ["at\nnoon"]})
    eventually(lambda: len(market.news) == 3)
    _, news, announcement = market.news
    assert isinstance(news, MarketNews)
    assert isinstance(announcement, Announcement)
    assert (news.last_price, news.index) == (Decimal("100.5"), Decimal(100))
    assert (news.funding_rate, news.funding_at - news.at) == (
        Decimal("0.0001"),
        timedelta(seconds=5),
    )
    assert announcement.text == "Maintenance at noon"


def test_the_account_is_told_and_its_key_is_never_sent_in_the_clear(account: Heard):
    client = account.up()
    [[_, _, authenticated]] = [call for call in client.calls if call[1] == "authenticate"]
    signed = f"{authenticated['timestamp']}{authenticated['nonce']}"
    assert authenticated["signature"] == hmac_base64(CREDENTIALS.secret, signed)
    assert CREDENTIALS.secret not in json.dumps(client.calls)
    client.push(ISOLATED, {"event": "closed", "trade": {}})
    eventually(lambda: account.of(AccountNews))
    assert account.of(AccountNews) == [AccountNews("isolated/trades closed")]


def test_only_topics_that_the_key_may_hear_are_asked_for(account: Heard):
    client = account.up()
    [[_, _, subscribed]] = [call for call in client.calls if call[1] == "subscribe"]
    heard = {"isolated/trades", "cross/orders", "cross/position"}
    assert set(subscribed["topics"]) == {f"futures/inverse/btc_usd/{topic}" for topic in heard}


@pytest.mark.parametrize(
    "end",
    [
        lambda client: client.cut(),
        lambda client: client.close(1000),
        lambda client: client.close(1011),
        lambda client: client.say(b"x" * (rpc.MAX_MESSAGE_BYTES + 1)),
        lambda client: [
            client.say(b"x" * 65_000, opcode=0 if n else 1, fin=False) for n in range(5)
        ],
        lambda client: client.raw(b"\xff\xff" + bytes(12)),
        lambda client: client.say(b"x", opcode=5),
    ],
    ids=["cut", "close 1000", "close 1011", "huge", "huge in parts", "no frame", "bad opcode"],
)
def test_it_comes_back_with_everything_restored(account: Heard, end):
    first = account.up()
    end(first)
    second = account.up(2)
    assert second is not first
    assert second.methods == first.methods == ["hello", "time", "time", "authenticate", "subscribe"]
    assert [type(news) for news in account.news] == [Up, Down, Up]


def test_it_never_gives_up(account: Heard, monkeypatch):
    monkeypatch.setattr("exchanges.lnmarkets.stream.LONGEST_WAIT", 0.1)
    account.up()
    account.server.refuses = True
    account.server.clients[-1].cut()
    eventually(lambda: len(account.of(Down)) >= 9)
    account.server.refuses = False
    account.up(2)


def test_it_waits_longer_each_time_but_never_very_long():
    for failures, longest in [(0, 0.2), (1, 0.4), (4, 3.2), (7, 15), (10**6, 15)]:
        waits = [wait_after(failures) for _ in range(100)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert (SHORTEST_WAIT, LONGEST_WAIT) == (0.2, 15)


def declining(server: RudeStream, declined: str, message: str) -> Heard:
    """An account's stream at a server that declines one method."""
    error = {"error": {"code": -32000, "message": message}}
    server.answer = lambda method, params: error if method == declined else answers(method, params)
    return Heard(server, CREDENTIALS)


def test_a_key_that_is_refused_is_seldom_tried(server: RudeStream):
    account, waits = declining(server, "authenticate", "Unknown key"), []
    account.stream._stopping.wait = waits.append
    account.stream.start()
    eventually(lambda: len(waits) >= 3)
    account.stream.stop()
    assert min(waits) >= REFUSED_WAIT


def test_what_a_stream_declines_is_told_without_its_words(server: RudeStream):
    account = declining(server, "subscribe", f"{CREDENTIALS.key} may not hear this")
    account.stream.start()
    eventually(lambda: account.of(Down))
    account.stream.stop()
    assert account.of(Down)[0] == Down("The stream does not accept the subscription.")


@pytest.fixture
def impatient(monkeypatch):
    """Silence is noticed in tenths of seconds."""
    for name, seconds in {"IDLE": 0.2, "LONGEST_SILENCE": 0.5, "POLL": 0.05}.items():
        monkeypatch.setattr(rpc, name, seconds)


def test_silence_is_noticed_within_ten_seconds():
    assert rpc.IDLE < rpc.LONGEST_SILENCE
    assert rpc.LONGEST_SILENCE + rpc.POLL < 10


def test_a_quiet_stream_that_answers_is_left_alone(impatient, market: Heard):
    client = market.up()
    eventually(lambda: client.methods.count("ping") >= 5)
    assert market.of(Down) == []


@pytest.mark.parametrize("drips", [False, True], ids=["nothing", "half a frame, byte by byte"])
def test_a_silent_stream_is_left(impatient, market: Heard, drips):
    client = market.up()
    market.server.answer = lambda method, params: None if method == "ping" else answers(
        method, params
    )  # fmt: skip
    done = threading.Event()

    def drip():
        client.raw(b"\x81\x7e\x40\x00")
        while not done.wait(0.02):
            client.raw(b"x")

    if drips:
        threading.Thread(target=drip, daemon=True).start()
    market.up(2)
    done.set()
    assert market.stream.counts["silent"] == 1


def test_it_stays_below_ten_messages_a_second(server: RudeStream):
    connection = rpc.Rpc(stream_url(server.url), Heard(server, None).stream.counts)
    connection.open()
    for _ in range(20):
        connection.call("ping")
    connection.close()
    sent = [at for at, *_ in server.clients[-1].calls]
    assert max(sum(0 <= other - at < 1 for other in sent) for at in sent) < 10


NOW = int(time.time() * 1000)
NONSENSE = {
    "not JSON": b"{",
    "not text": b"\xff\xfe",
    "NaN": b'{"jsonrpc":"2.0","method":"subscription","params":{"topic":"%s","data":NaN}}',
    "a list": b"[]",
    "an answer to nobody": b'{"jsonrpc":"2.0","id":"77","result":1}',
    "a number with a million digits": b'{"id":' + b"9" * 200_000 + b"}",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("frame", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_left_out(market: Heard, frame):
    client = market.up()
    client.say(frame)
    client.price(100)
    eventually(lambda: market.prices() == [100])
    assert market.of(Down) == []


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        ({"lastPrice": 100}, "malformed"),
        ({"time": NOW, "lastPrice": -1}, "malformed"),
        ({"time": NOW, "lastPrice": 1e999}, "malformed"),
        ({"time": NOW, "lastPrice": None}, "malformed"),
        ({"time": str(NOW), "lastPrice": 1}, "malformed"),
        ({"time": NOW + 3_600_000, "lastPrice": 1}, "implausible"),
        ({"time": NOW - 3_600_000, "lastPrice": 1}, "implausible"),
        ("text", "malformed"),
    ],
)
def test_impossible_values_are_left_out_and_counted(market: Heard, data, counted):
    client = market.up()
    client.push(LAST_PRICE, data)
    client.price(100)
    eventually(lambda: market.prices() == [100])
    assert market.stream.counts[counted] == 1


def test_what_nobody_asked_for_is_counted(market: Heard):
    client = market.up()
    client.push("options/btc_usd", {})
    eventually(lambda: market.stream.counts["unknown_topic"] == 1)


def test_an_older_price_never_follows_a_newer_one(market: Heard):
    client, now = market.up(), int(time.time() * 1000)
    for price, ago in [(100, 3), (101, 2), (101, 2), (99, 2.5), (102, 1)]:
        client.push(LAST_PRICE, {"time": now - int(ago * 1000), "lastPrice": price})
    eventually(lambda: market.prices() == [100, 101, 102])
    assert (market.stream.counts["reordered"], market.stream.counts["repeated"]) == (1, 1)


def test_what_was_held_up_is_as_old_as_it_is(market: Heard):
    client = market.up()
    client.price(100, ago=8)
    eventually(lambda: market.prices())
    [news] = market.of(MarketNews)
    age = datetime.now(UTC) - news.known_at
    assert timedelta(seconds=7) < age


def test_a_listener_that_stumbles_does_not_stop_it(server: RudeStream):
    told = []

    def listen(news):
        told.append(news)
        raise RuntimeError("no")

    stream = connect(base_url=server.url, credentials=None, listener=listen)
    stream.start()
    eventually(lambda: told)
    server.clients[-1].price(100)
    eventually(lambda: len(told) == 2)
    stream.stop()
    assert stream.counts["not_taken"] == 2


def test_once_stopped_it_is_gone(market: Heard):
    market.up()
    market.stream.stop()
    eventually(lambda: not market.stream._thread.is_alive())
    assert len(market.server.clients) == 1


def test_renewed_it_is_on_another_connection(market: Heard):
    market.up()
    market.stream.renew()
    market.up(2)
    assert len(market.server.clients) == 2


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["account:read"], {Permission.READ}),
        (["futures:cross:write"], {Permission.TRADE}),
        (["account:deposits:write", "account:notifications:write"], set()),
        (["account:withdrawals:write"], {Permission.WITHDRAW}),
        (["synthetic-usd:write", "account:withdrawals:read"], {Permission.TRADE, Permission.READ}),
        ([], set()),
    ],
)
def test_what_a_key_may_do(server: RudeStream, scopes, expected):
    authenticated = {"result": {"authenticated": True, "permissions": scopes}}
    server.answer = lambda method, params: (
        authenticated if method == "authenticate" else answers(method, params)
    )
    assert permissions_of(server.url, CREDENTIALS) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": {"code": -32000, "message": "Invalid signature"}}, InvalidCredentials),
        ({"error": {"code": -32000, "message": "Timestamp too old"}}, ClockSkew),
        (None, Unavailable),
    ],
)
def test_why_it_is_not_told_what_a_key_may_do(server: RudeStream, monkeypatch, answer, error):
    monkeypatch.setattr(rpc, "REPLY_TIMEOUT", 0.2)
    server.answer = lambda method, params: (
        answer if method == "authenticate" else answers(method, params)
    )
    with pytest.raises(error):
        permissions_of(server.url, CREDENTIALS)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.lnmarkets.com/v3", "wss://stream.lnmarkets.com/v1"),
        ("https://api.signet.lnmarkets.com/v3/", "wss://stream.signet.lnmarkets.com/v1"),
        ("http://127.0.0.1:8001/v3", "ws://127.0.0.1:8001/v1"),
        ("https://proxy.example/lnm/v3", "wss://proxy.example/lnm/v1"),
    ],
)
def test_where_the_stream_is(base_url, expected):
    assert stream_url(base_url) == expected
