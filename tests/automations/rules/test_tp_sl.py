"""Closing on gain or loss, and moving levels once per crossing: decision tables."""

from datetime import timedelta
from decimal import Decimal

import pytest

from automations.rules.actions import CloseTrade, OrderCross, SetStopLoss, SetTakeProfit
from automations.rules.tp_sl import Crossings
from exchanges.types import Side
from tests.automations.rules.deciding import codes, decided, past
from tests.builders import NOW, cross, snapshot, trade

GAIN = {"type": "close_tp", "trigger": 50}
LOSS = {"type": "close_sl", "trigger": -50}
LONG, SHORT = trade(), trade(side="sell")
ON_CROSS = {"isolated": False, "cross": True}


def decide(seen, action, memory=None, **changes):
    return decided("tp_sl", seen, {"action": action, **changes}, memory)


def moves(kind, trigger, price):
    return {"type": kind, "trigger": trigger, "price": price}


@pytest.mark.parametrize(
    ("given", "action", "price", "closes"),
    [
        # 1,000,000 sats of margin for 10,000 USD at 100,000: half is 500,000
        (LONG, GAIN, 105_263, False),
        (LONG, GAIN, "105263.5", True),
        (LONG, GAIN, 90_000, False),
        (LONG, LOSS, "95238.5", False),
        (LONG, LOSS, 95_238, True),
        (LONG, LOSS, 110_000, False),
        (SHORT, GAIN, "95238.5", False),
        (SHORT, GAIN, "95238", True),
        (SHORT, GAIN, 110_000, False),
        (SHORT, LOSS, 105_263, False),
        (SHORT, LOSS, "105263.5", True),
        (SHORT, LOSS, 90_000, False),
    ],
)
def test_closing(given, action, price, closes):
    decision = decide(snapshot(given, price=price), action)
    assert decision.actions == ((CloseTrade("t1"),) if closes else ())
    assert decision.reason.code == ("trigger_reached" if closes else "within_trigger")
    assert f"the trigger {'of' if closes else 'is'} {action['trigger']:+} %" in decision.reason.text


@pytest.mark.parametrize(
    ("done", "cool_down", "code"),
    [
        ((), 15, "trigger_reached"),
        ((past(ago=14),), 15, "cooling_down"),
        ((past(ago=15),), 15, "trigger_reached"),
        ((past(ago=0),), 0, "trigger_reached"),
        ((past(ago=1, on="other"),), 15, "trigger_reached"),
    ],
)
def test_a_close_that_did_not_come_is_tried_again(done, cool_down, code):
    seen = snapshot(LONG, price=110_000, past=done)
    assert decide(seen, GAIN, cool_down=cool_down).reason.code == code


def test_an_ambiguous_action_does_not_forbid_the_close():
    seen = snapshot(LONG, price=110_000, unsettled=frozenset({"t1"}))
    assert decide(seen, GAIN).actions == (CloseTrade("t1"),)


@pytest.mark.parametrize(
    ("given", "action", "price", "does"),
    [
        (LONG, moves("update_sl", 50, 101_000), 106_000, SetStopLoss),
        (LONG, moves("update_sl", 50, 101_000), 105_000, None),
        (LONG, moves("update_sl", 0, 95_000), 100_000, SetStopLoss),
        (LONG, moves("update_sl", -20, 93_000), 95_000, SetStopLoss),
        (LONG, moves("update_sl", -20, 93_000), 99_000, None),
        (LONG, moves("update_tp", 50, 120_000), 106_000, SetTakeProfit),
        (LONG, moves("update_tp", -20, 99_000), 95_000, SetTakeProfit),
        (SHORT, moves("update_sl", 50, 99_000), 94_000, SetStopLoss),
        (SHORT, moves("update_sl", 50, 99_000), 96_000, None),
        (SHORT, moves("update_tp", 50, 80_000), 94_000, SetTakeProfit),
        (SHORT, moves("update_tp", -20, 101_000), 105_000, SetTakeProfit),
        (SHORT, moves("update_tp", -20, 101_000), 101_000, None),
    ],
)
def test_moving_a_level_at_a_signed_trigger(given, action, price, does):
    decision = decide(snapshot(given, price=price), action)
    wanted = (does("t1", Decimal(action["price"])),) if does else ()
    assert decision.actions == wanted


