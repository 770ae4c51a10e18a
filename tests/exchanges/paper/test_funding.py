"""Funding: who pays whom, out of what, and what becomes of the trade."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.inverse_futures import funding_fee
from exchanges.paper import decisions
from exchanges.paper.commands import MoveMargin, OnTrade
from exchanges.paper.market import next_funding_at
from exchanges.types import FundingFee, FundingSettlement, Side, TradeStatus
from tests.exchanges.paper.desk import Desk


@pytest.mark.parametrize(
    ("quantity", "price", "rate", "fee"),
    [
        pytest.param(10_000, 60_000, "0.0001", 1667, id="as documented"),
        pytest.param(10_000, 60_000, "-0.0001", -1667, id="the other way"),
        pytest.param(1, 100_000, "0.0001", 0, id="less than half a sat"),
        pytest.param(1, 100_000, "0.0006", 1, id="more than half a sat"),
        pytest.param(500_000, 100_000, "0", 0, id="no rate"),
    ],
)
@pytest.mark.parametrize("side", Side)
def test_the_fee(side, quantity, price, rate, fee):
    paid = funding_fee(
        side=side, quantity=quantity, fixing_price=Decimal(price), rate=Decimal(rate)
    )
    assert paid == (fee if side is Side.BUY else -fee)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        pytest.param("2026-01-01T00:00:00", "2026-01-01T08:00:00", id="right after one"),
        pytest.param("2026-01-01T07:59:59.999", "2026-01-01T08:00:00", id="right before one"),
        pytest.param("2026-01-01T15:00:00", "2026-01-01T16:00:00", id="afternoon"),
        pytest.param("2026-12-31T16:00:00", "2027-01-01T00:00:00", id="the year ends"),
    ],
)
def test_when_it_is_due(now, due):
    now, due = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, due))
    assert next_funding_at(now) == due


@pytest.mark.parametrize(
    ("side", "rate", "margin", "leverage", "liquidation", "received"),
    [
        pytest.param("buy", "0.001", 99_000, "10.1010101", "90992", 0, id="long pays"),
        pytest.param("buy", "-0.001", 100_000, "10", "90909", 1000, id="long receives"),
        pytest.param("sell", "0.001", 100_000, "10", "111111", 1000, id="short receives"),
        pytest.param("sell", "-0.001", 99_000, "10.1010101", "110988", 0, id="short pays"),
    ],
)
def test_a_payment_comes_from_the_margin_a_receipt_goes_to_the_balance(
    side, rate, margin, leverage, liquidation, received
):
    desk = Desk()
    trade = desk.open(side=side)
    balance = desk.balance
    [(kind, after)] = desk.fund(rate)
    assert (kind, after.margin, after.entry_margin) == ("funding", margin, 100_000)
    assert (after.leverage, after.liquidation) == (Decimal(leverage), Decimal(liquidation))
    assert (after.price, after.maintenance_margin) == (trade.price, trade.maintenance_margin)
    assert after.sum_funding_fees == (-1000 if received else 1000)
    assert desk.balance == balance + received


def test_both_sides_get_what_the_other_pays_at_the_price_of_the_moment():
    desk = Desk()
    long, short = desk.open(), desk.open(side="sell")
    desk.move(80_000 * 1.2)
    held, balance = long.held + short.held, desk.balance
    desk.fund("0.0005")
    assert desk.now(long).sum_funding_fees == -desk.now(short).sum_funding_fees == 521
    assert desk.now(long).held + desk.now(short).held + desk.balance == held + balance


def test_it_adds_up_and_is_listed():
    desk = Desk()
    trade, other = desk.open(), desk.open(quantity=2000)
    for rate in ("0.0001", "0.0002", "-0.0005"):
        desk.fund(rate)
    assert desk.now(trade).sum_funding_fees == 100 + 200 - 500
    fees = desk.account.all(FundingFee)
    assert [(fee.trade_id, fee.fee) for fee in fees if fee.trade_id == trade.id] == [
        (trade.id, -500),
        (trade.id, 200),
        (trade.id, 100),
    ]
    assert len(fees) == 6
    settlements = list(desk.book.market.settlements.values())
    assert [settlement.rate for settlement in settlements] == [
        Decimal(rate) for rate in ("0.0001", "0.0002", "-0.0005")
    ]
    assert all(isinstance(each, FundingSettlement) for each in settlements)
    assert {fee.settlement_id for fee in fees} == {each.id for each in settlements}
    assert desk.now(other).sum_funding_fees == -400


@pytest.mark.parametrize("state", ["open", "closed", "canceled"])
def test_only_running_trades_are_concerned(state):
    desk = Desk()
    trade = desk.open(**({} if state == "closed" else {"type": "limit", "price": 90_000}))
    if state == "closed":
        desk.act(decisions.close_trade, OnTrade(id=trade.id))
    if state == "canceled":
        desk.act(decisions.cancel_trade, OnTrade(id=trade.id))
    before = desk.balance
    assert desk.fund("0.01") == []
    assert desk.balance == before


def test_a_rate_of_nothing_costs_nothing_and_is_settled_all_the_same():
    desk = Desk()
    desk.open()
    assert desk.fund("0") == []
    assert len(desk.book.market.settlements) == 1


@pytest.mark.parametrize(
    ("rate", "kinds", "margin_lost"),
    [
        pytest.param("0.05", ["funding"], None, id="survives"),
        pytest.param("0.09", ["funding", "liquidation"], 8163, id="pays, and is at its end"),
        pytest.param("0.1", ["liquidation"], 100_000, id="cannot pay"),
    ],
)
def test_who_cannot_carry_it_is_liquidated(rate, kinds, margin_lost):
    desk = Desk()
    trade = desk.open()
    desk.move(98_000)
    balance = desk.balance
    assert [kind for kind, _ in desk.fund(rate)] == kinds
    now = desk.now(trade)
    if margin_lost is None:
        assert (now.status, desk.balance) == (TradeStatus.RUNNING, balance)
    else:
        assert (now.status, now.exit_price) == (TradeStatus.CLOSED, now.liquidation)
        assert (now.pl, now.sum_funding_fees) == (-margin_lost, 100_000 - margin_lost)
        assert desk.balance == balance + now.maintenance_margin, "the rest of the reserve is free"


@pytest.mark.parametrize(
    ("order", "stop"),
    [
        pytest.param({"stoploss": 95_000}, 95_000, id="far enough"),
        pytest.param({"stoploss": 91_000}, None, id="liquidation would come before"),
        pytest.param({"stoploss": 0.09, "stoplossMode": "trailing"}, 94_339.5, id="trails"),
    ],
)
def test_a_stop_that_liquidation_would_come_before_is_dropped_or_pushed(order, stop):
    desk = Desk()
    trade = desk.open(**order)
    desk.fund("0.04")
    assert desk.now(trade).stop_loss == stop


def test_a_leverage_pushed_above_100_may_come_back_step_by_step():
    desk = Desk()
    trade = desk.open(leverage=100)
    desk.fund("0.005")
    assert desk.now(trade).leverage == 200
    [after] = desk.act(decisions.add_margin, MoveMargin(id=trade.id, amount=1000))
    assert 100 < after.leverage < 200
