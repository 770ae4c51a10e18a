"""Rate limits: buckets on a clock of their own, then profiles over HTTP."""

import re
from itertools import accumulate

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from exchanges.paper.limits import Allowance, Bucket
from tests.exchanges.paper.trader import TIMEOUT_SECONDS, Trader

ENOUGH = 60


@pytest.mark.parametrize(
    ("rate", "burst", "asked_at", "taken"),
    [
        pytest.param(5, 5, [0] * 6, "yyyyyn", id="a burst"),
        pytest.param(5, 5, [0] * 5 + [0.19, 0.2, 0.39], "yyyyynyn", id="one comes back"),
        pytest.param(1, 1, [0, 0.5, 0.999, 1, 1.5, 2], "ynnyny", id="one a second"),
        pytest.param(20, 40, [0] * 41 + [1] * 21, "y" * 40 + "n" + "y" * 20 + "n", id="long run"),
        pytest.param(4, 5, [0, 100] + [100] * 5, "yyyyyyn", id="no more than the burst"),
    ],
)
def test_buckets(rate, burst, asked_at, taken):
    bucket = Bucket(Allowance("test", rate, burst), now=0)
    assert "".join("y" if bucket.take(now=at) else "n" for at in asked_at) == taken


@given(
    rate=st.integers(1, 20),
    burst=st.integers(1, 5),
    pauses=st.lists(st.sampled_from([0.0, 0.01, 0.3, 3.0]), max_size=60),
)
def test_no_span_of_time_sees_more_than_the_burst_and_the_rate(rate, burst, pauses):
    bucket = Bucket(Allowance("test", rate, burst), now=0)
    times = [now for now in accumulate(pauses) if bucket.take(now=now)]
    for first, begin in enumerate(times):
        for last, end in enumerate(times[first:], start=first):
            assert last - first + 1 <= burst + (end - begin) * rate + 1e-6


def test_a_bucket_tells_what_is_left():
    bucket = Bucket(Allowance("test", rate=2, burst=2), now=0)
    states = []
    for at in (0, 0, 0, 0.25):
        bucket.take(now=at)
        states.append((bucket.state, bucket.wait))
    assert states == [
        ('"test";r=1;t=1', 0),
        ('"test";r=0;t=1', 0.5),
        ('"test";r=0;t=1', 0.5),
        ('"test";r=0;t=1', 0.25),
    ]
    assert bucket.allowance.policy == '"test";q=2;w=1'


def first_refused(ask):
    """How many were answered before, and the refusal."""
    for number in range(ENOUGH):
        answer = ask()
        if answer.status_code == 429:
            return number, answer
        assert answer.ok
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(
    ("profile", "signed", "unsigned"),
    [
        pytest.param("strict", ("authenticated", 5, 1), ("public", 1, 1), id="strict"),
        pytest.param("burst", ("authenticated", 40, 2), ("public", 5, 2), id="burst"),
    ],
)
def test_answers_tell_what_is_left(paper, trader, profile, signed, unsigned):
    paper.control.limit(profile)
    answers = {
        signed: trader.get("/account"),
        unsigned: requests.get(f"{paper.url}/ping", timeout=TIMEOUT_SECONDS),
    }
    for (name, quota, window), answer in answers.items():
        assert answer.headers["RateLimit-Policy"] == f'"{name}";q={quota};w={window}'
        assert answer.headers["RateLimit"] == f'"{name}";r={quota - 1};t=1'


def test_what_is_too_much_is_told_when_to_come_again(paper, trader):
    paper.control.limit("strict")
    _, refused = first_refused(lambda: trader.get("/account"))
    assert refused.json()["code"] == "TOO_MANY_REQUESTS"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"] == '"authenticated";r=0;t=1'


def test_a_refused_request_is_not_executed(paper, account, trader):
    paper.control.limit("strict")
    order = {"type": "market", "side": "buy", "leverage": 10, "quantity": 1}
    number, _ = first_refused(lambda: trader.post("/futures/isolated/trade", order))
    assert len(paper.control.account(account.id)["trades"]) == number


def test_every_key_has_its_own_allowance(paper, trader):
    paper.control.limit("strict")
    first_refused(lambda: trader.get("/account"))
    other = paper.control.create_account(balance=0)
    assert Trader(paper.url, other.credentials).get("/account").ok


def test_an_unknown_key_shares_the_allowance_of_its_address(paper):
    paper.control.limit("strict")
    first_refused(lambda: requests.get(f"{paper.url}/ping", timeout=TIMEOUT_SECONDS))
    headers = {"lnm-access-key": "made up"}
    answer = requests.get(f"{paper.url}/account", headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 429


def test_without_limits_nothing_is_refused_and_nothing_told(paper, trader):
    answers = [trader.get("/account") for _ in range(ENOUGH)]
    assert all(answer.ok and "RateLimit" not in answer.headers for answer in answers)


def test_a_new_profile_begins_with_full_buckets(paper, trader):
    paper.control.limit("strict")
    first_refused(lambda: trader.get("/account"))
    paper.control.limit("none")
    assert trader.get("/account").ok
    paper.control.limit("strict")
    assert trader.get("/account").ok


def test_the_profile_can_be_read(paper):
    paper.control.limit("burst")
    answer = requests.get(f"{paper.origin}/control/limits", timeout=TIMEOUT_SECONDS)
    assert answer.json() == {"profile": "burst"}


def test_an_unknown_profile_is_told_the_known_ones(paper):
    url = f"{paper.origin}/control/limits"
    answer = requests.post(url, json={"profile": "generous"}, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 400
    assert re.match("profile: .*'none', 'strict' or 'burst'", answer.json()["message"])
