"""Cross margin: every act done, and seen in the account afterwards."""

from exchanges.types import Capability, NewCrossOrder, OrderStatus, OrderType, Side
from tests.exchanges.conformance.calls import (
    COLLATERAL,
    CROSS_LIMIT,
    CROSS_LONG,
    collateral,
    each_adapter,
    long_ago,
    position,
)
from tests.exchanges.conformance.world import BALANCE, signed_now

pytestmark = each_adapter(Capability.CROSS)


def order(side: Side, quantity: int) -> NewCrossOrder:
    return NewCrossOrder(side=side, type=OrderType.MARKET, quantity=quantity)


def test_a_flat_position_is_there(world):
    flat = world.client.cross.position()

    assert (flat.quantity, flat.margin, flat.running_margin, flat.total_pl) == (0, 0, 0, 0)
    assert (flat.entry_price, flat.liquidation_price) == (None, None)


def test_collateral_comes_and_goes(world):
    cross = world.client.cross

    assert cross.deposit(50_000, signature=signed_now()).margin == 50_000
    assert cross.withdraw(20_000, signature=signed_now()).margin == 30_000

    assert cross.position().margin == 30_000
    assert world.client.account().balance == BALANCE - 30_000
    assert [transfer.amount for transfer in cross.transfers(since=long_ago())] == [-20_000, 50_000]


def test_a_market_order_makes_a_position(world):
    collateral(world.client)

    filled = world.client.cross.new_order(CROSS_LONG, signature=signed_now())

    assert (filled.status, filled.side, filled.quantity) == (OrderStatus.FILLED, Side.BUY, 50)
    assert filled.trading_fee > 0
    held = world.client.cross.position()
    assert (held.quantity, held.entry_price) == (50, filled.price)
    assert held.liquidation_price is None or held.liquidation_price < filled.price
    assert 0 < held.running_margin < held.margin <= COLLATERAL
    assert list(world.client.cross.filled_orders(since=long_ago())) == [filled]
    assert world.done() == 2


def test_orders_net_into_one_position(world):
    collateral(world.client)
    cross, quantities = world.client.cross, []

    for one in (order(Side.BUY, 100), order(Side.SELL, 40), order(Side.SELL, 100)):
        cross.new_order(one, signature=signed_now())
        quantities.append(cross.position().quantity)

    assert quantities == [100, 60, -40]


def test_a_limit_order_and_its_end(world):
    collateral(world.client)
    cross = world.client.cross

    waiting = cross.new_order(CROSS_LIMIT, signature=signed_now())
    assert (waiting.status, waiting.price) == (OrderStatus.OPEN, CROSS_LIMIT.price)
    assert (waiting.client_id, waiting.trading_fee) == (CROSS_LIMIT.client_id, 0)
    assert list(cross.open_orders()) == [waiting]

    canceled = cross.cancel_order(waiting.id, signature=signed_now())
    assert canceled.status is OrderStatus.CANCELED
    assert canceled.canceled_at is not None
    assert list(cross.open_orders()) == []
    assert cross.position().quantity == 0


def test_canceling_all(world):
    collateral(world.client)
    cross = world.client.cross
    waiting = {cross.new_order(CROSS_LIMIT, signature=signed_now()).id for _ in range(3)}

    canceled = cross.cancel_all_orders(signature=signed_now())

    assert {one.id for one in canceled} == waiting
    assert list(cross.open_orders()) == []


def test_closing_the_position(world):
    position(world.client)

    closing = world.client.cross.close_position(signature=signed_now())

    assert (closing.type, closing.side, closing.quantity) == (OrderType.MARKET, Side.SELL, 50)
    assert world.client.cross.position().quantity == 0


def test_the_leverage(world):
    position(world.client)
    before = world.client.cross.position()

    after = world.client.cross.set_leverage(2, signature=signed_now())

    assert after.leverage == 2
    assert (after.running_margin > before.running_margin) is (before.leverage > 2)
    assert world.client.cross.position().leverage == 2
