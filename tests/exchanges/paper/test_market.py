"""What a move of the price does: fills, exits, liquidations."""

from decimal import Decimal

import pytest

from exchanges.paper import decisions
from exchanges.paper.commands import MAX_QUANTITY, OnTrade
from exchanges.paper.market import Depth
from exchanges.types import TradeStatus
from tests.exchanges.paper.desk import Desk


@pytest.mark.parametrize(
    ("side", "level", "prices", "filled"),
    [
        pytest.param("buy", 99_000, [99_000.5], False, id="buy below, not touched"),
        pytest.param("buy", 99_000, [99_000], True, id="buy below, touched"),
        pytest.param("buy", 99_000, [95_000], True, id="buy below, jumped over"),
        pytest.param("buy", 99_000, [105_000, 99_500], False, id="buy below, price turned"),
        pytest.param("sell", 101_000, [101_000], True, id="sell above, touched"),
        pytest.param("sell", 101_000, [100_999.5], False, id="sell above, not touched"),
        pytest.param("sell", 70_000, [], False, id="sell far below the market waits"),
        pytest.param("sell", 70_000, [70_000.5], False, id="sell below, not touched"),
        pytest.param("sell", 70_000, [70_000], True, id="sell below, touched from above"),
        pytest.param("buy", 120_000, [110_000], False, id="buy above the market waits"),
        pytest.param("buy", 120_000, [120_000], True, id="buy above, touched from below"),
        pytest.param("buy", 100_000, [], True, id="at the market: touched already"),
    ],
)
def test_limits_fill_when_touched(side, level, prices, filled):
    desk = Desk()
    order = desk.open(type="limit", side=side, price=level, leverage=1)
    balance = desk.balance
    desk.move(*prices)
    trade = desk.now(order)
    assert trade.status is (TradeStatus.RUNNING if filled else TradeStatus.OPEN)
    assert (trade.price, trade.entry_price) == (level, level)
    assert (trade.filled_at is None, trade.opening_fee == 0) == (not filled, not filled)
    assert desk.balance == balance, "an order pays for all when it is placed"


def test_a_limit_fills_at_its_own_price_and_pays_its_fee_from_the_reserve():
    desk = Desk()
    order = desk.open(type="limit", price=95_000)
    [(kind, trade)] = desk.move(94_000)
    assert (kind, trade.price, trade.opening_fee) == ("filled", 95_000, 1052)
    assert trade.held == order.held - 1052


LIQUIDATIONS = [
    pytest.param(side, leverage, level, id=f"{side} {leverage}x")
    for side, leverage, level in [
        ("buy", 2, "66666.5"),
        ("buy", 10, "90909"),
        ("buy", 50, "98039"),
        ("buy", 100, "99010"),
        ("sell", 2, "200000"),
        ("sell", 10, "111111"),
        ("sell", 50, "102041"),
        ("sell", 100, "101010"),
    ]
]


@pytest.mark.parametrize(("side", "leverage", "level"), LIQUIDATIONS)
@pytest.mark.parametrize("ticks_beyond", [-1, 0, 1, 1000])
def test_liquidation(side, leverage, level, ticks_beyond):
    desk = Desk()
    trade = desk.open(side=side, leverage=leverage)
    balance = desk.balance
    away = Decimal("-0.5") if side == "buy" else Decimal("0.5")
    effects = desk.move(Decimal(level) + ticks_beyond * away)
    if ticks_beyond < 0:
        assert effects == []
        assert desk.now(trade).pl_at(desk.book.price) >= -trade.margin
        return
    [(kind, ended)] = effects
    assert (kind, ended.status) == ("liquidation", TradeStatus.CLOSED)
    assert (ended.exit_price, ended.pl) == (Decimal(level), -trade.margin)
    assert ended.closing_fee == trade.maintenance_margin
    assert desk.balance == balance, "margin and reserve are gone"


@pytest.mark.parametrize(
    ("order", "prices", "kind", "exit_price"),
    [
        pytest.param({"stoploss": 95_000}, [95_000.5], None, None, id="stop not reached"),
        pytest.param({"stoploss": 95_000}, [95_000], "stop_loss", 95_000, id="stop reached"),
        pytest.param({"stoploss": 95_000}, [93_000], "stop_loss", 93_000, id="stop jumped over"),
        pytest.param({"stoploss": 95_000}, [90_000], "liquidation", 90_909,
                     id="jump past stop and liquidation"),
        pytest.param({"takeprofit": 105_000}, [104_999.5], None, None, id="profit not reached"),
        pytest.param({"takeprofit": 105_000}, [105_000], "take_profit", 105_000,
                     id="profit reached"),
        pytest.param({"takeprofit": 105_000}, [107_000], "take_profit", 107_000,
                     id="profit jumped over"),
        pytest.param({"side": "sell", "stoploss": 105_000}, [105_000], "stop_loss", 105_000,
                     id="short, stop"),
        pytest.param({"side": "sell", "takeprofit": 95_000}, [95_000], "take_profit", 95_000,
                     id="short, profit"),
        pytest.param({"side": "sell", "takeprofit": 95_000}, [111_111], "liquidation", 111_111,
                     id="short, liquidation"),
    ],
)  # fmt: skip
def test_stop_loss_and_take_profit(order, prices, kind, exit_price):
    desk = Desk()
    trade = desk.open(**order)
    effects = desk.move(*prices)
    if kind is None:
        assert effects == []
    else:
        [(what, ended)] = effects
        assert (what, ended.exit_price) == (kind, exit_price)
        assert desk.now(trade) == ended


