"""Spot markets: every act done, and seen in the account afterwards."""

from decimal import Decimal

from exchanges.types import Capability, OrderStatus, OrderType, Side
from tests.exchanges.conformance.calls import (
    MARKET,
    SPOT_BUY,
    SPOT_LIMIT,
    each_adapter,
    long_ago,
    spot_order,
)
from tests.exchanges.conformance.world import signed_now

pytestmark = each_adapter(Capability.SPOT)


def held(world) -> dict[str, Decimal]:
    return {one.asset: one.total for one in world.client.spot.balances()}


def test_a_market_order_is_filled_and_paid_for(world):
    before = held(world)

    filled = world.client.spot.new_order(SPOT_BUY, signature=signed_now())

    assert (filled.status, filled.side, filled.type) == (
        OrderStatus.FILLED, Side.BUY, OrderType.MARKET,
    )  # fmt: skip
    assert (filled.amount, filled.filled, filled.price) == (SPOT_BUY.amount, SPOT_BUY.amount, None)
    after = held(world)
    assert after["BTC"] - before["BTC"] == filled.amount
    assert before["USD"] - after["USD"] == filled.amount * filled.average
    assert list(world.client.spot.closed_orders(MARKET, since=long_ago())) == [filled]
    assert world.done() == 1


def test_a_limit_order_and_its_end(world):
    spot = world.client.spot

    waiting = spot.new_order(SPOT_LIMIT, signature=signed_now())
    assert (waiting.status, waiting.price) == (OrderStatus.OPEN, SPOT_LIMIT.price)
    assert (waiting.filled, waiting.average) == (0, None)
    assert list(spot.open_orders(MARKET)) == [waiting]

    canceled = spot.cancel_order(waiting.id, MARKET, signature=signed_now())
    assert canceled.status is OrderStatus.CANCELED
    assert list(spot.open_orders(MARKET)) == []
    assert list(spot.closed_orders(MARKET, since=long_ago())) == [canceled]


def test_an_order_is_found_by_its_client_id(world):
    order_id = spot_order(world.client)

    found = {one.client_id: one.id for one in world.client.spot.open_orders(MARKET)}

    assert found == {SPOT_LIMIT.client_id: order_id}
    assert world.client.spot.order(order_id, MARKET).client_id == SPOT_LIMIT.client_id


def test_what_an_open_order_holds_is_not_free(world):
    spot_order(world.client)

    dollars = {one.asset: one for one in world.client.spot.balances()}["USD"]

    assert dollars.total - dollars.free == SPOT_LIMIT.amount * SPOT_LIMIT.price
