"""Which orders are accepted, and what they cost."""

from decimal import Decimal

import pytest

from exchanges.paper import decisions
from exchanges.paper.commands import OnTrade
from exchanges.paper.refusals import Refusal
from exchanges.types import TradeStatus
from tests.exchanges.paper.desk import Desk


@pytest.mark.parametrize(
    ("order", "margin", "liquidation", "opening_fee", "reserve_left"),
    [
        pytest.param({"leverage": 2}, 500_000, "66666.5", 1000, 1500, id="long 2x"),
        pytest.param({"leverage": 10}, 100_000, "90909", 1000, 1100, id="long 10x"),
        pytest.param({"leverage": 50}, 20_000, "98039", 1000, 1020, id="long 50x"),
        pytest.param({"leverage": 100}, 10_000, "99010", 1000, 1009, id="long 100x"),
        pytest.param({"leverage": 2, "side": "sell"}, 500_000, "200000", 1000, 500, id="short 2x"),
        pytest.param(
            {"leverage": 10, "side": "sell"}, 100_000, "111111", 1000, 900, id="short 10x"
        ),
        pytest.param({"leverage": 50, "side": "sell"}, 20_000, "102041", 1000, 979, id="short 50x"),
        pytest.param(
            {"leverage": 100, "side": "sell"}, 10_000, "101010", 1000, 990, id="short 100x"
        ),
        pytest.param({"margin": 1999}, 1999, "90909", 19, 20, id="by margin, kept as given"),
        pytest.param(
            {"quantity": 1, "leverage": 7.5}, 134, "88261.5", 1, 1, id="margin rounded up"
        ),
    ],
)
def test_opening(order, margin, liquidation, opening_fee, reserve_left):
    desk = Desk(balance=1_000_000)
    trade = desk.open(**order)
    assert trade.status is TradeStatus.RUNNING
    assert (trade.margin, trade.liquidation) == (margin, Decimal(liquidation))
    assert (trade.opening_fee, trade.maintenance_margin) == (opening_fee, reserve_left)
    assert desk.balance == 1_000_000 - margin - opening_fee - reserve_left


@pytest.mark.parametrize(
    ("order", "words"),
    [
        pytest.param({"quantity": 500_001}, "quantity: ", id="too large"),
        pytest.param({"quantity": 0}, "quantity: ", id="nothing"),
        pytest.param({"quantity": 1.5}, "quantity: ", id="not whole"),
        pytest.param({"quantity": True}, "quantity: ", id="not a number"),
        pytest.param({"quantity": 1, "margin": 1}, "margin, quantity: exactly", id="both sizes"),
        pytest.param({"margin": 99}, "margin: buys 0 USD", id="margin too small for 1 USD"),
        pytest.param({"margin": 10**12}, "margin: buys", id="margin buys too much"),
        pytest.param({"leverage": 100.5}, "leverage: ", id="leverage too high"),
        pytest.param({"leverage": 0.5}, "leverage: ", id="leverage too low"),
        pytest.param({"side": "b"}, "side: ", id="side of the old API"),
        pytest.param({"type": "stop"}, "type: ", id="unknown type"),
        pytest.param({"type": "limit"}, "price: required for a limit", id="limit without price"),
        pytest.param({"price": 90_000}, "price: required for a limit", id="market with price"),
        pytest.param({"type": "limit", "price": 90_000.25}, "price: must be a multiple of 0.5",
                     id="price off the tick"),
        pytest.param({"type": "limit", "price": 100_000_000.5}, "price: ", id="price too high"),
        pytest.param({"stoploss": 100_000}, "stoploss: ", id="stop at the market"),
        pytest.param({"stoploss": 90_908.5}, "stoploss: ", id="stop beyond liquidation"),
        pytest.param({"takeprofit": 100_000}, "takeprofit: above", id="profit at the market"),
        pytest.param({"side": "sell", "takeprofit": 100_000}, "takeprofit: below",
                     id="short, profit at the market"),
        pytest.param({"side": "sell", "stoploss": 111_111.5}, "stoploss: ",
                     id="short, stop beyond liquidation"),
        pytest.param({"stoploss": 95_000.25}, "stoploss: must be a multiple of 0.5",
                     id="stop off the tick"),
        pytest.param({"stoplossMode": "trailing", "stoploss": 95_000}, "stoploss: 0.001 to 10 of",
                     id="trailing by a price"),
        pytest.param({"stoplossMode": "wide", "stoploss": 0.5}, "stoplossMode: ",
                     id="unknown mode"),
        pytest.param({"type": "liquidation"}, "type: ", id="not a trader's type"),
        pytest.param({"clientId": "x" * 65}, "clientId: ", id="client id too long"),
        pytest.param({"quantity": 100_000}, "Insufficient balance: 10210000 sats needed",
                     id="balance too small"),
    ],
)  # fmt: skip
def test_orders_that_are_refused(order, words):
    desk = Desk()
    with pytest.raises(Refusal) as refusal:
        desk.open(**order)
    assert refusal.value.message.startswith(words)
    assert (refusal.value.status, refusal.value.code) == (400, "BAD_REQUEST")
    assert (desk.balance, len(desk.changes)) == (10_000_000, 1)


def test_the_whole_balance_may_be_spent():
    desk = Desk(balance=102_100)
    desk.open()
    assert desk.balance == 0


def test_fees_fall_with_the_volume_of_thirty_days():
    desk = Desk(balance=10**9)
    fees = []
    for _ in range(3):
        trade = desk.open(quantity=125_001, leverage=1)
        [closed] = desk.act(decisions.close_trade, OnTrade(id=trade.id))
        fees.append((trade.opening_fee, closed.closing_fee))
    assert fees == [(125_001, 125_001), (100_000, 100_000), (100_000, 100_000)]
    assert desk.account.fee_tier(desk.changes[-1].at) == 1


def test_a_spread_wider_than_the_margin_liquidates_no_one_at_once():
    desk = Desk()
    desk.spread(2000)
    with pytest.raises(Refusal, match="leverage: the trade would be liquidated at once"):
        desk.open(leverage=100)
    assert desk.account.live == {}


def test_a_stop_between_the_last_price_and_the_ask_is_no_stop():
    desk = Desk()
    desk.spread(100)
    with pytest.raises(Refusal, match="stoploss: from the liquidation price"):
        desk.open(stoploss=100_020)


def test_exposure_has_a_limit_per_account():
    desk = Desk(balance=10**12)
    for _ in range(19):
        desk.open(quantity=500_000, leverage=1)
    desk.open(type="limit", price=90_000, quantity=499_999, leverage=1)
    with pytest.raises(
        Refusal, match="quantity: exposure would become 10000001 USD, allowed are 10000000"
    ):
        desk.open(quantity=2, leverage=1)
    trade = desk.open(quantity=1, leverage=1)
    desk.act(decisions.close_trade, OnTrade(id=trade.id))
    desk.open(quantity=1, leverage=1)


def test_the_number_of_live_trades_may_be_limited():
    desk = Desk()
    desk.set_terms(max_trades=2)
    trade = desk.open()
    desk.open(type="limit", price=90_000)
    with pytest.raises(Refusal, match="Too many trades: 2 are open or running, allowed are 2"):
        desk.open()
    desk.act(decisions.close_trade, OnTrade(id=trade.id))
    desk.open()
