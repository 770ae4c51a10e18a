"""What a margin guard does for a position, and what keeps it from that: decision tables."""

from dataclasses import replace
from decimal import Decimal

import pytest

from automations.rules.actions import (
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OrderCross,
    ReopenTrade,
)
from exchanges.types import Side
from tests.automations.rules.deciding import decided, past
from tests.builders import cross, price_with_margin_used, snapshot, trade

ADD = {"type": "add_margin", "amount": 50_000, "max_per_position": 200_000, "max_per_day": 300_000}
CLOSE = {"type": "close_position"}
TARGET = {**{key: ADD[key] for key in ADD if key != "amount"}, "target": "0.4"}
HALVE = {"type": "reduce_position", "percent": 50}
ON_CROSS = {"isolated": False, "cross": True}


def decide(seen, action=ADD, **changes):
    return decided("margin_guard", seen, {"threshold": "0.8", "action": action, **changes})


def used(share, of=None):
    return price_with_margin_used(of or trade(), Decimal(share))


PARTIAL = {"type": "partial"}
HALF = (
    CloseTrade("t1"),
    ReopenTrade("t1", Side.BUY, 5_000, Decimal("10.00"), Decimal("92621.5")),
)


@pytest.mark.parametrize(
    ("fallback", "given", "actions"),
    [
        (None, {"balance": 49_999}, ()),
        (PARTIAL, {"balance": 49_999}, (AddMargin("t1", 49_999),)),
        (PARTIAL, {"balance": 0}, ()),
        (PARTIAL, {"past": (past(170_000),)}, (AddMargin("t1", 30_000),)),
        (PARTIAL, {"past": (past(280_000, on="other"),)}, (AddMargin("t1", 20_000),)),
        (PARTIAL, {"past": (past(200_000),)}, ()),
        (PARTIAL, {"past": (past(170_000),), "balance": 10}, (AddMargin("t1", 10),)),
        (CLOSE, {"balance": 49_999}, (CloseTrade("t1"),)),
        (CLOSE, {"past": (past(150_001),)}, (CloseTrade("t1"),)),
        (CLOSE, {"balance": 0, "unsettled": frozenset({"t1"})}, ()),
        (HALVE, {"past": (past(150_001),)}, HALF),
        (HALVE, {"balance": 0}, ()),
    ],
)
def test_what_it_does_when_it_cannot_add(fallback, given, actions):
    seen = snapshot(trade(), price="92160.5", **given)

    decision = decide(seen, {**ADD, "fallback": fallback})

    assert decision.actions == actions
    if actions:
        assert "50,000 are needed" in decision.reason.text


@pytest.mark.parametrize(
    ("price", "adds"),
    [
        ("92592.5", 1_000_028),  # 800,011 are lost: 40 % of 2,000,028
        ("91743", 1_250_038),
    ],
)
def test_it_adds_what_brings_the_use_down_to_the_target(price, adds):
    caps = {"max_per_position": 2_000_000, "max_per_day": 2_000_000}
    decision = decide(snapshot(trade(), price=price, balance=2_000_000), {**TARGET, **caps})
    assert decision.actions == (AddMargin("t1", adds),)


def test_the_leverage_never_goes_below_one():
    guarded = trade(leverage=1)
    assert decide(snapshot(guarded, price=used("0.8", guarded))).reason.code == "leverage_minimum"


LEVELS = {"stop_loss": Decimal(91_000), "take_profit": Decimal(110_000)}
PASSED = {"stop_loss": Decimal("92160.5"), "take_profit": Decimal(92_000)}


@pytest.mark.parametrize(
    ("changes", "percent", "quantity", "leverage", "levels"),
    [
        ({}, 50, 5_000, "10.00", {}),
        ({}, 25, 7_500, "10.00", {}),
        ({"quantity": 3, "margin": 300}, 50, 1, "10.00", {}),
        ({"leverage": Decimal("7.1299")}, 50, 5_000, "7.12", {}),
        ({"leverage": Decimal("0.98")}, 99, 100, "1.00", {}),
        (LEVELS, 50, 5_000, "10.00", LEVELS),
        (PASSED, 50, 5_000, "10.00", {}),
    ],
    ids=["half", "a quarter", "rounded up", "leverage", "least leverage", "levels", "passed ones"],
)
def test_an_isolated_trade_is_closed_and_the_rest_opened_again(
    changes, percent, quantity, leverage, levels
):
    seen = snapshot(replace(trade(), **changes), price="92160.5")
    worst = Decimal("92621.5")  # half a percent above the price

    actions = decide(seen, {**HALVE, "percent": percent}).actions

    reopened = ReopenTrade("t1", Side.BUY, quantity, Decimal(leverage), worst, **levels)
    assert actions == (CloseTrade("t1"), reopened)