def test_one_jump_may_fill_an_order_and_liquidate_it():
    desk = Desk()
    desk.open(type="limit", price=95_000, leverage=50)
    assert [kind for kind, _ in desk.move(90_000)] == ["filled", "liquidation"]


def test_a_jump_strikes_every_account_and_pays_each_its_own():
    desk = Desk()
    desk.open_account("other", balance=1_000_000)
    desk.open(takeprofit=105_000)
    desk.open(takeprofit=106_000)
    desk.open(by="other", side="sell", leverage=50)
    before = (desk.balance, desk.book.account("other").balance)
    effects = desk.move(110_000)
    assert [kind for kind, _ in effects] == ["take_profit", "take_profit", "liquidation"]
    gain = 2 * (100_000 + 1100 + 90_909 - 909)
    assert desk.balance == before[0] + gain
    assert desk.book.account("other").balance == before[1]


def test_an_ended_trade_stays_ended():
    desk = Desk()
    trade = desk.open()
    desk.act(decisions.close_trade, OnTrade(id=trade.id))
    assert desk.move(80_000, 120_000) == []


def test_one_jump_passes_the_levels_in_their_order():
    desk = Desk()
    desk.open(type="limit", price=96_000, leverage=1, clientId="fourth")
    desk.open(stoploss=97_000, clientId="third")
    desk.open(type="limit", price=99_000, leverage=100, clientId="first, and liquidated second")
    desk.open(side="sell", takeprofit=95_500, clientId="fifth")
    assert [(kind, trade.client_id) for kind, trade in desk.move(95_000)] == [
        ("filled", "first, and liquidated second"),
        ("liquidation", "first, and liquidated second"),
        ("stop_loss", "third"),
        ("filled", "fourth"),
        ("take_profit", "fifth"),
    ]
    assert desk.changes[-1].balance == desk.balance


DEPTHS = (Depth(1000, Decimal(2)), Depth(10_000, Decimal(10)), Depth(MAX_QUANTITY, Decimal(100)))


@pytest.mark.parametrize(
    ("side", "quantity", "entry", "exit_price"),
    [
        pytest.param("buy", 1, 100_001, 99_999, id="long, smallest"),
        pytest.param("buy", 1000, 100_001, 99_999, id="long, just in the first bucket"),
        pytest.param("buy", 1001, 100_005, 99_995, id="long, in the second"),
        pytest.param("buy", 10_001, 100_050, 99_950, id="long, in the last"),
        pytest.param("sell", 1000, 99_999, 100_001, id="short, first bucket"),
        pytest.param("sell", 10_001, 99_950, 100_050, id="short, last bucket"),
    ],
)
def test_market_orders_fill_at_ask_or_bid_of_their_size(side, quantity, entry, exit_price):
    desk = Desk()
    desk.set_terms(depths=DEPTHS)
    trade = desk.open(side=side, quantity=quantity, leverage=2)
    [closed] = desk.act(decisions.close_trade, OnTrade(id=trade.id))
    assert (trade.entry_price, closed.exit_price) == (entry, exit_price)
    assert closed.pl < 0


def test_an_order_by_margin_gets_what_it_can_pay_at_the_ask():
    desk = Desk()
    desk.spread(1000)
    trade = desk.open(margin=100_000)
    assert (trade.entry_price, trade.quantity) == (100_500, 1005)


@pytest.mark.parametrize(
    ("order", "prices", "kind", "exit_price"),
    [
        pytest.param({"stoploss": 95_000}, [95_000.5], None, None, id="stop: by the last price"),
        pytest.param({"stoploss": 95_000}, [95_000], "stop_loss", 94_950, id="fills at the bid"),
        pytest.param({"takeprofit": 105_000}, [105_000], "take_profit", 104_950, id="profit too"),
        pytest.param({}, [91_005], None, None, id="the bid is above liquidation"),
        pytest.param({}, [91_004.5], "liquidation", 90_954.5, id="liquidation: by the bid"),
        pytest.param({"side": "sell"}, [111_005.5], "liquidation", 111_055.5, id="by the ask"),
    ],
)
def test_exits_with_a_spread(order, prices, kind, exit_price):
    desk = Desk()
    desk.spread(100)
    trade = desk.open(**order)
    effects = desk.move(*prices)
    assert [effect[0] for effect in effects] == ([kind] if kind else [])
    assert desk.now(trade).exit_price == exit_price


def test_a_spread_that_widens_may_liquidate():
    desk = Desk()
    trade = desk.open(leverage=100)
    assert desk.spread(1979) == []
    assert [kind for kind, _ in desk.spread(1980)] == ["liquidation"]
    assert desk.now(trade).pl == -trade.margin


def test_terms_that_change_nothing_about_prices_do_nothing():
    desk = Desk()
    desk.open(stoploss=95_000, takeprofit=105_000)
    desk.open(type="limit", price=99_000)
    assert desk.set_terms(max_trades=1, funding_rate=Decimal("0.1")) == []
