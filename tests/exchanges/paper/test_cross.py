"""The cross position: its arithmetic, what may be asked of it, what the market does to it."""

from decimal import Decimal

import pytest

from exchanges.paper import decisions_cross as cross
from exchanges.paper import funding
from exchanges.paper.changes import Kind
from exchanges.paper.commands import Nothing
from exchanges.paper.commands_cross import MoveSats, SetLeverage
from exchanges.paper.cross import Position, size_cap
from exchanges.paper.equity import equity
from exchanges.paper.market import Depth, Terms
from exchanges.paper.records import Notification
from exchanges.paper.refusals import Refusal
from exchanges.types import CrossOrder, FundingFee, OrderStatus, OrderType, Side, Transfer
from tests.exchanges.paper.cross_desk import CrossDesk
from tests.exchanges.paper.desk import START


def position(quantity, entry, *, margin=500_000, leverage=10):
    return Position(
        id="x",
        updated_at=START,
        quantity=quantity,
        margin=margin,
        leverage=leverage,
        entry_price=Decimal(entry) if quantity else None,
    )


@pytest.mark.parametrize(
    ("given", "running", "maintenance", "liquidation"),
    [
        pytest.param(position(1000, 100_000), 100_000, 1_500, "66733.5", id="long"),
        pytest.param(position(-1000, 100_000), 100_000, 1_500, "199402", id="short"),
        pytest.param(position(0, 0), 0, 0, None, id="flat"),
        pytest.param(position(1, 60_000, leverage=1), 1_666, 2, "199.5", id="rounded down"),
        pytest.param(
            position(-1000, 100_000, margin=2_000_000), 100_000, 1_500, "100000000", id="no end"
        ),
    ],
)
def test_margins_and_liquidation(given, running, maintenance, liquidation):
    level = None if liquidation is None else Decimal(liquidation)
    assert given.running_margin == running
    assert given.maintenance_margin == maintenance
    assert given.liquidation == level


@pytest.mark.parametrize(
    ("leverage", "usd"), [(1, 15_000_000), (50, 12_525_255), (100, 10_000_000)]
)
def test_size_cap(leverage, usd):
    assert size_cap(leverage) == usd


@pytest.mark.parametrize(
    ("orders", "quantity", "entry", "realised"),
    [
        pytest.param([(1000, 100_000)], 1000, "100000", 0, id="opens"),
        pytest.param([(1000, 100_000), (2000, 50_000)], 3000, "60000", 0, id="adds: harmonic"),
        pytest.param([(-1000, 100_000), (-2000, 50_000)], -3000, "60000", 0, id="adds short"),
        pytest.param([(2, 100_000), (-3, 100_000)], -1, "100000", 0, id="crosses zero"),
        pytest.param(
            [(1000, 100_000), (-1500, 125_000)], -500, "125000", 200_000, id="crosses in profit"
        ),
        pytest.param(
            [(1000, 100_000), (-400, 125_000)], 600, "100000", 80_000, id="reduces in profit"
        ),
        pytest.param(
            [(1000, 100_000), (-400, 80_000)], 600, "100000", -100_000, id="reduces at a loss"
        ),
        pytest.param(
            [(-1000, 100_000), (400, 80_000)], -600, "100000", 100_000, id="reduces a short"
        ),
        pytest.param([(1000, 100_000), (-1000, 125_000)], 0, None, 200_000, id="ends flat"),
    ],
)
def test_netting(orders, quantity, entry, realised):
    desk = CrossDesk(margin=5_000_000)
    desk.trade(*orders)
    assert desk.position.quantity == quantity
    assert desk.position.entry_price == (None if entry is None else Decimal(entry))
    assert desk.position.realised == realised
    assert desk.position.margin == 5_000_000 + realised - desk.position.trading_fees


