"""What may be asked of a trade, and what it gives back."""

from decimal import Decimal
from functools import partial

import pytest

from exchanges.paper import decisions
from exchanges.paper.commands import MoveMargin, Nothing, OnTrade, SetStopLoss, SetTakeProfit
from exchanges.paper.refusals import Refusal
from exchanges.types import TradeStatus
from tests.exchanges.paper.desk import Desk

LEVELS = {
    "stop": (decisions.set_stop_loss, decisions.remove_stop_loss, SetStopLoss),
    "profit": (decisions.set_take_profit, decisions.remove_take_profit, SetTakeProfit),
}


@pytest.mark.parametrize(
    ("side", "price", "pl", "closing_fee"),
    [
        pytest.param("buy", "125000", 200_000, 800, id="long, gain"),
        pytest.param("buy", "95000", -52_632, 1052, id="long, loss"),
        pytest.param("sell", "95000", 52_631, 1052, id="short, gain"),
        pytest.param("sell", "105000", -47_620, 952, id="short, loss"),
        pytest.param("buy", "100000", 0, 1000, id="unmoved: two fees"),
    ],
)
def test_closing(side, price, pl, closing_fee):
    desk = Desk()
    trade = desk.open(side=side)
    desk.move(price)
    [closed] = desk.act(decisions.close_trade, OnTrade(id=trade.id))
    assert closed.status is TradeStatus.CLOSED
    assert (closed.pl, closed.closing_fee, closed.exit_price) == (pl, closing_fee, Decimal(price))
    assert closed.maintenance_margin == max(0, trade.maintenance_margin - closing_fee)
    assert desk.balance == 10_000_000 - 1000 + pl - closing_fee


def test_the_closing_fee_takes_no_more_than_is_left():
    desk = Desk(balance=1_002_100)
    trade = desk.open()
    desk.act(decisions.add_margin, MoveMargin(id=trade.id, amount=900_000))
    desk.move("50000.5")
    [closed] = desk.act(decisions.close_trade, OnTrade(id=trade.id))
    assert (closed.pl, closed.closing_fee) == (-999_981, 19 + 1100)  # 1,999 would be due
    assert desk.balance == 0


@pytest.mark.parametrize(
    ("amount", "leverage", "liquidation"),
    [
        pytest.param(100_000, "5", "83333.5", id="twice the margin, half the leverage"),
        pytest.param(500, "9.95024876", "90868", id="a little"),
        pytest.param(900_000, "1", "50000", id="down to 1x"),
    ],
)
def test_adding_margin(amount, leverage, liquidation):
    desk = Desk()
    trade = desk.open()
    before = desk.balance
    [after] = desk.act(decisions.add_margin, MoveMargin(id=trade.id, amount=amount))
    assert (after.margin, after.entry_margin) == (100_000 + amount, 100_000)
    assert (after.leverage, after.liquidation) == (Decimal(leverage), Decimal(liquidation))
    assert (after.price, after.maintenance_margin) == (trade.price, trade.maintenance_margin)
    assert desk.balance == before - amount


@pytest.mark.parametrize(
    ("price", "amount", "basis", "margin", "from_pl"),
    [
        pytest.param("125000", 50_000, "105263.15789473", 100_000, 50_000, id="part of the profit"),
        pytest.param("125000", 200_000, "125000", 100_000, 200_000, id="all of the profit"),
        pytest.param("125000", 210_000, "125000", 90_000, 200_000, id="profit and margin"),
        pytest.param("100000", 10_000, "100000", 90_000, 0, id="no profit: margin"),
        pytest.param("99000", 10_000, "100000", 90_000, 0, id="a loss: margin"),
    ],
)
def test_cashing_in(price, amount, basis, margin, from_pl):
    desk = Desk()
    trade = desk.open()
    desk.move(price)
    before = desk.balance
    [after] = desk.act(decisions.cash_in, MoveMargin(id=trade.id, amount=amount))
    assert (after.price, after.margin) == (Decimal(basis), margin)
    assert (after.sum_cash_in_pl, after.sum_cash_in_margin) == (from_pl, amount - from_pl)
    assert (after.entry_price, after.quantity) == (Decimal(100_000), 1000)
    assert desk.balance == before + amount


def test_cashing_in_drops_a_stop_that_liquidation_would_come_before():
    desk = Desk()
    kept = desk.open(stoploss=93_000)
    dropped = desk.open(stoploss=91_000)
    for trade in (kept, dropped):
        desk.act(decisions.cash_in, MoveMargin(id=trade.id, amount=20_000))
    assert [desk.now(trade).stop_loss for trade in (kept, dropped)] == [Decimal(93_000), None]


@pytest.mark.parametrize(
    ("decision", "amount", "words"),
    [
        pytest.param(decisions.add_margin, 900_001, "amount: leverage would become 0.99999",
                     id="adding, below 1x"),
        pytest.param(decisions.add_margin, 9_897_901, "Insufficient balance", id="adding too much"),
        pytest.param(decisions.cash_in, 90_001, "amount: leverage would become 100.01",
                     id="cashing in, above 100x"),
        pytest.param(decisions.cash_in, 100_000, "amount: less than 100000 sats",
                     id="cashing in everything"),
    ],
)  # fmt: skip
def test_margin_moves_that_are_refused(decision, amount, words):
    desk = Desk()
    trade = desk.open()
    with pytest.raises(Refusal, match=f"^{words}"):
        desk.act(decision, MoveMargin(id=trade.id, amount=amount))
    assert desk.now(trade) == trade


