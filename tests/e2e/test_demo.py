"""`make demo`, as a person runs it, without a terminal."""

import json
import os
import signal
import subprocess
import sys

import pytest

from axisor.up.site import ROOT
from tests.running import await_that, environment

pytestmark = pytest.mark.xdist_group("e2e")

DEMO = [sys.executable, "-m", "axisor.demo"]
DEMO_SECONDS = 40


def begin(platform, output):
    """The demo, which hears of Ctrl-C also where the tests run in the background."""
    return subprocess.Popen(
        DEMO,
        cwd=ROOT,
        env=environment(AXISOR_DATA=platform.folder),
        stdin=subprocess.DEVNULL,
        stdout=output.open("wb"),
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def prices_of(account, market):
    """What stands at the exchange: the price, and the positions of the account."""
    return market.price(), [trade["id"] for trade in market.account(account)["trades"]]


@pytest.fixture
def seeded(market):
    """The account the demo plays on, at the exchange."""
    return next(
        line["account"]
        for line in market.ledger()
        if line["kind"] == "account" and line["request"]["username"] == "Paper"
    )


def test_it_saves_a_position_as_often_as_one_likes(running_axisor, market, seeded, tmp_path):
    before = prices_of(seeded, market)
    for output in (tmp_path / "first", tmp_path / "second"):
        assert begin(running_axisor, output).wait(DEMO_SECONDS) == 0, output.read_text()
        assert "Saved: the margin was there" in output.read_text()
        assert prices_of(seeded, market) == before


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_interrupted_it_puts_everything_back(
    running_axisor, market, seeded, tmp_path, number, code
):
    before = prices_of(seeded, market)
    output = tmp_path / "output"
    demo = begin(running_axisor, output)
    await_that(lambda: market.price() < before[0], DEMO_SECONDS)
    demo.send_signal(number)
    assert demo.wait(DEMO_SECONDS) == code
    assert "Traceback" not in output.read_text()
    if number == signal.SIGKILL:  # the next one does it
        assert prices_of(seeded, market) != before
        demo = begin(running_axisor, output)
        await_that(lambda: "2  A position" in output.read_text(), DEMO_SECONDS)
        os.kill(demo.pid, signal.SIGINT)
        assert demo.wait(DEMO_SECONDS) == 130
    assert prices_of(seeded, market) == before


@pytest.mark.parametrize("folder", ["empty", "absent", "left"])
def test_without_a_platform_it_says_how_to_start_one(tmp_path, folder):
    for name in ("empty", "left"):
        (tmp_path / name).mkdir()
    gone = "http://127.0.0.1:1"
    left = {"web": gone, "paper": f"{gone}/v3", "token": "of a platform that was killed"}
    (tmp_path / "left" / "run.json").write_text(json.dumps(left))
    done = subprocess.run(
        DEMO,
        cwd=ROOT,
        env=environment(AXISOR_DATA=tmp_path / folder),
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "No platform is running: start it with `make run`" in " ".join(done.stdout.split())
    assert done.stderr == ""