@pytest.mark.parametrize(
    ("volume", "fee"),
    [
        pytest.param(0, 1_000, id="tier 1: 0.1 %"),
        pytest.param(250_000, 1_000, id="at the edge"),
        pytest.param(250_001, 800, id="tier 2: 0.08 %"),
        pytest.param(1_000_001, 700, id="tier 3: 0.07 %"),
        pytest.param(5_000_001, 600, id="tier 4: 0.06 %"),
    ],
)
def test_fee_by_volume_of_cross_orders(volume, fee):
    desk = CrossDesk(margin=9_000_000_000, balance=10_000_000_000, leverage=1)
    while volume:
        size = min(volume, 500_000)
        desk.order("buy" if desk.position.quantity <= 0 else "sell", size)
        volume -= size
    assert desk.order("buy", 1000).trading_fee == fee


@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [
        pytest.param("buy", 1_000, 100_005, id="ask"),
        pytest.param("sell", 1_000, 99_995, id="bid"),
        pytest.param("buy", 1_001, 100_050, id="ask of the next size"),
    ],
)
def test_a_market_order_fills_at_the_price_for_its_size(side, quantity, price):
    desk = CrossDesk(margin=5_000_000)
    desk.book.market.terms = Terms(depths=(Depth(1_000, Decimal(10)), Depth(500_000, Decimal(100))))
    assert desk.order(side, quantity).price == price


@pytest.mark.parametrize(
    ("side", "price", "path", "status"),
    [
        pytest.param("buy", 90_000, [90_000], OrderStatus.FILLED, id="a fall touches"),
        pytest.param("buy", 90_000, [89_000], OrderStatus.FILLED, id="a fall jumps over"),
        pytest.param("buy", 90_000, [90_000.5], OrderStatus.OPEN, id="not yet"),
        pytest.param("buy", 110_000, [105_000], OrderStatus.OPEN, id="above the market: waits"),
        pytest.param("buy", 110_000, [111_000], OrderStatus.FILLED, id="a rise touches"),
        pytest.param("sell", 70_000, [], OrderStatus.OPEN, id="sell far below: waits"),
        pytest.param("buy", 100_000, [], OrderStatus.FILLED, id="at the last price: at once"),
    ],
)
def test_a_limit_fills_when_touched(side, price, path, status):
    desk = CrossDesk(margin=5_000_000)
    order = desk.order(side, 1000, price=price)
    for each in path:
        assert (order.status, order.trading_fee) == (OrderStatus.OPEN, 0)
        desk.slide(each)
    orders = desk.account.open_orders | desk.account.orders
    assert orders[order.id].status is status
    assert orders[order.id].price == price
    assert bool(desk.position.quantity) is (status is OrderStatus.FILLED)


def test_orders_fill_in_the_order_in_which_the_price_passes_them():
    desk = CrossDesk(margin=5_000_000)
    low, high = desk.order("buy", 100, price=90_000), desk.order("buy", 100, price=95_000)
    changes = desk.slide(85_000)
    assert [change.the(CrossOrder).id for change in changes] == [high.id, low.id]
    assert desk.position.entry_price == Decimal("92432.43243243")


REFUSED = [
    pytest.param({}, lambda desk: desk.order("buy", 1000), "Insufficient cross margin", id="none"),
    pytest.param(
        {"margin": 102_500},
        lambda desk: desk.order("buy", 1000),
        "more than 101500 sats needed, 101500 there",
        id="margin - maintenance must exceed running",
    ),
    pytest.param(
        {"margin": 101_500},
        lambda desk: desk.order("buy", 1000, price=90_000),
        "Insufficient cross margin",
        id="a limit needs it when placed",
    ),
    pytest.param(
        {"margin": 150_000},
        lambda desk: [desk.order("buy", 1000, price=95_000) for _ in range(2)],
        "Insufficient cross margin",
        id="open orders add up",
    ),
    pytest.param(
        {"margin": 150_000},
        lambda desk: [desk.order("buy", 1000, price=95_000), desk.order("buy", 900)],
        "Insufficient cross margin",
        id="a market order beside an open one",
    ),
    pytest.param({}, lambda desk: desk.close(), "no running cross position", id="close flat"),
    pytest.param(
        {},
        lambda desk: desk.do(cross.cancel_order, cross.OnTrade(id="x")),
        "Order not found",
        id="cancel unknown",
    ),
    pytest.param(
        {"margin": 500_000},
        lambda desk: desk.cancel(desk.order("buy", 1)),
        "Order is filled, not open",
        id="cancel filled",
    ),
    pytest.param(
        {},
        lambda desk: desk.do(cross.deposit, MoveSats(amount=10_000_001)),
        "Insufficient balance",
        id="deposit more than there is",
    ),
    pytest.param(
        {"margin": 500},
        lambda desk: desk.do(cross.withdraw, MoveSats(amount=501)),
        "Insufficient cross margin",
        id="withdraw more than there is",
    ),
]


