"""Entering at a price or at once: decision tables."""

from datetime import timedelta
from decimal import Decimal

import pytest

from automations.rules.actions import OpenTrade
from automations.snapshots import Lifetime
from exchanges.types import OrderType, Side
from tests.automations.rules.deciding import decided
from tests.builders import NOW, snapshot, trade

LONG = {"side": "long", "quantity": 1_000}
SHORT = {"side": "short", "quantity": 1_000}
OPEN = frozenset({"open"})


def decide(seen, config=LONG, **changes):
    return decided("auto_entry", seen, {**config, **changes})


def entered(count, *, ago=86_400):
    return Lifetime(count, last_at=NOW - timedelta(seconds=ago))


@pytest.mark.parametrize(
    ("config", "trigger", "price", "enters"),
    [
        (LONG, None, 100_000, True),
        (LONG, 95_000, "95000.5", False),
        (LONG, 95_000, 95_000, True),
        (LONG, 95_000, 90_000, True),
        (SHORT, None, 100_000, True),
        (SHORT, 105_000, "104999.5", False),
        (SHORT, 105_000, 105_000, True),
        (SHORT, 105_000, 110_000, True),
    ],
)
def test_a_long_fires_at_or_below_its_trigger_a_short_at_or_above(config, trigger, price, enters):
    decision = decide(snapshot(price=price), config, trigger_price=trigger)
    assert bool(decision.actions) == enters
    assert decision.reason.code == ("trigger_reached" if enters else "price_not_triggered")
    assert decision.waits != enters


def test_what_it_waits_for_names_both_prices():
    decision = decide(snapshot(price="95000.5"), trigger_price=95_000)
    text = "The price is 95,000.5; it enters at or below 95,000."
    assert (decision.reason.text, decision.waits) == (text, True)


def test_the_order_has_ten_times_leverage_unless_told_otherwise():
    (action,) = decide(snapshot()).actions
    assert action == OpenTrade(Side.BUY, OrderType.MARKET, 1_000, Decimal(10))


def test_the_order_carries_its_levels():
    given = {"leverage": 5, "stop_loss": 110_000, "take_profit": 90_000}
    (action,) = decide(snapshot(), SHORT, **given).actions
    assert action == OpenTrade(
        Side.SELL,
        OrderType.MARKET,
        1_000,
        Decimal(5),
        stop_loss=Decimal(110_000),
        take_profit=Decimal(90_000),
    )


@pytest.mark.parametrize(
    ("config", "given", "code"),
    [
        ({}, {"lifetime": entered(1)}, "entries_done"),
        ({"times": 2}, {"lifetime": entered(1)}, "trigger_reached"),
        ({"times": 2}, {"lifetime": entered(2)}, "entries_done"),
        ({"times": 2}, {"lifetime": entered(1, ago=3_599)}, "cooling_down"),
        ({"times": 2}, {"lifetime": entered(1, ago=3_600)}, "trigger_reached"),
        ({"times": 2, "cool_down": 0}, {"lifetime": entered(1, ago=0)}, "trigger_reached"),
        ({}, {"under_way": OPEN}, "under_way"),
        ({}, {"unsettled": OPEN}, "unsettled"),
        ({}, {"unsettled": frozenset({"t1", "cross", "swap"})}, "trigger_reached"),
        # 1,000 USD at 100,000 and 10x: 100,000 of margin, 1,000 and 1,100 for fees, one to round
        ({}, {"balance": 102_101}, "trigger_reached"),
        ({}, {"balance": 102_100}, "balance_too_small"),
        ({}, {"balance": 0}, "balance_too_small"),
        ({"leverage": 1}, {"balance": 1_003_001}, "trigger_reached"),
        ({"leverage": 1}, {"balance": 1_003_000}, "balance_too_small"),
    ],
)
def test_what_keeps_it_from_entering(config, given, code):
    decision = decide(snapshot(**{"balance": 2_000_000, **given}), **config)
    assert decision.reason.code == code
    assert bool(decision.actions) == (code == "trigger_reached")


@pytest.mark.parametrize(("flat", "code"), [(True, "not_flat"), (False, "trigger_reached")])
def test_it_may_wait_until_no_trade_runs(flat, code):
    assert decide(snapshot(trade()), only_when_flat=flat).reason.code == code
    assert decide(snapshot(), only_when_flat=flat).reason.code == "trigger_reached"


@pytest.mark.parametrize(
    ("config", "levels", "code"),
    [
        (LONG, {"stop_loss": "99999.5", "take_profit": "100000.5"}, "trigger_reached"),
        (LONG, {"stop_loss": 100_000}, "wrong_side"),
        (LONG, {"take_profit": 100_000}, "wrong_side"),
        (LONG, {"stop_loss": 91_000}, "trigger_reached"),
        (LONG, {"stop_loss": 90_909}, "stop_beyond_liquidation"),
        (SHORT, {"stop_loss": "100000.5", "take_profit": "99999.5"}, "trigger_reached"),
        (SHORT, {"stop_loss": 100_000}, "wrong_side"),
        (SHORT, {"take_profit": 100_000}, "wrong_side"),
        (SHORT, {"stop_loss": 111_111}, "trigger_reached"),
        (SHORT, {"stop_loss": "111111.5"}, "stop_beyond_liquidation"),
        ({**SHORT, "leverage": 1}, {"stop_loss": 1_000_000}, "trigger_reached"),
    ],
)
def test_levels_must_fit_the_price(config, levels, code):
    assert decide(snapshot(balance=2_000_000), config, **levels).reason.code == code
