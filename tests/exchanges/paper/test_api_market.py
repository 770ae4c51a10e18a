"""What the market tells everybody over real HTTP, and how the control API moves it."""

from datetime import datetime, timedelta

import pytest
import requests

from tests.exchanges.paper.test_control import until
from tests.exchanges.paper.trader import TIMEOUT_SECONDS
from tests.paper_server import serving

CSV = """time,open,high,low,close,volume
2021-01-01T00:00:00Z,100,120,90,110,1
2021-01-01T00:01:00Z,110,115,105,112,2
2021-01-01T01:00:00Z,112,130,111,125,4
"""


def read(paper, path, **query):
    answer = requests.get(f"{paper.url}/futures/{path}", query, timeout=TIMEOUT_SECONDS)
    assert answer.ok, answer.text
    return answer.json()


def prices(paper):
    return [entry["price"] for entry in paper.control.ledger() if entry["kind"] == "price"]


def test_the_ticker_shows_bid_and_ask_of_every_size(paper):
    depths = [{"max_size": 1000, "spread": 1}, {"max_size": 500_000, "spread": "10"}]
    answer = paper.control.set_terms(depths=depths, funding_rate="-0.0002")
    assert answer == {
        "funding_rate": -0.0002,
        "depths": [{"max_size": 1000, "spread": 1}, {"max_size": 500_000, "spread": 10}],
        "max_trades": None,
    }
    ticker = read(paper, "ticker")
    assert ticker["fundingRate"] == -0.0002
    assert ticker["prices"] == [
        {"minSize": 0, "maxSize": 1000, "askPrice": 100_000.5, "bidPrice": 99_999.5},
        {"minSize": 1001, "maxSize": 500_000, "askPrice": 100_005, "bidPrice": 99_995},
    ]


def test_the_ticker_tells_the_change_of_a_day(paper):
    paper.control.set_price(110_000)
    assert read(paper, "ticker")["priceChange24h"]["ratio"] == 0.1
    paper.control.move_clock(advance_seconds=86_400 + 60)
    paper.control.set_price(121_000)
    assert read(paper, "ticker")["priceChange24h"]["ratio"] == 0.1


def test_terms_that_are_not_named_stay(paper):
    paper.control.set_terms(max_trades=3)
    paper.control.set_terms(funding_rate=0.01)
    assert paper.control.set_terms(max_trades=None)["funding_rate"] == 0.01


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"funding_rate": "0.11"}, "funding_rate: ", id="rate too high"),
        pytest.param({"funding_rate": "NaN"}, "funding_rate: ", id="rate no number"),
        pytest.param({"depths": []}, "depths: ", id="no depth"),
        pytest.param({"depths": [{"max_size": 10, "spread": 0}]}, "depths: max_size must rise",
                     id="large sizes missing"),
        pytest.param({"depths": [{"max_size": 500_000, "spread": 0}] * 2},
                     "depths: max_size must rise", id="the same size twice"),
        pytest.param({"depths": [{"max_size": 500_000, "spread": 0.5}]}, "depths.0.spread: ",
                     id="half a tick"),
        pytest.param({"depths": [{"max_size": 500_000, "spread": -1}]}, "depths.0.spread: ",
                     id="bid above ask"),
        pytest.param({"max_trades": -1}, "max_trades: ", id="fewer than none"),
        pytest.param({"spread": 1}, "spread: unknown, allowed: funding_rate", id="unknown"),
    ],
)  # fmt: skip
def test_terms_that_are_refused(shared_paper, body, words):
    before = shared_paper.control.ledger()
    url = f"{shared_paper.origin}/control/terms"
    answer = requests.post(url, json=body, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(words)
    assert shared_paper.control.ledger() == before


def test_what_was_played_is_shown_as_candles(paper):
    paper.control.move_clock(at=next_day(paper), speed=0)
    begin = paper.control.clock()
    for price in (101_000, 99_000, 100_500):
        paper.control.set_price(price)
    paper.control.move_clock(advance_seconds=60)
    paper.control.set_price(98_000)
    answer = read(paper, "candles", **{"from": begin.isoformat()})
    assert answer["nextCursor"] is None
    later, first = answer["data"]
    assert datetime.fromisoformat(first["time"]) == begin
    assert [first[name] for name in ("open", "high", "low", "close", "volume")] == [
        100_000, 101_000, 99_000, 100_500, 0,
    ]  # fmt: skip
    assert (datetime.fromisoformat(later["time"]), later["close"]) == (
        begin + timedelta(minutes=1),
        98_000,
    )
    [day] = read(paper, "candles", range="1d", **{"from": begin.isoformat()})["data"]
    assert (day["open"], day["high"], day["low"], day["close"]) == (
        100_000, 101_000, 98_000, 98_000,
    )  # fmt: skip


def next_day(paper):
    midnight = paper.control.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1)).isoformat()


def test_loaded_candles_come_in_pages_newest_first(paper):
    paper.control.load_candles(CSV)
    assert prices(paper) == [100_000], "they are history, nothing is played"
    seen, cursor = [], {}
    while cursor is not None:
        query = {"to": "2021-12-31T00:00:00Z", "limit": 2} | cursor
        page = read(paper, "candles", **query)
        seen += page["data"]
        cursor = {"cursor": page["nextCursor"]} if page["nextCursor"] else None
    assert [candle["close"] for candle in seen] == [125, 112, 110]
    [hour, before] = read(paper, "candles", range="1h", to="2021-12-31T00:00:00Z")["data"]
    assert (before["open"], before["high"], before["low"], before["close"]) == (100, 120, 90, 112)
    assert (hour["volume"], before["volume"]) == (4, 3)