@pytest.mark.parametrize(("desk", "ask", "message"), REFUSED)
def test_refused(desk, ask, message):
    desk = CrossDesk(**desk)
    with pytest.raises(Refusal, match=message):
        ask(desk)


def test_withdrawing_leaves_what_the_position_needs():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    free = desk.position.margin - 101_500
    with pytest.raises(Refusal, match="Insufficient cross margin"):
        desk.do(cross.withdraw, MoveSats(amount=free))
    desk.do(cross.withdraw, MoveSats(amount=free - 1))
    assert desk.position.margin == 101_501


def test_a_withdrawal_that_would_liquidate_is_refused():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    desk.slide(75_000)
    with pytest.raises(Refusal, match="liquidated at once"):
        desk.do(cross.withdraw, MoveSats(amount=300_000))


def test_a_lower_leverage_needs_the_margin():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    with pytest.raises(Refusal, match="Insufficient cross margin"):
        desk.do(cross.set_leverage, SetLeverage(leverage=2))
    desk.do(cross.set_leverage, SetLeverage(leverage=3))
    assert (desk.position.leverage, desk.position.running_margin) == (3, 333_333)


def test_the_size_cap_counts_the_whole_position():
    desk = CrossDesk(margin=9_000_000_000, balance=10_000_000_000, leverage=100)
    for _ in range(20):
        desk.order("buy", 500_000)
    with pytest.raises(Refusal, match="a position of up to 10000000 USD"):
        desk.order("buy", 1)
    assert desk.close().quantity == 10_000_000


def test_reducing_needs_no_margin():
    desk = CrossDesk(margin=103_000)
    desk.order("buy", 1000)
    desk.slide(95_000)
    desk.order("sell", 400)
    assert desk.position.quantity == 600


def test_a_loss_takes_at_most_the_margin():
    desk = CrossDesk(margin=110_000)
    desk.order("buy", 1000)
    desk.book.market.terms = Terms(depths=(Depth(500_000, Decimal(40_000)),))
    assert desk.close().price == 80_000
    assert (desk.position.margin, desk.position.realised) == (0, -109_000)


def test_transfers_have_signs():
    desk = CrossDesk(margin=500_000)
    desk.do(cross.withdraw, MoveSats(amount=200_000))
    assert [transfer.amount for transfer in desk.account.all(Transfer)] == [-200_000, 500_000]
    assert (desk.balance, desk.position.margin) == (9_700_000, 300_000)


def test_cancel_all_takes_back_every_open_order():
    desk = CrossDesk(margin=500_000)
    orders = [desk.order("buy", 100, price=price) for price in (90_000, 80_000)]
    desk.order("buy", 1)
    changes = desk.do(cross.cancel_all_orders, Nothing())
    assert [change.the(CrossOrder).id for change in changes] == [order.id for order in orders]
    assert not desk.account.open_orders


