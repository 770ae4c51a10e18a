"""A price falls at the exchange, and the platform does the rest."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.trader import AMOUNT
from tests.running import await_that

pytestmark = pytest.mark.xdist_group("e2e")

SLACK = timedelta(seconds=2)
"""For the beat's own rhythm of a second, three queues, and a machine that does other things."""
RESCUE_SECONDS = 30


@pytest.mark.parametrize("every", [2, 6], ids="every {} s".format)
def test_margin_is_there_within_one_period_and_slack(trader, market, every):
    trade = trader.open_position()
    trader.set_guard(every=every)
    trader.await_looks(1)
    price = trader.price_when_used(trade, "0.85")
    market.set_price(price)
    await_that(trader.added, RESCUE_SECONDS)
    added_at = datetime.fromisoformat(trader.added()[0]["at"])
    assert added_at - trader.reached_at(price) <= timedelta(seconds=every) + SLACK


def test_margin_is_added_once_and_the_execution_says_why(trader, market):
    trade = trader.open_position()
    trader.set_guard(every=1)
    market.set_price(trader.price_when_used(trade, "0.85"))
    await_that(trader.added, RESCUE_SECONDS)
    [line] = trader.added()
    assert (line["by"], line["trade"]["id"]) == ("api", trade["id"])
    assert line["request"]["amount"] == line["trade"]["margin"] - trade["margin"] == AMOUNT

    market.set_price(trader.price_when_used(line["trade"], "0.9"))
    await_that(lambda: trader.guard()["reason_code"] == "cooling_down", RESCUE_SECONDS)
    trader.await_looks(2)
    assert trader.added() == [line]

    [execution] = trader.executions(status="success")
    expected = {
        "automation": trader.guard_id,
        "account_name": trader.name,
        "event": "margin_guard_executed",
        "action": "add_margin",
        "trade_id": trade["id"],
        "cause": "tick",
        "reason_code": "threshold_reached",
        "error": "",
    }
    assert {name: execution[name] for name in expected} == expected
    assert "the threshold is 80.00%: adding 20,000 sats" in execution["reason_text"]
    assert execution["slot"].startswith("tick:")
    assert 0 < execution["duration_ms"] < 10_000
    assert all(0 <= age < 5 for age in execution["inputs"]["ages"].values())
    [finding] = execution["findings"]
    assert (finding["trade_id"], finding["reason"]["code"]) == (trade["id"], "threshold_reached")
    assert 0.8 <= float(finding["margin_used"]) < 1
    [intent] = execution["intents"]
    assert (intent["state"], intent["sats"]) == ("confirmed", AMOUNT)