def test_cashing_in_must_not_liquidate():
    desk = Desk()
    trade = desk.open()
    desk.move(95_000)
    with pytest.raises(Refusal, match="liquidated at once"):
        desk.act(decisions.cash_in, MoveMargin(id=trade.id, amount=50_000))


@pytest.mark.parametrize(
    ("side", "level", "price", "accepted"),
    [
        pytest.param("buy", "stop", "90909", True, id="stop at the liquidation price"),
        pytest.param("buy", "stop", "90908.5", False, id="stop beyond it"),
        pytest.param("buy", "stop", "101999.5", True, id="stop in profit"),
        pytest.param("buy", "stop", "102000", False, id="stop at the market"),
        pytest.param("buy", "profit", "102000.5", True, id="profit ahead"),
        pytest.param("buy", "profit", "102000", False, id="profit already reached"),
        pytest.param("sell", "stop", "111111", True, id="short, stop at liquidation"),
        pytest.param("sell", "stop", "111111.5", False, id="short, stop beyond it"),
        pytest.param("sell", "stop", "102000", False, id="short, stop at the market"),
        pytest.param("sell", "profit", "99999.5", True, id="short, profit ahead"),
        pytest.param("sell", "profit", "101000", False, id="short, profit that is a loss"),
    ],
)
def test_levels_of_a_trade_from_100_000_at_102_000(side, level, price, accepted):
    desk = Desk()
    trade = desk.open(side=side)
    desk.move(102_000)
    set_level, _, command = LEVELS[level]
    ask = partial(desk.act, set_level, command(id=trade.id, value=Decimal(price)))
    if accepted:
        [after] = ask()
        assert (after.stop_loss or after.take_profit) == Decimal(price)
    else:
        with pytest.raises(Refusal):
            ask()


@pytest.mark.parametrize("level", ["stop", "profit"])
def test_a_level_that_changes_nothing_is_refused(level):
    desk = Desk()
    trade = desk.open()
    set_level, remove_level, command = LEVELS[level]
    price = Decimal(95_000 if level == "stop" else 105_000)
    steps = [
        (set_level, command(id=trade.id, value=price), True),
        (set_level, command(id=trade.id, value=price), False),
        (set_level, command(id=trade.id, value=Decimal(0)), True),
        (remove_level, OnTrade(id=trade.id), False),
        (set_level, command(id=trade.id, value=price), True),
        (remove_level, OnTrade(id=trade.id), True),
    ]
    for decision, body, accepted in steps:
        if accepted:
            desk.act(decision, body)
        else:
            with pytest.raises(Refusal, match="is the same as the previous one"):
                desk.act(decision, body)
    assert (desk.now(trade).stop_loss, desk.now(trade).take_profit) == (None, None)


@pytest.mark.parametrize(
    ("decision", "command", "allowed"),
    [
        pytest.param(decisions.close_trade, OnTrade, {"running"}, id="close"),
        pytest.param(decisions.cancel_trade, OnTrade, {"open"}, id="cancel"),
        pytest.param(
            decisions.add_margin, partial(MoveMargin, amount=1000), {"running"}, id="add margin"
        ),
        pytest.param(
            decisions.cash_in, partial(MoveMargin, amount=1000), {"running"}, id="cash in"
        ),
        pytest.param(
            decisions.set_stop_loss,
            partial(SetStopLoss, value=Decimal(95_000)),
            {"open", "running"},
            id="stop loss",
        ),
        pytest.param(
            decisions.set_take_profit,
            partial(SetTakeProfit, value=Decimal(105_000)),
            {"open", "running"},
            id="take profit",
        ),
    ],
)
@pytest.mark.parametrize("state", ["open", "running", "closed", "canceled"])
def test_what_is_allowed_in_which_state(state, decision, command, allowed):
    desk = Desk()
    waits = state in ("open", "canceled")
    trade = desk.open(**({"type": "limit", "price": 99_000} if waits else {}))
    if state == "closed":
        desk.act(decisions.close_trade, OnTrade(id=trade.id))
    if state == "canceled":
        desk.act(decisions.cancel_trade, OnTrade(id=trade.id))
    ask = partial(desk.act, decision, command(id=trade.id))
    if state in allowed:
        ask()
    else:
        with pytest.raises(Refusal, match=f"^Trade is {state}, not {' or '.join(sorted(allowed))}"):
            ask()


def test_the_trade_of_another_is_not_ones_own():
    desk = Desk()
    desk.open_account("other", balance=1_000_000)
    trade = desk.open(by="other")
    with pytest.raises(Refusal, match="You do not own this trade"):
        desk.act(decisions.close_trade, OnTrade(id=trade.id))


def test_canceling_all_gives_everything_back():
    desk = Desk()
    desk.open(type="limit", price=90_000, margin=50_000)
    desk.open(type="limit", price=110_000.5, side="sell")
    assert desk.balance < 10_000_000
    canceled = desk.act(decisions.cancel_all, Nothing())
    assert [trade.status for trade in canceled] == [TradeStatus.CANCELED] * 2
    assert desk.balance == 10_000_000
    assert desk.act(decisions.cancel_all, Nothing()) == []
