"""Isolated margin: every act done, and seen in the account afterwards."""

from decimal import Decimal

from exchanges.types import Capability, NewTrade, OrderType, Side, TradeStatus
from tests.exchanges.conformance.calls import LIMIT, LONG, each_adapter, running_trade
from tests.exchanges.conformance.world import BALANCE, signed_now

pytestmark = each_adapter(Capability.ISOLATED)


def test_a_market_order(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())

    assert (trade.status, trade.side, trade.type) == (TradeStatus.RUNNING, Side.BUY, LONG.type)
    assert (trade.margin, trade.leverage) == (10_000, 10)
    assert trade.client_id is None
    assert list(world.client.isolated.running_trades()) == [trade]
    assert list(world.client.isolated.open_trades()) == []
    paid = trade.margin + trade.maintenance_margin + trade.opening_fee
    assert world.client.account().balance == BALANCE - paid
    assert world.done() == 1


def test_a_limit_order_and_its_end(world):
    trade = world.client.isolated.new_trade(LIMIT, signature=signed_now())

    assert (trade.status, trade.price, trade.quantity) == (TradeStatus.OPEN, LIMIT.price, 100)
    assert trade.client_id == LIMIT.client_id
    assert list(world.client.isolated.open_trades()) == [trade]

    canceled = world.client.isolated.cancel_trade(trade.id, signature=signed_now())

    assert canceled.status is TradeStatus.CANCELED
    assert list(world.client.isolated.canceled_trades(since=trade.created_at)) == [canceled]
    assert list(world.client.isolated.open_trades()) == []
    assert world.client.account().balance == BALANCE


def test_canceling_all_leaves_what_is_running(world):
    running = world.client.isolated.new_trade(LONG, signature=signed_now())
    waiting = {world.client.isolated.new_trade(LIMIT, signature=signed_now()).id for _ in range(3)}

    canceled = world.client.isolated.cancel_all_trades(signature=signed_now())

    assert {trade.id for trade in canceled} == waiting
    assert {trade.status for trade in canceled} == {TradeStatus.CANCELED}
    assert list(world.client.isolated.open_trades()) == []
    assert [trade.id for trade in world.client.isolated.running_trades()] == [running.id]
    assert list(world.client.isolated.cancel_all_trades(signature=signed_now())) == []


def test_stops_given_with_the_order(world):
    order = NewTrade(
        side=Side.SELL,
        type=OrderType.MARKET,
        leverage=Decimal("12.5"),
        quantity=50,
        stop_loss=Decimal("101000.5"),
        take_profit=Decimal(99_000),
        client_id="axisor:1",
    )
    trade = world.client.isolated.new_trade(order, signature=signed_now())

    assert (trade.stop_loss, trade.take_profit) == (order.stop_loss, order.take_profit)
    assert (trade.quantity, trade.client_id) == (50, "axisor:1")


def test_add_margin(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())
    balance = world.client.account().balance

    richer = world.client.isolated.add_margin(trade.id, amount=5_000, signature=signed_now())

    assert richer.margin == trade.margin + 5_000
    assert richer.leverage < trade.leverage
    assert richer.liquidation_price < trade.liquidation_price
    assert world.client.account().balance == balance - 5_000
    assert world.done() == 2


def test_cash_in(world):
    trade_id = running_trade(world.client)

    poorer = world.client.isolated.cash_in(trade_id, amount=1_000, signature=signed_now())

    assert poorer.margin < LONG.margin
    assert poorer.sum_cash_in_pl + poorer.sum_cash_in_margin == 1_000


def test_stop_loss_and_take_profit_set_and_removed(world):
    trade_id, isolated = running_trade(world.client), world.client.isolated

    isolated.set_stop_loss(trade_id, price=Decimal("95000.5"), signature=signed_now())
    isolated.set_take_profit(trade_id, price=Decimal(120_000), signature=signed_now())
    (guarded,) = isolated.running_trades()
    assert (guarded.stop_loss, guarded.take_profit) == (Decimal("95000.5"), Decimal(120_000))

    isolated.set_stop_loss(trade_id, price=None, signature=signed_now())
    isolated.set_take_profit(trade_id, price=None, signature=signed_now())
    (unguarded,) = isolated.running_trades()
    assert (unguarded.stop_loss, unguarded.take_profit) == (None, None)


def test_a_trailing_stop(world):
    trade_id = running_trade(world.client)

    world.client.isolated.set_trailing_stop(
        trade_id, distance=Decimal("0.05"), signature=signed_now()
    )

    (guarded,) = world.client.isolated.running_trades()
    assert guarded.stop_loss == world.venue.price() * Decimal("0.95")


def test_close(world):
    trade_id = running_trade(world.client)

    closed = world.client.isolated.close_trade(trade_id, signature=signed_now())

    assert (closed.id, closed.status) == (trade_id, TradeStatus.CLOSED)
    assert closed.exit_price is not None
    assert closed.closed_at is not None
    assert list(world.client.isolated.running_trades()) == []
    assert list(world.client.isolated.closed_trades(since=closed.created_at)) == [closed]


def test_history_is_whole_and_newest_first(world):
    trades = [world.client.isolated.new_trade(LONG, signature=signed_now()) for _ in range(5)]
    for trade in trades:
        world.client.isolated.close_trade(trade.id, signature=signed_now())

    closed = world.client.isolated.closed_trades(since=trades[0].created_at)
    assert [trade.id for trade in closed] == [trade.id for trade in reversed(trades)]