def test_candles_loaded_again_are_written_once(paper):
    paper.control.load_candles(CSV)
    lines = len(paper.control.ledger())
    paper.control.load_candles(CSV)
    assert len(paper.control.ledger()) == lines


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param({"range": "7m"}, "range: ", id="no such range"),
        pytest.param({"limit": 1001}, "limit: ", id="limit too large"),
        pytest.param({"from": "yesterday"}, "from: ", id="from is no time"),
        pytest.param({"cursor": "nobody"}, "cursor: ", id="cursor of nowhere"),
    ],
)
def test_candles_that_cannot_be_asked_for(shared_paper, query, words):
    url = f"{shared_paper.url}/futures/candles"
    answer = requests.get(url, query, timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["message"][: len(words)]) == (400, words)


def test_candles_are_played(paper):
    paper.control.load_candles(CSV, interval_ms=0)
    until(lambda: not paper.control.progress()["playing"])
    assert prices(paper) == [100_000, *(100, 90, 120, 110), *(110, 105, 115, 112),
                             *(112, 111, 130, 125)]  # fmt: skip


def test_a_scenario_is_played_and_can_be_watched_and_stopped(paper):
    assert paper.control.progress() == {
        "name": None, "playing": False, "steps": 0, "done": 0, "left": 0, "interval_ms": None,
    }  # fmt: skip
    paper.control.play_scenario("bull", seed=1, steps=3)
    until(lambda: paper.control.progress()["done"] == 3)
    assert prices(paper) == [100_000, 100_127, 100_396.5, 100_649]
    paper.control.play_scenario("bear", seed=1, steps=50, interval_ms=3_600_000)
    until(lambda: paper.control.progress()["done"] == 1)
    paper.control.stop_prices()
    until(lambda: not paper.control.progress()["playing"])
    progress = paper.control.progress()
    assert (progress["name"], progress["steps"], progress["left"]) == ("bear", 50, 49)


GOOD_SCENARIO = {"name": "bull", "seed": 1, "steps": 1, "interval_ms": 0}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"name": "moon"}, "name: ", id="unknown"),
        pytest.param({"seed": -1}, "seed: ", id="seed negative"),
        pytest.param({"seed": "x"}, "seed: ", id="seed a word"),
        pytest.param({"steps": 0}, "steps: ", id="no steps"),
        pytest.param({"steps": 100_001}, "steps: ", id="too many steps"),
        pytest.param({"interval_ms": -1}, "interval_ms: ", id="interval negative"),
    ],
)
def test_scenarios_that_are_refused(shared_paper, change, words):
    url = f"{shared_paper.origin}/control/scenario"
    answer = requests.post(url, json=GOOD_SCENARIO | change, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(words)
    assert not shared_paper.control.progress()["playing"]


@pytest.mark.parametrize(
    ("body", "kind", "query", "words"),
    [
        pytest.param(CSV + "x", "text/csv", "", "line 5, columns: ", id="a bad line"),
        pytest.param(b"\xff", "text/csv", "", "The body is not UTF-8", id="no text"),
        pytest.param("", "text/csv", "", "no candles", id="empty"),
        pytest.param(CSV, "text/plain", "", "content-type: must be text/csv", id="a form"),
        pytest.param(CSV, "text/csv", "?interval_ms=-1", "interval_ms: ", id="interval"),
        pytest.param(CSV, "text/csv", "?speed=1", "speed: unknown", id="unknown option"),
    ],
)
def test_candles_that_are_refused(shared_paper, body, kind, query, words):
    before = shared_paper.control.ledger()
    url = f"{shared_paper.origin}/control/candles{query}"
    headers = {"Content-Type": kind}
    answer = requests.post(url, body, headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(words)
    assert shared_paper.control.ledger() == before


def test_the_leaderboard(paper):
    winner, loser = (
        paper.control.create_account(balance=10_000_000, username=name)
        for name in ("winner", "loser")
    )
    trades = [
        (account.id, paper.control.open_trade(account.id, side=side, leverage=10, quantity=1000))
        for account, side in ((winner, "buy"), (loser, "sell"))
    ]
    paper.control.set_price(105_000)
    for account_id, trade in trades:
        paper.control.close_trade(account_id, trade["id"])
    entry = {"username": "winner", "pl": 47_619, "direction": 0}
    assert read(paper, "leaderboard") == {
        name: [entry] for name in ("daily", "weekly", "monthly", "all-time")
    }
    paper.control.move_clock(advance_seconds=8 * 86_400)
    assert read(paper, "leaderboard") == {
        "daily": [], "weekly": [], "monthly": [entry], "all-time": [entry],
    }  # fmt: skip


def test_a_trailing_stop_over_the_wire_survives_a_restart(tmp_path):
    path = tmp_path / "paper.jsonl"
    with serving(path) as paper:
        account = paper.control.create_account(balance=10_000_000)
        paper.control.open_trade(
            account.id, side="buy", leverage=10, quantity=1000,
            stoploss=0.05, stoplossMode="trailing",
        )  # fmt: skip
        paper.control.set_price(110_000)
        [before] = paper.control.account(account.id)["trades"]
        assert (before["stoploss"], before["stoplossTrailingDistance"]) == (104_500, 0.05)
    with serving(path) as paper:
        assert paper.control.account(account.id)["trades"] == [before]
        paper.control.set_price(104_500)
        assert paper.control.ledger()[-1]["kind"] == "stop_loss"
