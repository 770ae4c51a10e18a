"""Ctrl-C while an order is on its way: it is seen through, and the next start repeats nothing."""

import signal

import pytest

from tests.running import await_that

pytestmark = pytest.mark.xdist_group("e2e")

ORDER_SECONDS = 60
ADD_MARGIN = "/v3/futures/isolated/trade/add-margin"


def test_an_order_in_flight_is_executed_once(running_axisor, trader, market):
    trade = trader.open_position()
    trader.set_guard(every=1)
    trader.await_looks(1)
    market.fault("delay_before", seconds=3, path=ADD_MARGIN)
    market.set_price(trader.price_when_used(trade, "0.85"))

    def is_in_flight():
        intents = [intent for run in trader.executions() for intent in run["intents"]]
        return [intent["state"] for intent in intents] == ["sending"]

    await_that(is_in_flight, ORDER_SECONDS)
    assert running_axisor.stop(signal.SIGINT) == 0
    running_axisor.start()
    await_that(lambda: trader.executions(status="success"), ORDER_SECONDS)
    trader.await_looks(2)
    (execution,) = trader.executions(status="success")
    assert [intent["state"] for intent in execution["intents"]] == ["confirmed"]
    assert [line["trade"]["id"] for line in trader.added()] == [trade["id"]]
