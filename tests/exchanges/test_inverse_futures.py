"""The exchange's arithmetic, against the values its specification gives."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import inverse_futures as futures
from exchanges.types import Side

BUY, SELL = Side.BUY, Side.SELL
HALF_USD = st.integers(2_000, 2_000_000).map(lambda ticks: ticks * futures.PRICE_TICK)


@pytest.mark.parametrize(
    ("side", "quantity", "price", "leverage", "liquidation"),
    [
        pytest.param(BUY, 1000, 110_000, 1, "55000", id="long 1x loses half the price"),
        pytest.param(BUY, 1000, 110_000, 100, "108911", id="long 100x"),
        pytest.param(SELL, 1000, 110_000, 100, "111111", id="short 100x"),
        pytest.param(BUY, 60, 60_000, 10, "54545.5", id="long 10x, on the tick"),
        pytest.param(SELL, 1000, 110_000, 1, "100000000", id="short 1x: never, the cap"),
        pytest.param(BUY, 1000, 100_000, 2, "66666.5", id="long 2x"),
        pytest.param(SELL, 1000, 100_000, 2, "200000", id="short 2x"),
        pytest.param(BUY, 1000, 100_000, 50, "98039", id="long 50x"),
        pytest.param(SELL, 1000, 100_000, 50, "102041", id="short 50x"),
    ],
)
def test_liquidation_price(side, quantity, price, leverage, liquidation):
    assert futures.liquidation_price(
        side=side, quantity=quantity, price=Decimal(price), leverage=Decimal(leverage)
    ) == Decimal(liquidation)


@pytest.mark.parametrize(
    ("side", "entry", "price", "pl"),
    [
        pytest.param(BUY, 100_000, 100_000, 0, id="long, unmoved"),
        pytest.param(BUY, 100_000, 125_000, 200_000, id="long gains when it rises"),
        pytest.param(SELL, 100_000, 125_000, -200_000, id="short loses when it rises"),
        pytest.param(BUY, 100_000, 80_000, -250_000, id="long loses more than it would gain"),
        pytest.param(SELL, 100_000, 80_000, 250_000, id="short gains when it falls"),
        pytest.param(BUY, 100_000, 100_000.5, 4, id="4.99 sats are 4"),
        pytest.param(BUY, 100_000, 99_999.5, -6, id="a loss of 5.00003 sats is 6"),
    ],
)
def test_profit_and_loss(side, entry, price, pl):
    assert (
        futures.profit_and_loss(
            side=side, quantity=1000, entry=Decimal(entry), price=Decimal(price)
        )
        == pl
    )


@pytest.mark.parametrize(
    ("given_", "price", "leverage", "expected"),
    [
        pytest.param({"quantity": 1000}, 100_000, 10, 100_000, id="margin, exact"),
        pytest.param({"quantity": 1}, 60_000, 7, 239, id="margin, 238.1 is rounded up"),
        pytest.param({"margin": 100_000}, 100_000, 10, 1000, id="quantity, exact"),
        pytest.param({"margin": 1999}, 100_000, 10, 19, id="quantity, 19.99 is rounded down"),
        pytest.param({"margin": 1000}, 60_000, "12.5", 7, id="quantity, fraction of leverage"),
        pytest.param({"margin": 99}, 100_000, 10, 0, id="quantity, nothing can be bought"),
    ],
)
def test_margin_and_quantity(given_, price, leverage, expected):
    rule = futures.required_margin if "quantity" in given_ else futures.affordable_quantity
    assert rule(**given_, price=Decimal(price), leverage=Decimal(leverage)) == expected


@pytest.mark.parametrize(
    ("volume", "tier", "fee"),
    [
        pytest.param(0, 0, 1000, id="nothing traded"),
        pytest.param(250_000, 0, 1000, id="at the first step"),
        pytest.param(250_001, 1, 800, id="beyond the first step"),
        pytest.param(1_000_000, 1, 800, id="at the second step"),
        pytest.param(1_000_001, 2, 700, id="beyond the second step"),
        pytest.param(5_000_001, 3, 600, id="beyond the last step"),
    ],
)
def test_fee_by_volume(volume, tier, fee):
    assert futures.fee_tier(volume) == tier
    rate = futures.FEE_RATES[tier]
    assert futures.trading_fee(quantity=1000, price=Decimal(100_000), rate=rate) == fee


@pytest.mark.parametrize(
    ("quantity", "entry", "liquidation", "reserve"),
    [
        pytest.param(100, 100_000, "90909", 100 + 110, id="documented example, long 10x"),
        pytest.param(1000, 100_000, "100000000", 1000 + 1, id="short 1x"),
        pytest.param(1, 60_000, "59406", 1 + 1, id="fractions of a sat are dropped"),
    ],
)
def test_fee_reserve(quantity, entry, liquidation, reserve):
    assert (
        futures.fee_reserve(
            quantity=quantity, entry=Decimal(entry), liquidation=Decimal(liquidation)
        )
        == reserve
    )


@given(
    side=st.sampled_from(Side),
    quantity=st.integers(1, 500_000),
    price=HALF_USD,
    move=st.decimals("1.001", "1.5", places=3),
    share=st.integers(1, 99),
)
def test_cashing_in_profit_leaves_the_rest_of_it(side, quantity, price, move, share):
    mark = price * move if side is BUY else price / move

    def profit_from(basis):
        return futures.profit_and_loss(side=side, quantity=quantity, entry=basis, price=mark)

    before = profit_from(price)
    taken = before * share // 100
    moved = futures.price_after_cash_in(side=side, quantity=quantity, price=price, profit=taken)
    assert abs(profit_from(moved) - (before - taken)) <= 1


@given(
    side=st.sampled_from(Side),
    quantity=st.integers(100, 500_000),
    price=HALF_USD,
    leverage=st.integers(2, 100),
)
def test_the_margin_is_gone_at_the_liquidation_price(side, quantity, price, leverage):
    terms = {"quantity": quantity, "price": price, "leverage": Decimal(leverage)}
    margin = futures.required_margin(**terms)
    liquidation = futures.liquidation_price(side=side, **terms)

    def pl_at(level):
        return futures.profit_and_loss(side=side, quantity=quantity, entry=price, price=level)

    further = -1 if side is BUY else 1
    assert pl_at(liquidation - further * futures.PRICE_TICK) >= -margin
    assert pl_at(liquidation + further * futures.PRICE_TICK) <= -margin + 1
