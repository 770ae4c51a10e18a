"""The exchange's clock: moved, stopped and hurried, it never goes back, and funding keeps to it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
import requests

from exchanges.paper.clock import REAL_TIME, Clock
from tests.exchanges.paper.test_control import until
from tests.exchanges.paper.trader import ISOLATED, TIMEOUT_SECONDS, Trader
from tests.paper_server import serving

THEN = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("speed", "passed", "shown"),
    [
        pytest.param("1", "1.5", "1.5", id="as fast as time"),
        pytest.param("0", "1000", "0", id="stands"),
        pytest.param("60", "2.5", "150", id="a minute a second"),
        pytest.param("0.5", "3", "1.5", id="half as fast"),
        pytest.param("1", "0.0019", "0.001", id="whole milliseconds"),
    ],
)
def test_what_a_clock_shows(speed, passed, shown):
    clock = Clock(at=THEN, real_at=THEN + DAY, speed=Decimal(speed))
    real = THEN + DAY + timedelta(seconds=float(passed))
    assert clock.read(real) == THEN + timedelta(seconds=float(shown))


def test_by_default_it_is_real_time():
    assert REAL_TIME.read(THEN + timedelta(microseconds=123_456)) == THEN + timedelta(
        milliseconds=123
    )


@pytest.fixture
def stopped(paper):
    """The exchange with its clock stopped, at seven in the evening."""
    evening = (paper.control.clock() + DAY).replace(hour=19, minute=0, second=0, microsecond=0)
    paper.control.move_clock(at=evening.isoformat(), speed=0)
    return paper


def told(paper):
    """What it tells everybody."""
    answer = requests.get(f"{paper.url}/time", timeout=TIMEOUT_SECONDS)
    return datetime.fromisoformat(answer.json()["time"])


def times(paper, kind):
    return [
        datetime.fromisoformat(entry["at"])
        for entry in paper.control.ledger()
        if entry["kind"] == kind
    ]


def settlements(paper):
    answer = requests.get(f"{paper.url}/futures/funding-settlements", timeout=TIMEOUT_SECONDS)
    return answer.json()["data"]


def test_a_stopped_clock_tells_the_same_time_until_it_is_moved(stopped):
    evening = told(stopped)
    assert (evening.hour, told(stopped)) == (19, evening)
    stopped.control.move_clock(advance_seconds="0.5")
    assert told(stopped) == evening + timedelta(milliseconds=500)
    stopped.control.set_price(99_000)
    assert times(stopped, "price")[-1] == told(stopped)


def test_a_hurried_clock(paper):
    before = paper.control.clock()
    paper.control.move_clock(speed=3600)
    until(lambda: paper.control.clock() > before + timedelta(minutes=5))


def test_signatures_are_checked_by_it(paper, account):
    paper.control.move_clock(advance_seconds=3600)
    wrong, right = (Trader(paper.url, account.credentials, ahead=ahead) for ahead in (0, 3600))
    assert wrong.get("/account").status_code == 401
    opened = right.open()
    created = datetime.fromisoformat(opened["createdAt"])
    assert timedelta(minutes=59) < created - datetime.now(UTC) < timedelta(minutes=61)
    line = paper.control.ledger()[-1]
    assert abs(datetime.fromisoformat(line["signed_at"]) - created) < timedelta(seconds=30)


def test_funding_is_settled_on_the_way(stopped):
    before = len(settlements(stopped))
    stopped.control.set_terms(funding_rate="0.0001")
    account = stopped.control.create_account(balance=10_000_000)
    trade = stopped.control.open_trade(account.id, side="buy", leverage=10, quantity=1000)
    evening = told(stopped)
    stopped.control.move_clock(advance_seconds=24 * 3600)
    new = settlements(stopped)[: len(settlements(stopped)) - before]
    midnight = evening.replace(hour=0) + DAY
    assert [datetime.fromisoformat(each["time"]) for each in new] == [
        midnight + timedelta(hours=hours) for hours in (16, 8, 0)
    ]
    assert {(each["fundingRate"], each["fixingPrice"]) for each in new} == {(0.0001, 100_000)}
    [now] = stopped.control.account(account.id)["trades"]
    assert (now["sumFundingFees"], now["margin"]) == (300, trade["margin"] - 300)
    assert times(stopped, "funding") == sorted(times(stopped, "settlement")[before:])


def test_funding_comes_by_itself_when_its_time_has_come(stopped):
    before = len(settlements(stopped))
    stopped.control.move_clock(advance_seconds=5 * 3600 - 1, speed=3600)
    until(lambda: len(settlements(stopped)) > before)


def test_funding_can_be_looked_up_by_trade(stopped):
    stopped.control.set_terms(funding_rate="0.0001")
    account = stopped.control.create_account(balance=10_000_000)
    one, two = (
        stopped.control.open_trade(account.id, side=side, leverage=10, quantity=1000)["id"]
        for side in ("buy", "sell")
    )
    stopped.control.move_clock(advance_seconds=16 * 3600)
    ahead = (told(stopped) - datetime.now(UTC)).total_seconds()
    trader = Trader(stopped.url, account.credentials, ahead=ahead)
    path = f"{ISOLATED}/funding-fees"
    everything = trader.get(path).json()
    assert everything["nextCursor"] is None
    assert {(fee["tradeId"], fee["fee"]) for fee in everything["data"]} == {(one, 100), (two, -100)}
    assert {fee["settlementId"] for fee in everything["data"]} == {
        each["id"] for each in settlements(stopped)[:2]
    }
    only = trader.get(path, tradeId=one).json()["data"]
    assert [fee["fee"] for fee in only] == [100, 100]
    page = trader.get(path, limit=3).json()
    rest = trader.get(path, limit=3, cursor=page["nextCursor"]).json()
    assert page["data"] + rest["data"] == everything["data"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({}, "at, advance_seconds, speed: at least one", id="nothing"),
        pytest.param({"at": "2020-01-01T00:00:00Z"}, "at: the clock shows", id="back"),
        pytest.param({"at": "9999-01-01T00:00:00Z"}, "at: the clock shows", id="too far"),
        pytest.param({"at": "2030-01-01T00:00:00"}, "at: ", id="no zone"),
        pytest.param({"at": "soon"}, "at: ", id="no time"),
        pytest.param({"advance_seconds": 0}, "advance_seconds: ", id="not at all"),
        pytest.param({"advance_seconds": 31 * 86_400 + 1}, "advance_seconds: ", id="a month more"),
        pytest.param({"advance_seconds": 1, "at": "2030-01-01T00:00:00Z"},
                     "at, advance_seconds: only one", id="both"),
        pytest.param({"speed": -1}, "speed: ", id="backwards"),
        pytest.param({"speed": 3601}, "speed: ", id="too fast"),
        pytest.param({"speed": "fast"}, "speed: must be a number", id="a word"),
        pytest.param({"skew": 1}, "skew: unknown, allowed: at, ", id="unknown"),
    ],
)  # fmt: skip
def test_what_a_clock_cannot_do(shared_paper, body, words):
    before = shared_paper.control.ledger()
    url = f"{shared_paper.origin}/control/clock"
    answer = requests.post(url, json=body, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(words)
    assert shared_paper.control.ledger() == before


def test_clock_terms_fundings_and_candles_survive_a_restart(tmp_path):
    path = tmp_path / "paper.jsonl"
    with serving(path) as paper:
        paper.control.set_terms(
            funding_rate="0.0003",
            max_trades=7,
            depths=[{"max_size": 10, "spread": 4}, {"max_size": 500_000, "spread": 8}],
        )
        paper.control.load_candles("2021-01-01T00:00:00Z,10,12,9,11,5.5\n")
        paper.control.move_clock(advance_seconds=9 * 3600, speed=0)
        paper.control.set_price(98_765)
        before = state_of(paper)
    with serving(path) as paper:
        assert state_of(paper) == before


def state_of(paper):
    paths = ("time", "futures/ticker", "futures/funding-settlements", "futures/candles")
    reads = [requests.get(f"{paper.url}/{path}", timeout=TIMEOUT_SECONDS).json() for path in paths]
    return reads, paper.control.set_terms(max_trades=7), paper.control.clock()


def test_times_in_the_ledger_never_go_back(stopped):
    stopped.control.set_price(99_000)
    stopped.control.move_clock(advance_seconds=100_000)
    stopped.control.fault("clock_skew", skew=-3000)
    stopped.control.set_price(98_000)
    stopped.control.move_clock(speed=100)
    stopped.control.set_price(97_000)
    lines = [datetime.fromisoformat(entry["at"]) for entry in stopped.control.ledger()]
    assert all(before <= after for before, after in pairwise(lines))
