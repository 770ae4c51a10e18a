"""Parts are killed while a price falls: nothing is forgotten, and nothing is done twice."""

import os
import signal

import pytest

from tests.running import await_that

pytestmark = pytest.mark.xdist_group("e2e")

BACK_SECONDS = 60
FALL = [f"0.{share}" for share in range(76, 86)]
STEP_MS = 300


def kill(platform, *parts):
    """Kill the parts; answer how to see that all of them answer again."""
    pids, seen = platform.pids(), len(platform.terminal())
    for part in parts:
        os.kill(pids[part], signal.SIGKILL)
    return lambda: all(f"{part} answers again" in platform.terminal()[seen:] for part in parts)


@pytest.mark.parametrize(
    "parts",
    [("worker-critical", "beat"), ("valkey",), ("postgres",)],
    ids=" and ".join,
)
def test_a_part_killed_while_the_price_falls(running_axisor, trader, market, parts):
    trade = trader.open_position()
    trader.set_guard(every=1)
    trader.await_looks(1)
    market.play([trader.price_when_used(trade, share) for share in FALL], interval_ms=STEP_MS)
    await_that(lambda: market.price() <= trader.price_when_used(trade, "0.79"), BACK_SECONDS)
    are_back = kill(running_axisor, *parts)
    await_that(are_back, BACK_SECONDS)
    await_that(trader.added, BACK_SECONDS)
    trader.await_looks(2)
    assert [line["trade"]["id"] for line in trader.added()] == [trade["id"]]


def test_what_a_worker_was_killed_over_is_read_back(running_axisor, trader, market):
    trade = trader.open_position()
    trader.set_guard(every=1)
    trader.await_looks(1)
    market.fault("delay_after", seconds=8, path="/v3/futures/isolated/trade/add-margin")
    market.set_price(trader.price_when_used(trade, "0.85"))
    await_that(trader.added, BACK_SECONDS)
    are_back = kill(running_axisor, "worker-critical")
    await_that(lambda: trader.executions(status="success"), BACK_SECONDS)
    await_that(are_back, BACK_SECONDS)
    trader.await_looks(2)
    (execution,) = trader.executions(status="success")
    assert [intent["state"] for intent in execution["intents"]] == ["confirmed"]
    assert len(trader.added()) == 1
