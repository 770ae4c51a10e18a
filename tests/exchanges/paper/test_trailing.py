"""A trailing stop loss follows the price as far as it gains, tick by tick."""

from decimal import Decimal

import pytest

from exchanges.paper import decisions
from exchanges.paper.commands import MoveMargin, OnTrade, SetStopLoss, SetTakeProfit
from exchanges.paper.refusals import Refusal
from exchanges.types import TradeStatus
from tests.exchanges.paper.desk import Desk


def trailing(distance, **order):
    return {"stoplossMode": "trailing", "stoploss": distance} | order


@pytest.mark.parametrize(
    ("order", "prices", "stop"),
    [
        pytest.param(trailing(0.05), [], 95_000, id="at first"),
        pytest.param(trailing(0.05), [102_000], 96_900, id="follows a gain"),
        pytest.param(trailing(0.05), [102_000, 99_000], 96_900, id="stays in a loss"),
        pytest.param(trailing(0.05), [102_000, 99_000, 102_000.5], 96_900, id="less than a tick"),
        pytest.param(trailing(0.05), [102_000, 99_000, 103_000], 97_850, id="follows again"),
        pytest.param(trailing(0.001), [100_000.5], 99_900, id="as near as may be, rounded away"),
        pytest.param(trailing(0.5), [], 90_909, id="farther than liquidation: waits there"),
        pytest.param(trailing(0.5), [150_000], 90_909, id="still farther"),
        pytest.param(trailing(0.5), [200_000], 100_000, id="comes nearer"),
        pytest.param(trailing(10), [200_000], 90_909, id="so far that it never would"),
        pytest.param(trailing(0.05, side="sell"), [], 105_000, id="short, at first"),
        pytest.param(trailing(0.05, side="sell"), [96_000, 99_000], 100_800, id="short, follows"),
        pytest.param(trailing(0.001, side="sell"), [99_999.5], 100_099.5, id="short, rounded away"),
        pytest.param(trailing(10, side="sell"), [], 111_111, id="short, waits at liquidation"),
    ],
)
def test_where_the_stop_is(order, prices, stop):
    desk = Desk()
    trade = desk.open(**order)
    desk.move(*prices)
    now = desk.now(trade)
    assert (now.stop_loss, now.trailing_distance) == (stop, Decimal(str(order["stoploss"])))
    assert now.status is TradeStatus.RUNNING


@pytest.mark.parametrize(
    ("order", "prices", "kind", "exit_price"),
    [
        pytest.param(trailing(0.05), [110_000, 104_500], "stop_loss", 104_500, id="hit in profit"),
        pytest.param(trailing(0.05), [110_000, 104_500.5], None, None, id="not hit"),
        pytest.param(trailing(0.05), [94_000], "stop_loss", 94_000, id="jumped over"),
        pytest.param(trailing(0.05), [90_000], "liquidation", 90_909, id="jumped past both"),
        pytest.param(trailing(0.5), [90_909], "liquidation", 90_909, id="waits at liquidation"),
        pytest.param(
            trailing(0.05, takeprofit=108_000), [109_000], "take_profit", 109_000, id="profit first"
        ),
        pytest.param(
            trailing(0.05, side="sell"), [90_000, 94_500], "stop_loss", 94_500, id="short"
        ),
    ],
)
def test_when_it_sells(order, prices, kind, exit_price):
    desk = Desk()
    trade = desk.open(**order)
    effects = [effect for effect in desk.move(*prices) if effect[0] != "trailed"]
    assert [effect[0] for effect in effects] == ([kind] if kind else [])
    assert desk.now(trade).exit_price == exit_price


def test_a_step_that_changes_no_stop_writes_nothing():
    desk = Desk()
    desk.open(**trailing(0.05))
    effects = desk.move(101_000, 100_500, 101_000, 101_000.5)
    assert [(kind, trade.stop_loss) for kind, trade in effects] == [("trailed", 95_950)]


def test_an_order_that_waits_begins_to_trail_when_it_fills():
    desk = Desk()
    order = desk.open(type="limit", price=99_000, **trailing(0.02))
    desk.move(101_000)
    assert desk.now(order).stop_loss == 97_020, "of its own price"
    desk.move(98_500, 100_000)
    assert desk.now(order).stop_loss == 98_000


def set_stop(desk, trade, value, mode="fixed"):
    command = SetStopLoss(id=trade.id, value=Decimal(str(value)), mode=mode)
    return desk.act(decisions.set_stop_loss, command)


@pytest.mark.parametrize(
    ("steps", "stop", "distance"),
    [
        pytest.param([(0.05, "trailing")], 95_000, "0.05", id="set"),
        pytest.param([(0.05, "trailing"), (0.04, "trailing")], 96_000, "0.04", id="nearer"),
        pytest.param([(0.05, "trailing"), (0.06, "trailing")], 94_000, "0.06", id="farther"),
        pytest.param([(0.05, "trailing"), (95_000, "fixed")], 95_000, None, id="fixed where it is"),
        pytest.param([(95_000, "fixed"), (0.05, "trailing")], 95_000, "0.05", id="let go"),
        pytest.param([(0.05, "trailing"), (0, "trailing")], None, None, id="removed"),
        pytest.param([(0.05, "trailing"), (0, "fixed")], None, None, id="removed by the other 0"),
    ],
)
def test_setting_it_later(steps, stop, distance):
    desk = Desk()
    trade = desk.open()
    for value, mode in steps:
        set_stop(desk, trade, value, mode)
    now = desk.now(trade)
    assert now.stop_loss == stop
    assert now.trailing_distance == (distance and Decimal(distance))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(0.05, "Stop loss is the same as the previous one", id="the same"),
        pytest.param(0.0009, "value: 0.001 to 10 of the price", id="too near"),
        pytest.param(10.001, "value: 0.001 to 10 of the price", id="too far"),
        pytest.param(95_000, "value: 0.001 to 10 of the price", id="a price"),
    ],
)
def test_what_is_refused(value, words):
    desk = Desk()
    trade = desk.open(**trailing(0.05))
    body = {"id": trade.id, "value": Decimal(str(value)), "mode": "trailing"}
    with pytest.raises(Refusal, match=f"^{words}"):
        desk.act(decisions.set_stop_loss, SetStopLoss.read(body))
    assert desk.now(trade) == trade


def test_it_can_be_removed_like_any_other():
    desk = Desk()
    trade = desk.open(**trailing(0.05))
    [after] = desk.act(decisions.remove_stop_loss, OnTrade(id=trade.id))
    assert (after.stop_loss, after.trailing_distance) == (None, None)


def test_it_does_not_stand_in_the_way_of_a_take_profit():
    desk = Desk()
    trade = desk.open(**trailing(0.5))
    command = SetTakeProfit(id=trade.id, value=Decimal(120_000))
    [after] = desk.act(decisions.set_take_profit, command)
    assert after.take_profit == 120_000


def test_cashing_in_pushes_it_before_the_new_liquidation():
    desk = Desk()
    trade = desk.open(**trailing(0.08))
    assert trade.stop_loss == 92_000
    [after] = desk.act(decisions.cash_in, MoveMargin(id=trade.id, amount=30_000))
    assert (after.stop_loss, after.liquidation) == (after.liquidation, Decimal(93458))
    assert after.trailing_distance == Decimal("0.08")
