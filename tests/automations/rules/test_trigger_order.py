"""One order, once, when its conditions hold: decision tables."""

from decimal import Decimal

import pytest

from automations.rules.actions import OpenTrade, OrderCross, OrderSpot, SwapAsset
from automations.snapshots import Lifetime
from exchanges.types import Asset, OrderType, Side
from tests.automations.rules.deciding import decided
from tests.builders import NOW, cross, snapshot, trade

LONG = {"type": "isolated", "side": "long", "quantity": 1_000}
QUOTES = {"BTC/USD": (100_000, 99_900)}


def decide(seen, *conditions, when="all", order=LONG):
    config = {"conditions": list(conditions), "when": when, "order": order}
    return decided("trigger_order", seen, config)


def price(**bound):
    return {"type": "price", **bound}


def pnl(**bound):
    return {"type": "pnl", **bound}


def used(**bound):
    return {"type": "margin_used", **bound}


def funding(**bound):
    return {"type": "funding", **bound}


def at(moment):
    return {"type": "time", "at": moment}


@pytest.mark.parametrize(
    ("condition", "given", "holds"),
    [
        (price(at_or_above=100_000), {}, True),
        (price(at_or_above="100000.5"), {}, False),
        (price(at_or_below=100_000), {}, True),
        (price(at_or_below="99999.5"), {}, False),
        # a long of 10,000 USD at 100,000 with 1,000,000 sats
        (pnl(at_or_above=50), {"price": "105263.5"}, True),
        (pnl(at_or_above=50), {"price": 105_263}, False),
        (pnl(at_or_below=-50), {"price": 95_238}, True),
        (pnl(at_or_below=-50), {"price": "95238.5"}, False),
        (pnl(at_or_above=50, scope={"side": "short"}), {"price": 110_000}, False),
        (used(at_or_above="0.8"), {"price": "92592.5"}, True),
        (used(at_or_above="0.8"), {"price": 92_593}, False),
        (used(at_or_below="0.2"), {"price": "98039.5"}, True),
        (used(at_or_below="0.2"), {"price": 98_039}, False),
        (used(at_or_below=0), {"price": 100_000}, True),
        (funding(at_or_above="0.01"), {}, True),
        (funding(at_or_above="0.010001"), {}, False),
        (funding(at_or_below="0.01"), {}, True),
        (funding(at_or_below="-0.01"), {}, False),
        (at(NOW.isoformat()), {}, True),
        (at("2026-11-20T13:00:00+01:00"), {}, True),
        (at("2026-11-20T13:00:01+01:00"), {}, False),
    ],
    ids=str,
)
def test_each_condition(condition, given, holds):
    decision = decide(snapshot(trade(), **given), condition)
    assert decision.reason.code == ("conditions_met" if holds else "conditions_not_met")
    assert decision.waits != holds


@pytest.mark.parametrize("bound", [{"at_or_above": -99}, {"at_or_below": 99}])
def test_the_gain_of_nothing_is_none(bound):
    assert decide(snapshot(), pnl(**bound)).reason.code == "conditions_not_met"
    assert decide(snapshot(), used(at_or_below="0.5")).reason.code == "conditions_not_met"


def test_any_position_of_the_scope_is_enough():
    seen = snapshot(trade(), trade(trade_id="t2", entry=80_000), cross=cross(0))
    assert decide(seen, pnl(at_or_above=100)).actions
    assert not decide(seen, pnl(at_or_above=100, scope={"only": ["t1"], "cross": True})).actions


TRUE, FALSE = price(at_or_above=1), price(at_or_below=1)


@pytest.mark.parametrize(
    ("when", "conditions", "fires"),
    [
        ("all", (TRUE, TRUE), True),
        ("all", (TRUE, FALSE), False),
        ("any", (TRUE, FALSE), True),
        ("any", (FALSE, FALSE), False),
    ],
    ids=["both", "one of two", "any one", "none"],
)
def test_conditions_are_joined(when, conditions, fires):
    assert bool(decide(snapshot(), *conditions, when=when).actions) == fires


