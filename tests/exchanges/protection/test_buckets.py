"""Never more than rate · t + burst requests in any window, whoever takes them."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.guard import Call
from exchanges.protection import buckets, protect
from exchanges.protection.buckets import Bucket, Size
from exchanges.types import Credentials

SECOND = 1_000_000

TAKER = """
import json, sys, django
django.setup()
from exchanges.protection.buckets import Bucket
from exchanges.protection.shared import shared_redis

def now():
    seconds, micros = shared_redis().time()
    return seconds * 1_000_000 + micros

bucket, taken, tries = Bucket(sys.argv[1], rate=200), [], 0
sys.stdin.readline()
while len(taken) < 100:
    before = now()
    if not bucket.take(is_protective=False):
        taken.append((before, now()))
print(json.dumps(taken))
"""


def within_limits(taken, size):
    """Whether each window from one taking to a later one holds no more than it may."""
    return all(
        count * size.period <= until - since + size.burst
        for first, (since, _) in enumerate(taken)
        for count, (_, until) in enumerate(taken[first:], start=1)
    )


def test_two_processes_share_one_bucket(name):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    taken = [tuple(one) for taker in takers for one in json.loads(taker.communicate(timeout=60)[0])]
    assert len(taken) == 200
    # Sorted by begin, a window may end with a taking that began later and ended earlier.
    taken.sort()
    ends = [max(end for _, end in taken[: i + 1]) for i in range(len(taken))]
    spans = [(begin, end) for (begin, _), end in zip(taken, ends, strict=True)]
    assert within_limits(spans, Size.of(200))


@st.composite
def rates_and_steps(draw):
    rate = draw(st.sampled_from([0.5, 1, 3, 5, 20, 100]))
    step = st.tuples(st.integers(0, 3 * SECOND), st.booleans())
    return rate, draw(st.lists(step, min_size=1, max_size=80))


@given(case=rates_and_steps())
def test_no_window_holds_more_than_it_may(case):
    rate, steps = case
    size, clock = Size.of(rate), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_now", lambda: clock)
        bucket, taken = buckets._Local(size), []
        for wait, is_protective in steps:
            clock += wait
            if not bucket.take(is_protective=is_protective):
                taken.append((clock, clock))
    assert within_limits(taken, size)


@given(rate=st.sampled_from([0.5, 1, 5, 20]), is_protective=st.booleans(), used=st.integers(0, 30))
def test_who_waits_as_long_as_told_gets_a_token(rate, is_protective, used):
    clock = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_now", lambda: clock)
        bucket = buckets._Local(Size.of(rate))
        for _ in range(used):
            bucket.take(is_protective=True)
        clock += bucket.take(is_protective=is_protective)
        if clock:
            assert bucket.take(is_protective=is_protective) == 0


@pytest.fixture(params=["shared", "alone"])
def bucket(request, name):
    """Five requests a second: in Redis, and in a process that cannot reach it."""
    if request.param == "alone":
        request.getfixturevalue("redis_is_away")
        return Bucket(name, rate=5 / buckets.SHARE_ALONE)
    return Bucket(name, rate=5)


def takes(bucket, *, is_protective):
    """How many tokens it gives at once."""
    count = 0
    while not bucket.take(is_protective=is_protective):
        count += 1
    return count


def test_a_part_is_kept_for_what_protects(bucket):
    assert takes(bucket, is_protective=False) == 3
    assert takes(bucket, is_protective=True) >= 2


def test_a_pause_holds_back_all_and_what_protects_not_for_long(bucket):
    bucket.pause(600)
    assert 599 < bucket.take(is_protective=False) <= 600
    assert 4 < bucket.take(is_protective=True) <= 5


def test_a_shorter_pause_does_not_end_a_longer_one(bucket):
    bucket.pause(600)
    bucket.pause(1)
    assert bucket.take(is_protective=False) > 590


def test_a_clock_that_was_set_back_holds_nobody_back(shared_server, name):
    key, now = f"protection:bucket:{name}", shared_server.time()[0] * SECOND
    shared_server.hset(key, "due", now + 600 * SECOND)
    wait = Bucket(name, rate=5).take(is_protective=False)
    assert 0 < wait <= 0.6
    assert int(shared_server.hget(key, "due")) < now + 3 * SECOND


def test_a_pause_of_one_key_is_not_another_keys(name):
    Bucket(f"{name}:a", rate=5).pause(600)
    assert Bucket(f"{name}:b", rate=5).take(is_protective=False) == 0


@pytest.mark.parametrize(("left", "given"), [(1, 1), (4, 4), (50, 5)], ids=str)
def test_what_the_exchange_counts_tightens_and_never_loosens(bucket, left, given):
    bucket.leave(left)
    assert takes(bucket, is_protective=True) in range(given, given + 3)


def test_an_absent_redis_is_said_once_and_a_process_takes_its_share(redis_is_away, name, caplog):
    bucket = Bucket(name, rate=20)
    assert takes(bucket, is_protective=True) <= 6
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Redis does not answer" in caplog.text


def test_no_key_lies_in_redis(shared_server, name):
    credentials = Credentials(key=f"secret-{name}", secret="s", passphrase="p")
    guard = protect(exchange="paper", adapter="lnmarkets", credentials=credentials)
    guard.run(Call("account"), lambda: None)
    assert not list(shared_server.scan_iter(f"*secret-{name}*"))
