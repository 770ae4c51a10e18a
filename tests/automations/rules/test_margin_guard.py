"""The margin guard's decisions, as tables."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from automations.rules.actions import AddMargin, CloseTrade
from automations.rules.margin_guard import (
    MarginGuardConfig,
    acting_price,
    decide,
    margin_ratio,
    margin_used,
)
from automations.snapshots import PastAction
from tests.builders import NOW, price_with_margin_used, snapshot, trade

ADD = {"type": "add_margin", "amount": 50_000, "max_per_position": 200_000, "max_per_day": 300_000}
CLOSE = {"type": "close_position"}
HALF_TICK = Decimal("0.5")


def config(action=ADD, **changes):
    return MarginGuardConfig.model_validate({"threshold": "0.8", "action": action, **changes})


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("leverage", [2, 10, 50, 100])
@pytest.mark.parametrize("threshold", ["0.5", "0.8", "0.9"])
@pytest.mark.parametrize(
    ("steps", "acts"),
    [(-1, False), (0, True), (1, True)],
    ids=["just before", "at", "just beyond"],
)
def test_it_acts_from_the_threshold_on(side, leverage, threshold, steps, acts):
    guarded = trade(side=side, leverage=leverage)
    at = price_with_margin_used(guarded, Decimal(threshold))
    worse = -HALF_TICK if side == "buy" else HALF_TICK

    decision = decide(
        snapshot(guarded, price=at + steps * worse), config(CLOSE, threshold=threshold)
    )

    assert decision.actions == ((CloseTrade("t1"),) if acts else ())
    assert decision.reason.code == ("threshold_reached" if acts else "within_threshold")


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("leverage", [2, 10, 50, 100])
def test_margin_used_is_whole_at_liquidation_where_the_exchange_ratio_wakes_up(side, leverage):
    guarded = trade(side=side, leverage=leverage)

    assert margin_used(guarded, guarded.liquidation_price) == pytest.approx(
        Decimal(1), abs=Decimal("0.005")
    )
    at_80 = price_with_margin_used(guarded, Decimal("0.8"))
    assert margin_ratio(guarded, at_80) < Decimal("0.6")


def test_a_gain_uses_no_margin():
    assert margin_used(trade(), Decimal(120_000)) == 0


def past(sats, *, ago=3600, on="t1"):
    return PastAction(on, sats, NOW - timedelta(seconds=ago))


@pytest.mark.parametrize(
    ("given", "code", "acts"),
    [
        ({}, "threshold_reached", True),
        ({"balance": 50_000}, "threshold_reached", True),
        ({"balance": 49_999}, "balance_too_small", False),
        ({"balance": 0}, "balance_too_small", False),
        ({"unsettled": frozenset({"t1"})}, "unsettled", False),
        ({"unsettled": frozenset({"other"})}, "threshold_reached", True),
        ({"under_way": frozenset({"t1"})}, "under_way", False),
        ({"past": (past(50_000, ago=59),)}, "cooling_down", False),
        ({"past": (past(50_000, ago=60),)}, "threshold_reached", True),
        ({"past": (past(50_000, ago=10, on="other"),)}, "threshold_reached", True),
        ({"past": (past(150_000),)}, "threshold_reached", True),
        ({"past": (past(150_001),)}, "cap_per_position", False),
        ({"past": (past(250_000, on="other"),)}, "threshold_reached", True),
        ({"past": (past(250_001, on="other"),)}, "cap_per_day", False),
        ({"past": (past(250_001, on="other", ago=86_400),)}, "threshold_reached", True),
        ({"past": (past(200_000, ago=90_000),)}, "cap_per_position", False),
    ],
)
def test_what_keeps_it_from_adding_margin(given, code, acts):
    guarded = trade()
    price = price_with_margin_used(guarded, Decimal("0.85"))

    decision = decide(snapshot(guarded, price=price, **given), config())

    assert decision.reason.code == code
    assert decision.actions == ((AddMargin("t1", 50_000),) if acts else ())


def test_leverage_never_goes_below_one():
    guarded = trade(leverage=1, side="buy")
    price = price_with_margin_used(guarded, Decimal("0.8"))
    assert decide(snapshot(guarded, price=price), config()).reason.code == "leverage_minimum"


def test_closing_needs_no_balance_and_no_cap():
    guarded = trade()
    seen = snapshot(guarded, price=guarded.liquidation_price, balance=0, past=(past(10**6),))
    assert decide(seen, config(CLOSE)).actions == (CloseTrade("t1"),)


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ({}, ["long", "short"]),
        ({"side": "long"}, ["long"]),
        ({"side": "short"}, ["short"]),
        ({"only": ["short"]}, ["short"]),
        ({"exclude": ["short"]}, ["long"]),
        ({"side": "long", "exclude": ["long"]}, []),
    ],
    ids=str,
)
def test_scope(scope, closed):
    long, short = (
        trade(trade_id="long", entry=120_000),
        trade(trade_id="short", side="sell", entry=80_000),
    )
    decision = decide(snapshot(long, short), config(CLOSE, scope=scope))
    assert sorted(action.trade_id for action in decision.actions) == closed
    assert decision.reason.code == ("threshold_reached" if closed else "no_positions")


def test_the_position_nearest_to_liquidation_gets_the_last_sats():
    worse, better = trade(trade_id="worse", entry=109_500), trade(trade_id="better", entry=109_000)
    decision = decide(snapshot(better, worse, balance=60_000), config())
    assert decision.actions == (AddMargin("worse", 50_000),)
    assert [(f.trade_id, f.reason.code) for f in decision.findings] == [
        ("worse", "threshold_reached"),
        ("better", "balance_too_small"),
    ]


def test_one_decision_keeps_the_daily_cap_over_several_positions():
    trades = [trade(trade_id=str(n), entry=109_500) for n in range(8)]
    decision = decide(snapshot(*trades), config())
    assert sum(action.amount for action in decision.actions) == 300_000


def test_nothing_open_is_said():
    assert decide(snapshot(), config()).reason.code == "no_positions"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threshold": "0"}, "threshold"),
        ({"threshold": "1"}, "threshold"),
        ({"threshold": "NaN"}, "threshold"),
        ({"threshold": float("inf")}, "threshold"),
        ({"threshold": "0.12345"}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"cool_down": -1}, "cool_down"),
        ({"cool_down": 1.5}, "cool_down"),
        ({"cool_down": True}, "cool_down"),
        ({"surprise": 1}, "surprise"),
        ({"scope": {"side": "up"}}, "scope.side"),
        ({"scope": {"sides": "both"}}, "scope.sides"),
        ({"action": {"type": "reduce_position", "percent": 50}}, "action"),
        ({"action": {"type": "pray"}}, "action"),
        ({"action": {}}, "action"),
        ({"action": {**ADD, "amount": 0}}, "action.add_margin.amount"),
        ({"action": {**ADD, "amount": "50000"}}, "action.add_margin.amount"),
        ({"action": {**ADD, "amount": 10**12}}, "action.add_margin.amount"),
        ({"action": {**ADD, "max_per_position": 49_999}}, "action.add_margin.max_per_position"),
        ({"action": {**ADD, "max_per_day": 49_999}}, "action.add_margin.max_per_day"),
        ({"scope": {"only": []}}, "scope.only"),
        ({"scope": {"only": ["a"], "exclude": ["a"]}}, "scope.exclude"),
        ({"action": {**ADD, "max_per_day": 0}}, "action.add_margin.max_per_day"),
        ({"action": {"type": "add_margin", "amount": 5}}, "action.add_margin.max_per_position"),
        ({"action": {**CLOSE, "amount": 5}}, "action.close_position.amount"),
    ],
    ids=str,
)
def test_refused_configs(changes, field):
    with pytest.raises(ValidationError) as refusal:
        config(**changes)
    assert field in {".".join(map(str, error["loc"])) for error in refusal.value.errors()}


@given(
    side=st.sampled_from(["buy", "sell"]),
    leverage=st.integers(2, 100),
    quantity=st.integers(1_000, 500_000),
    threshold=st.decimals("0.05", "0.99", places=2),
    distance=st.integers(2, 1000),
)
def test_the_watched_level_is_where_the_decision_changes(
    side, leverage, quantity, threshold, distance
):
    guarded = trade(side=side, leverage=leverage, quantity=quantity)
    level = acting_price(guarded, threshold)
    worse = -HALF_TICK if side == "buy" else HALF_TICK
    rule = config(CLOSE, threshold=threshold)

    assert not decide(snapshot(guarded, price=level - distance * worse), rule).actions
    assert decide(snapshot(guarded, price=level + distance * worse), rule).actions


def test_the_reason_is_of_what_acts_and_each_hindrance_has_its_own():
    capped, free = trade(trade_id="capped", entry=109_500), trade(trade_id="free", entry=109_000)
    decision = decide(snapshot(capped, free, past=(past(200_000, on="capped"),)), config())
    assert decision.actions == (AddMargin("free", 50_000),)
    assert decision.reason.code == "threshold_reached"
    assert [reason.code for reason in decision.hindrances.values()] == ["cap_per_position"]


def test_the_verdict_changes_with_any_position():
    one, two = trade(trade_id="one"), trade(trade_id="two", entry=109_500)
    well, worse = snapshot(one), snapshot(one, two)
    assert decide(well, config()).verdict == decide(well, config()).verdict
    assert decide(well, config()).verdict != decide(worse, config()).verdict