def test_what_it_waits_for_says_what_is_measured():
    conditions = price(at_or_below=90_000), pnl(at_or_above=50), funding(at_or_above="0.05")
    reason = decide(snapshot(trade(), price=101_000), *conditions).reason
    assert reason.text == (
        "Its conditions do not hold; wanted all of: price is 101,000, wanted <= 90,000; "
        "pnl is 9.9009, wanted >= 50; funding is 0.01, wanted >= 0.05."
    )


@pytest.mark.parametrize("count", [1, 2])
def test_it_fires_once(count):
    decision = decide(snapshot(lifetime=Lifetime(count)), TRUE)
    assert (decision.actions, decision.reason.code, decision.watch) == ((), "fired", ())


@pytest.mark.parametrize(
    ("order", "given", "action"),
    [
        (LONG, {}, OpenTrade(Side.BUY, OrderType.MARKET, 1_000, Decimal(10))),
        (
            {"type": "cross", "side": "long", "quantity": 500},
            {"cross": cross(0)},
            OrderCross(Side.BUY, 500, reduces=False),
        ),
        (
            {"type": "cross", "side": "short", "quantity": 500},
            {"cross": cross(500)},
            OrderCross(Side.SELL, 500, reduces=True),
        ),
        (
            {"type": "cross", "side": "short", "quantity": 501},
            {"cross": cross(500)},
            OrderCross(Side.SELL, 501, reduces=False),
        ),
        (
            {"type": "cross", "side": "short", "quantity": 500},
            {"cross": cross(-500)},
            OrderCross(Side.SELL, 500, reduces=False),
        ),
        (
            {"type": "buy", "market": {"type": "swap"}, "amount": "25.5"},
            {"usd": 100, "quotes": QUOTES},
            SwapAsset(Asset.USD, 2_550),
        ),
        (
            {"type": "buy", "market": {"type": "spot", "symbol": "BTC/USD"}, "amount": 25},
            {"spot": {"USD": 25}, "quotes": QUOTES},
            OrderSpot("BTC/USD", Side.BUY, Decimal("0.00025"), Decimal(25)),
        ),
    ],
    ids=["isolated", "cross", "all of cross", "past cross", "more of cross", "swap", "spot"],
)
def test_each_kind_of_order(order, given, action):
    assert decide(snapshot(**given), TRUE, order=order).actions == (action,)


@pytest.mark.parametrize(
    ("order", "given", "code"),
    [
        (LONG, {"balance": 102_100}, "balance_too_small"),
        (LONG, {"under_way": frozenset({"open"})}, "under_way"),
        (LONG, {"unsettled": frozenset({"open"})}, "unsettled"),
        (LONG, {"unsettled": frozenset({"cross", "swap"})}, "conditions_met"),
        ({**LONG, "stop_loss": 100_000}, {}, "wrong_side"),
        (
            {"type": "cross", "side": "long", "quantity": 1},
            {"unsettled": frozenset({"cross"}), "cross": cross(0)},
            "unsettled",
        ),
        (
            {"type": "buy", "market": {"type": "swap"}, "amount": 25},
            {"usd": "24.99", "quotes": QUOTES},
            "balance_too_small",
        ),
        (
            {"type": "buy", "market": {"type": "swap"}, "amount": 1},
            {"usd": 100, "quotes": QUOTES},
            "amount_too_small",
        ),
        (
            {"type": "buy", "market": {"type": "spot", "symbol": "BTC/USD"}, "amount": 25},
            {"spot": {"EUR": 100}, "quotes": QUOTES},
            "balance_too_small",
        ),
    ],
)
def test_what_keeps_the_order_back(order, given, code):
    decision = decide(snapshot(**given), at(NOW.isoformat()), order=order)
    assert decision.reason.code == code
    assert bool(decision.actions) == (code == "conditions_met")