def test_a_short_is_opened_again_at_a_worst_price_below():
    guarded = trade(side="sell")
    seen = snapshot(guarded, price=used("0.85", guarded))
    _, reopen = decide(seen, HALVE).actions
    assert (reopen.side, reopen.quantity) == (Side.SELL, 5_000)
    assert seen.price * Decimal("0.994") < reopen.worst_price < seen.price


@pytest.mark.parametrize(
    ("percent", "given", "code"),
    [
        (1, {"balance": 0}, "balance_too_small"),
        (99, {"balance": 0}, "threshold_reached"),
        (50, {"unsettled": frozenset({"t1"})}, "unsettled"),
        (50, {"under_way": frozenset({"t1"})}, "under_way"),
        (50, {"past": (past(0, ago=59, kind="reopen_position"),)}, "cooling_down"),
    ],
)
def test_what_keeps_it_from_reducing(percent, given, code):
    decision = decide(snapshot(trade(), price=used("0.85"), **given), {**HALVE, "percent": percent})
    assert decision.reason.code == code
    assert bool(decision.actions) == (code == "threshold_reached")


def test_the_last_dollar_is_not_reduced_but_closed():
    guarded = trade(quantity=1)
    assert decide(snapshot(guarded, price=used("0.9", guarded)), HALVE).actions == (
        CloseTrade("t1"),
    )


@pytest.mark.parametrize(
    ("action", "position", "actions"),
    [
        (CLOSE, cross(), (OrderCross(Side.SELL, 10_000, reduces=True),)),
        (CLOSE, cross(-10_000, entry=85_500), (OrderCross(Side.BUY, 10_000, reduces=True),)),
        (HALVE, cross(10_001), (OrderCross(Side.SELL, 5_001, reduces=True),)),
        (HALVE, cross(1, margin=10_501), (OrderCross(Side.SELL, 1, reduces=True),)),
        (ADD, cross(), (DepositCross(50_000),)),
        (ADD, cross(0), ()),
        (ADD, cross(margin=2_000_000), ()),
    ],
    ids=["close a long", "close a short", "reduce", "the last", "add", "flat", "enough margin"],
)
def test_the_cross_position(action, position, actions):
    seen = snapshot(trade(), cross=position, price=92_000)
    assert decide(seen, action, scope=ON_CROSS).actions == actions


@pytest.mark.parametrize("action", [CLOSE, HALVE, ADD], ids=lambda action: action["type"])
@pytest.mark.parametrize("what", ["unsettled", "under_way"])
def test_nothing_is_sent_twice_to_the_cross_position(action, what):
    seen = snapshot(cross=cross(), price=92_000, **{what: frozenset({"cross"})})
    decision = decide(seen, action, scope=ON_CROSS)
    assert (decision.actions, decision.reason.code) == ((), what)


BACK = {**ADD, "take_back": {"below": "0.2"}}


@pytest.mark.parametrize(
    ("price", "given", "taken"),
    [
        # of 1,100,000 sats 100,000 are added; 20 % of the rest are 200,000: lost at 98,039
        (100_000, {}, 100_000),
        ("98039.5", {}, 100_000),
        ("98039", {}, None),
        (105_000, {}, 100_000),
        (100_000, {"past": ()}, None),
        (100_000, {"past": (past(100_000, ago=59),)}, None),
        (100_000, {"past": (past(100_000), past(-40_000, kind="cash_in"))}, 60_000),
        (100_000, {"past": (past(100_000), past(0, kind="reopen_position"))}, None),
        (100_000, {"unsettled": frozenset({"t1"})}, None),
        (100_000, {"under_way": frozenset({"t1"})}, None),
    ],
)
def test_taking_back(price, given, taken):
    given = {"past": (past(100_000),), **given}
    decision = decide(snapshot(trade(margin=1_100_000), price=price, **given), BACK)
    assert decision.actions == ((CashIn("t1", taken),) if taken else ())
    assert decision.reason.code == ("recovered" if taken else "within_threshold")


def test_no_more_is_taken_back_than_the_leverage_allows():
    seen = snapshot(trade(margin=150_000), past=(past(100_000),))
    assert decide(seen, BACK).actions == (CashIn("t1", 50_000),)