@pytest.mark.parametrize(
    ("changes", "action", "price", "code"),
    [
        ({}, moves("update_sl", 50, 106_000), 106_000, "wrong_side"),
        ({}, moves("update_sl", 50, 107_000), 106_000, "wrong_side"),
        ({}, moves("update_sl", 50, 90_909), 106_000, "stop_beyond_liquidation"),
        ({}, moves("update_tp", 50, 106_000), 106_000, "wrong_side"),
        ({}, moves("update_tp", 50, 105_000), 106_000, "wrong_side"),
        ({"side": "sell"}, moves("update_sl", 50, 94_000), 94_000, "wrong_side"),
        ({"side": "sell"}, moves("update_tp", 50, 95_000), 94_000, "wrong_side"),
        ({"stop_loss": Decimal(101_000)}, moves("update_sl", 50, 101_000), 106_000, "already_so"),
        ({"take_profit": Decimal(120_000)}, moves("update_tp", 50, 120_000), 106_000, "already_so"),
    ],
)
def test_what_keeps_it_from_moving_a_level(changes, action, price, code):
    decision = decide(snapshot(trade(**changes), price=price), action)
    assert (decision.actions, decision.reason.code) == ((), code)


SECURE = moves("update_sl", 50, 101_000)
BEFORE, LATER = NOW - timedelta(minutes=5), NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("price", "memory", "done", "code", "remembers"),
    [
        (106_000, {}, (), "trigger_reached", {"t1": NOW}),
        (106_000, {"t1": BEFORE}, (), "trigger_reached", {"t1": BEFORE}),
        (106_000, {"t1": BEFORE}, (past(ago=60),), "done_for_this_crossing", {"t1": BEFORE}),
        (106_000, {"t1": LATER}, (past(ago=300),), "trigger_reached", {"t1": LATER}),
        (100_000, {"t1": BEFORE}, (past(ago=60),), "within_trigger", {}),
        (106_000, {"gone": BEFORE}, (past(ago=60),), "trigger_reached", {"t1": NOW}),
    ],
    ids=["first", "never left", "done", "done before it came back", "back", "of what is gone"],
)
def test_it_acts_once_per_crossing(price, memory, done, code, remembers):
    decision = decide(snapshot(LONG, price=price, past=done), SECURE, Crossings(since=memory))
    assert decision.reason.code == code
    assert decision.memory == Crossings(since=remembers)


def test_crossings_one_after_another_each_act_once():
    memory, done, moved = Crossings(), [], []
    for minute, price in enumerate([100_000, 106_000, 107_000, 104_000, 106_000, 106_500, 99_000]):
        now = NOW + timedelta(minutes=minute)
        decision = decide(snapshot(LONG, price=price, now=now, past=tuple(done)), SECURE, memory)
        memory = decision.memory
        if decision.actions:
            moved.append(minute)
            done.append(past(ago=-60 * minute))
    assert moved == [1, 4]


@pytest.mark.parametrize(
    ("position", "action", "price", "closes"),
    [
        (cross(), GAIN, 110_000, Side.SELL),
        (cross(), GAIN, 101_000, None),
        (cross(-10_000), LOSS, 110_000, Side.BUY),
        (cross(0), LOSS, 110_000, None),
    ],
)
def test_the_cross_position(position, action, price, closes):
    decision = decide(snapshot(cross=position, price=price), action, scope=ON_CROSS)
    assert decision.actions == ((OrderCross(closes, 10_000, reduces=True),) if closes else ())


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"unsettled": frozenset({"cross"})}, "unsettled"),
        ({"under_way": frozenset({"cross"})}, "under_way"),
        ({"past": (past(ago=14, on="cross"),)}, "cooling_down"),
        ({"past": (past(ago=15, on="cross"),)}, "trigger_reached"),
    ],
)
def test_the_cross_position_is_not_closed_twice(given, code):
    seen = snapshot(cross=cross(), price=110_000, **given)
    assert decide(seen, GAIN, scope=ON_CROSS).reason.code == code


def test_each_position_is_judged_for_itself():
    seen = snapshot(trade(trade_id="a"), trade(trade_id="b", entry=90_000), price=101_000)
    decision = decide(seen, GAIN)
    assert decision.actions == (CloseTrade("b"),)
    assert codes(decision) == {"a": "within_trigger", "b": "trigger_reached"}
    assert decision.reason.code == "trigger_reached"


def test_nothing_open_is_said():
    assert decide(snapshot(), GAIN).reason.code == "no_positions"
