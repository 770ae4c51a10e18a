"""Bringing weights back: decision tables."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as given_values
from hypothesis import strategies as st

from automations.rules.actions import OrderSpot, SwapAsset
from automations.rules.calendars import Dates
from automations.snapshots import Lifetime
from exchanges.types import Asset, Side
from tests.automations.rules.deciding import decided
from tests.builders import snapshot

DUE = datetime(2026, 11, 20, 9, tzinfo=UTC)
BEGUN = Dates(begun_at=DUE - timedelta(days=30))
HALF = {"weights": {"BTC": 50, "USD": 50}}
DAILY = {"calendar": {"line": "0 9 * * *"}}
THREE = {"type": "spot", "quote": "EUR", "weights": {"BTC": 50, "ETH": 30, "EUR": 20}}
QUOTES = {"BTC/USD": (100_000, 100_000), "BTC/EUR": (100_000, 100_000), "ETH/EUR": (4_000, 4_000)}
BTC = 100_000_000


def decide(config=HALF, *, memory=BEGUN, **given):
    given = {"now": DUE - timedelta(minutes=1), "quotes": QUOTES, **given}
    return decided("rebalancing", snapshot(**given), config, memory)


@pytest.mark.parametrize(
    ("sats", "usd", "config", "action"),
    [
        (BTC, 100_000, {}, None),
        (BTC, 82_000, {}, None),
        (BTC, 81_000, {}, SwapAsset(Asset.BTC, 9_500_000)),
        (BTC, 0, {}, SwapAsset(Asset.BTC, 50_000_000)),
        (0, 100_000, {}, SwapAsset(Asset.USD, 5_000_000)),
        (BTC, 120_000, {"drift": 4}, SwapAsset(Asset.USD, 1_000_000)),
        (BTC, 120_000, {"drift": 5}, None),
        (10_000, 0, {"min_trade": 5}, SwapAsset(Asset.BTC, 5_000)),
        (10_000, 0, {"min_trade": 6}, None),
        (1_999, 0, {"min_trade": "0.5"}, None),
        (1, 0, {}, None),
    ],
)
def test_swapping_between_bitcoin_and_dollars(sats, usd, config, action):
    assert decide({**HALF, **config}, balance=sats, usd=usd).actions == (
        (action,) if action else ()
    )


def sell(asset, amount, cost):
    return OrderSpot(f"{asset}/EUR", Side.SELL, Decimal(amount), Decimal(cost))


def buy(asset, amount, cost):
    return OrderSpot(f"{asset}/EUR", Side.BUY, Decimal(amount), Decimal(cost))


@pytest.mark.parametrize(
    ("held", "config", "orders"),
    [
        ({"BTC": "0.5", "ETH": "7.5", "EUR": 20_000}, {}, ()),
        ({"BTC": 1}, {}, (sell("BTC", "0.5", 50_000), buy("ETH", "7.4625", 29_850))),
        ({"EUR": 100_000}, {}, (buy("BTC", "0.4975", 49_750), buy("ETH", "7.4625", 29_850))),
        ({"ETH": 25}, {}, (sell("ETH", "17.5", 70_000), buy("BTC", "0.4975", 49_750))),
        (
            {"BTC": 1, "ETH": 25, "EUR": 1_000},
            {"weights": {"BTC": 25, "ETH": 75}},
            (sell("BTC", "0.5", 50_000), buy("ETH", "12.4375", 49_750)),
        ),
        ({"BTC": "0.5", "ETH": "7.5", "EUR": 20_000}, {"min_trade": 50_000}, ()),
        ({"BTC": 1}, {"min_trade": 40_000}, (sell("BTC", "0.5", 50_000),)),
        ({"EUR": "9.99"}, {}, ()),
    ],
    ids=[
        "at its weights",
        "one asset",
        "money only",
        "the other asset",
        "money without a weight is left alone",
        "none is large enough",
        "one is not large enough",
        "nearly nothing",
    ],
)
def test_sales_come_before_purchases_on_a_spot_market(held, config, orders):
    assert decide({**THREE, **config}, spot=held).actions == orders


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"usd": 100_000}, "within_threshold"),
        ({"usd": 0}, "drift_reached"),
        ({"usd": 0, "balance": 0}, "nothing_held"),
        ({"usd": 0, "under_way": frozenset({"swap"})}, "under_way"),
        ({"usd": 0, "unsettled": frozenset({"swap"})}, "unsettled"),
        ({"usd": 0, "unsettled": frozenset({"spot:BTC/USD"})}, "drift_reached"),
        ({"usd": 99_000, "config": {**HALF, **DAILY}, "now": DUE}, "date_due"),
        ({"usd": 100_000, "config": {**HALF, **DAILY}, "now": DUE}, "too_small"),
        (
            {"usd": 99_000, "config": {**HALF, **DAILY}, "memory": Dates(), "now": DUE},
            "within_threshold",
        ),
    ],
)
def test_when_it_trades(given, code):
    decision = decide(**{"balance": BTC, **given})
    assert decision.reason.code == code
    assert bool(decision.actions) == (code in ("drift_reached", "date_due"))


def test_a_date_is_done_once():
    config, given = {**HALF, **DAILY}, {"balance": BTC, "usd": 99_000, "now": DUE}
    traded = decide(config, **given)
    again = decide(config, **given, memory=traded.memory, lifetime=Lifetime(1))
    assert (traded.reason.code, again.reason.code) == ("date_due", "within_threshold")
    assert decide(config, **given, memory=traded.memory).reason.code == "date_due"


def test_a_date_with_nothing_to_trade_is_said_once():
    config, given = {**HALF, **DAILY}, {"balance": BTC, "usd": 100_000, "now": DUE}
    first = decide(config, **given)
    assert decide(config, **given, memory=first.memory).reason.code == "within_threshold"


def test_a_date_that_nobody_confirmed_is_asked_for_again():
    config = {**HALF, **DAILY, "require_confirmation": True}
    given = {"balance": BTC, "usd": 99_000, "now": DUE}
    first = decide(config, **given)
    again = decide(config, **given, memory=first.memory)
    assert (first.asks, again.asks) == (True, True)
    assert again.actions == first.actions


@pytest.mark.parametrize("asks", [True, False])
def test_it_asks_only_when_told_to(asks):
    decision = decide({**HALF, "require_confirmation": asks}, balance=BTC, usd=0)
    assert (bool(decision.actions), decision.asks) == (True, asks)


def test_resting_says_the_widest_drift_and_the_next_date():
    memory = BEGUN.done(DUE - timedelta(days=1))
    reason = decide({**HALF, **DAILY}, memory=memory, balance=BTC, usd=99_000).reason
    assert reason.text == (
        "USD is -0.25 points off its weight, the threshold is 5. "
        "The next date is 2026-11-20 09:00 UTC."
    )


@pytest.mark.parametrize(("config", "what"), [(HALF, "dollars"), (THREE, "spot balances")])
def test_what_was_not_read_is_not_empty(config, what):
    with pytest.raises(LookupError, match=what):
        decide(config)


@given_values(
    btc=st.decimals(0, 10, places=4),
    eth=st.decimals(0, 100, places=4),
    eur=st.decimals(0, 100_000, places=2),
    weights=st.sampled_from(
        [
            {"BTC": 100, "ETH": 0},
            {"BTC": "33.33", "ETH": "33.33", "EUR": "33.34"},
            {"ETH": 90, "EUR": 10},
        ]
    ),
)
def test_nothing_is_sold_or_spent_that_is_not_there(btc, eth, eur, weights):
    held = {"BTC": btc, "ETH": eth, "EUR": eur}
    left = dict(held)
    for order in decide({**THREE, "weights": weights, "min_trade": 1}, spot=held).actions:
        asset = order.symbol.partition("/")[0]
        sign = 1 if order.side is Side.BUY else -1
        left[asset] += sign * order.amount
        left["EUR"] -= sign * order.cost * (Decimal("1.002") if sign > 0 else Decimal("0.998"))
        assert min(left.values()) >= 0
    if "EUR" not in weights:
        assert left["EUR"] >= eur