@pytest.mark.parametrize(
    ("quantity", "level", "price"),
    [
        pytest.param(1000, "66778.0", 66_778, id="long, at its level"),
        pytest.param(1000, "66778.0", 50_000, id="long, jumped over"),
        pytest.param(-1000, "199005.0", 200_000, id="short"),
    ],
)
def test_liquidation(quantity, level, price):
    desk = CrossDesk(margin=500_000)
    waiting = desk.order("buy", 10, price=10_000)
    desk.trade((quantity, 100_000))
    before = desk.position
    assert before.liquidation == Decimal(level)
    changes = desk.slide(price)
    assert [change.kind for change in changes] == [Kind.CROSS_LIQUIDATION, Kind.CROSS_CANCEL]
    order = changes[0].the(CrossOrder)
    assert (order.type, order.status, order.quantity) == (OrderType.LIQUIDATION, "filled", 1000)
    assert order.side is (Side.SELL if quantity > 0 else Side.BUY)
    assert order.price == before.liquidation
    assert desk.account.orders[waiting.id].status is OrderStatus.CANCELED
    assert desk.position.quantity == 0
    assert desk.position.margin == before.maintenance_margin - order.trading_fee
    assert desk.account.all(Notification)[0].type == "liquidation"


def test_one_tick_before_its_level_it_lives():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    assert desk.slide("66778.5") == []
    assert desk.position.quantity == 1000


def test_liquidated_before_an_order_further_on_could_save_it():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    saving = desk.order("sell", 1000, price=60_000)
    kinds = [change.kind for change in desk.slide(55_000)]
    assert kinds == [Kind.CROSS_LIQUIDATION, Kind.CROSS_CANCEL]
    assert desk.account.orders[saving.id].status is OrderStatus.CANCELED


def test_an_order_on_the_way_saves_it():
    desk = CrossDesk(margin=500_000)
    desk.order("buy", 1000)
    desk.order("sell", 1000, price=80_000)
    assert [change.kind for change in desk.slide(55_000)] == [Kind.CROSS_FILLED]
    assert desk.position.realised == -250_000


def test_a_touched_order_that_is_no_longer_covered_is_cancelled():
    desk = CrossDesk(margin=250_000)
    order = desk.order("buy", 1000, price=60_000)
    desk.order("buy", 500)
    desk.slide(75_000)
    desk.close()
    [change] = desk.slide(60_000)
    assert change.kind is Kind.CROSS_CANCEL
    assert desk.account.orders[order.id].status is OrderStatus.CANCELED
    assert desk.position.quantity == 0


@pytest.mark.parametrize(
    ("quantity", "rate", "fee"),
    [
        pytest.param(10_000, "0.0001", 1_667, id="a long pays"),
        pytest.param(-10_000, "0.0001", -1_667, id="a short receives"),
        pytest.param(10_000, "-0.0001", -1_667, id="a negative rate pays longs"),
    ],
)
def test_funding(quantity, rate, fee):
    desk = CrossDesk(price=60_000, margin=5_000_000)
    desk.trade((quantity, 60_000))
    before = desk.position
    settle(desk, rate)
    [record] = desk.account.all(FundingFee)
    assert (record.fee, record.settlement_id, record.trade_id) == (fee, "funding-1", None)
    assert desk.position.margin == before.margin - fee
    assert desk.position.funding_fees == fee


def test_a_flat_position_pays_no_funding():
    desk = CrossDesk(margin=500_000)
    settle(desk, "0.01")
    assert desk.account.all(FundingFee) == []


def test_funding_that_takes_the_margin_liquidates():
    desk = CrossDesk(margin=110_000)
    desk.order("buy", 1000)
    settle(desk, "0.2")
    assert desk.account.all(FundingFee)[0].fee == 109_000
    assert (desk.position.quantity, desk.position.margin) == (0, 0)


def test_equity_counts_everything_an_account_has():
    desk = CrossDesk(margin=500_000)
    assert equity(desk.account, desk.book) == 10_000_000
    desk.order("buy", 1000)
    trade = desk.open()
    fees = desk.position.trading_fees + trade.opening_fee
    assert equity(desk.account, desk.book) == 10_000_000 - fees
    desk.slide(125_000)
    assert equity(desk.account, desk.book) == 10_000_000 - fees + 2 * 200_000


def settle(desk, rate):
    desk.book.market.terms = Terms(funding_rate=Decimal(rate))
    changes = funding.settle(desk.book, at=START, settlement_id="funding-1")
    desk._accept(*changes)
