"""Every act of the port, done, and seen in the account afterwards."""

from decimal import Decimal

from exchanges.types import NewTrade, OrderType, Side, TradeStatus
from tests.exchanges.conformance.world import BALANCE, LONG, signed_now

LIMIT = NewTrade(
    side=Side.SELL,
    type=OrderType.LIMIT,
    leverage=Decimal("2.5"),
    quantity=100,
    price=Decimal("110000.5"),
    client_id="Zürich ⚡ 1",
)


def test_a_market_order(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())

    assert (trade.status, trade.side, trade.type) == (TradeStatus.RUNNING, Side.BUY, LONG.type)
    assert (trade.margin, trade.leverage) == (10_000, 10)
    assert trade.client_id is None
    assert list(world.client.isolated.running_trades()) == [trade]
    assert list(world.client.isolated.open_trades()) == []
    paid = trade.margin + trade.maintenance_margin + trade.opening_fee
    assert world.client.account().balance == BALANCE - paid
    assert world.done() == ["new_trade"]


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
    assert world.done() == ["new_trade", "add_margin"]


def test_cash_in(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())

    poorer = world.client.isolated.cash_in(trade.id, amount=1_000, signature=signed_now())

    assert poorer.margin < trade.margin
    assert poorer.sum_cash_in_pl + poorer.sum_cash_in_margin == 1_000


def test_stop_loss_and_take_profit(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())

    world.client.isolated.set_stop_loss(trade.id, price=Decimal("95000.5"), signature=signed_now())
    world.client.isolated.set_take_profit(trade.id, price=Decimal(120_000), signature=signed_now())

    (guarded,) = world.client.isolated.running_trades()
    assert (guarded.stop_loss, guarded.take_profit) == (Decimal("95000.5"), Decimal(120_000))


def test_close(world):
    trade = world.client.isolated.new_trade(LONG, signature=signed_now())

    closed = world.client.isolated.close_trade(trade.id, signature=signed_now())

    assert (closed.id, closed.status) == (trade.id, TradeStatus.CLOSED)
    assert closed.exit_price is not None
    assert closed.closed_at is not None
    assert list(world.client.isolated.running_trades()) == []
    assert list(world.client.isolated.closed_trades(since=trade.created_at)) == [closed]


def test_history_is_whole(world):
    trades = [world.client.isolated.new_trade(LONG, signature=signed_now()) for _ in range(5)]
    for trade in trades:
        world.client.isolated.close_trade(trade.id, signature=signed_now())

    closed = world.client.isolated.closed_trades(since=trades[0].created_at)
    assert {trade.id for trade in closed} == {trade.id for trade in trades}
