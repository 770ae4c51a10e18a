"""When a margin guard acts, and on what: decision tables."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.rules.actions import (
    AddMargin,
    CloseTrade,
)
from automations.snapshots import PastAction
from tests.automations.rules.deciding import codes, decided, past
from tests.builders import NOW, cross, price_with_margin_used, snapshot, trade

ADD = {"type": "add_margin", "amount": 50_000, "max_per_position": 200_000, "max_per_day": 300_000}
CLOSE = {"type": "close_position"}
HALF_TICK = Decimal("0.5")
PARTIAL = {"type": "partial"}
ON_CROSS = {"isolated": False, "cross": True}


def decide(seen, action=ADD, **changes):
    return decided("margin_guard", seen, {"threshold": "0.8", "action": action, **changes})


def used(share, of=None):
    return price_with_margin_used(of or trade(), Decimal(share))


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
    worse = -HALF_TICK if side == "buy" else HALF_TICK
    price = used(threshold, guarded) + steps * worse

    decision = decide(snapshot(guarded, price=price), CLOSE, threshold=threshold)

    assert decision.actions == ((CloseTrade("t1"),) if acts else ())
    assert decision.reason.code == ("threshold_reached" if acts else "within_threshold")
    assert decision.findings[0].acts_at == used(threshold, guarded)


@pytest.mark.parametrize(
    ("side", "leverage", "measure", "threshold", "acts_at"),
    [
        # liquidated at 66,666.5, 90,909, 98,039, 99,010; 200,000, 111,111, 102,041, 101,010
        ("buy", 2, "margin_used", "0.8", "71428.5"),
        ("buy", 10, "margin_used", "0.8", "92592.5"),
        ("buy", 50, "margin_used", "0.8", "98425"),
        ("buy", 100, "margin_used", "0.8", "99206"),
        ("sell", 2, "margin_used", "0.8", "166667"),
        ("sell", 10, "margin_used", "0.8", "108696"),
        ("sell", 50, "margin_used", "0.8", "101626.5"),
        ("sell", 100, "margin_used", "0.8", "100806.5"),
        ("buy", 2, "margin_ratio", "0.8", "66678"),
        ("buy", 10, "margin_ratio", "0.8", "90930.5"),
        ("buy", 50, "margin_ratio", "0.8", "98064"),
        ("buy", 100, "margin_ratio", "0.8", "99035.5"),
        ("sell", 2, "margin_ratio", "0.8", "199895.5"),
        ("sell", 10, "margin_ratio", "0.8", "111079"),
        ("sell", 50, "margin_ratio", "0.8", "102013.5"),
        ("sell", 100, "margin_ratio", "0.8", "100983.5"),
        ("buy", 2, "liquidation_distance", "0.005", "67001.5"),
        ("buy", 10, "liquidation_distance", "0.005", "91365.5"),
        ("buy", 50, "liquidation_distance", "0.005", "98531.5"),
        ("buy", 100, "liquidation_distance", "0.005", "99507.5"),
        ("sell", 2, "liquidation_distance", "0.005", "199005"),
        ("sell", 10, "liquidation_distance", "0.005", "110558.5"),
        ("sell", 50, "liquidation_distance", "0.005", "101533.5"),
        ("sell", 100, "liquidation_distance", "0.005", "100507.5"),
    ],
)
def test_where_each_measure_acts(side, leverage, measure, threshold, acts_at):
    guarded, at = trade(side=side, leverage=leverage), Decimal(acts_at)
    before = at + HALF_TICK if side == "buy" else at - HALF_TICK
    given = {"measure": measure, "threshold": threshold}

    assert decide(snapshot(guarded, price=before), CLOSE, **given).actions == ()
    assert decide(snapshot(guarded, price=at), CLOSE, **given).actions == (CloseTrade("t1"),)
    assert decide(snapshot(guarded), CLOSE, **given).findings[0].acts_at == at


def test_the_exchange_ratio_wakes_up_when_nearly_all_is_lost():
    (found,) = decide(snapshot(trade(), price=used("0.8"))).findings
    assert (found.margin_used, found.margin_ratio) == (Decimal("0.8000"), Decimal("0.0499"))


def test_a_gain_uses_no_margin():
    (found,) = decide(snapshot(trade(), price=120_000)).findings
    assert found.margin_used == 0


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
        (
            {"past": (past(150_001), past(-150_001, kind="cash_in"))},
            "cap_per_position",
            False,
        ),
    ],
)
def test_what_keeps_it_from_adding_margin(given, code, acts):
    decision = decide(snapshot(trade(), price=used("0.85"), **given))

    assert decision.reason.code == code
    assert decision.actions == ((AddMargin("t1", 50_000),) if acts else ())


def test_closing_needs_no_balance_and_no_cap():
    guarded = trade()
    seen = snapshot(guarded, price=guarded.liquidation_price, balance=0, past=(past(10**6),))
    assert decide(seen, CLOSE).actions == (CloseTrade("t1"),)


def test_an_ambiguous_addition_does_not_forbid_the_close():
    seen = snapshot(trade(), price=used("0.9"), unsettled=frozenset({"t1"}))
    assert decide(seen, CLOSE).actions == (CloseTrade("t1"),)


def test_a_cross_position_without_a_liquidation_price_is_never_near_it():
    seen = snapshot(cross=cross(-10_000, liquidation=None), price=92_000)
    given = {"measure": "liquidation_distance", "threshold": "0.1", "scope": ON_CROSS}
    decision = decide(seen, CLOSE, **given)
    assert (decision.actions, decision.watch) == ((), ())
    assert decision.findings[0].acts_at is None


def test_what_was_not_read_is_not_empty():
    with pytest.raises(LookupError, match="cross-margin position"):
        decide(snapshot(), scope=ON_CROSS)


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ({}, ["long", "short"]),
        ({"side": "long"}, ["long"]),
        ({"side": "short"}, ["short"]),
        ({"only": ["short"]}, ["short"]),
        ({"exclude": ["short"]}, ["long"]),
        ({"side": "long", "exclude": ["long"]}, []),
        ({"cross": True}, ["cross", "long", "short"]),
        ({"cross": True, "only": ["short"]}, ["cross", "short"]),
        ({"cross": True, "side": "short"}, ["short"]),
        ({"cross": True, "isolated": False}, ["cross"]),
    ],
    ids=str,
)
def test_scope(scope, closed):
    long, short = (
        trade(trade_id="long", entry=120_000),
        trade(trade_id="short", side="sell", entry=80_000),
    )
    seen = snapshot(long, short, cross=cross(entry=120_000))
    decision = decide(seen, CLOSE, scope=scope)
    assert sorted(getattr(each, "trade_id", "cross") for each in decision.actions) == closed
    assert decision.reason.code == ("threshold_reached" if closed else "no_positions")


def test_the_position_nearest_to_liquidation_gets_the_last_sats():
    worse, better = trade(trade_id="worse", entry=109_500), trade(trade_id="better", entry=109_000)
    decision = decide(snapshot(better, worse, balance=60_000))
    assert decision.actions == (AddMargin("worse", 50_000),)
    assert codes(decision) == {"worse": "threshold_reached", "better": "balance_too_small"}


def test_one_decision_keeps_the_daily_cap_over_several_positions():
    trades = [trade(trade_id=str(n), entry=109_500) for n in range(8)]
    decision = decide(snapshot(*trades))
    assert sum(action.amount for action in decision.actions) == 300_000


def test_nothing_open_is_said():
    assert decide(snapshot()).reason.code == "no_positions"


def test_the_reason_is_of_what_acts_and_each_hindrance_has_its_own():
    capped, free = trade(trade_id="capped", entry=109_500), trade(trade_id="free", entry=109_000)
    decision = decide(snapshot(capped, free, past=(past(200_000, on="capped"),)))
    assert decision.actions == (AddMargin("free", 50_000),)
    assert decision.reason.code == "threshold_reached"
    assert [reason.code for reason in decision.hindrances.values()] == ["cap_per_position"]


def test_the_verdict_changes_with_any_position():
    one, two = trade(trade_id="one"), trade(trade_id="two", entry=109_500)
    well, worse = snapshot(one), snapshot(one, two)
    assert decide(well).verdict == decide(well).verdict
    assert decide(well).verdict != decide(worse).verdict


@given(
    amount=st.integers(1, 100_000),
    per_position=st.integers(1, 300_000),
    per_day=st.integers(1, 500_000),
    fallback=st.sampled_from([None, PARTIAL]),
    moments=st.lists(
        st.tuples(st.integers(1, 50_000), st.sampled_from(["0.5", "0.85", "0.99"])), max_size=40
    ),
)
def test_no_sequence_of_looks_exceeds_its_own_caps(
    amount, per_position, per_day, fallback, moments
):
    action = {
        **ADD,
        "amount": min(amount, per_position, per_day),
        "max_per_position": per_position,
        "max_per_day": per_day,
        "fallback": fallback,
        "take_back": {"below": "0.6"},
    }
    added = {"t1": 0, "t2": 0}
    done: list[PastAction] = []
    now = NOW
    for seconds, share in moments:
        now += timedelta(seconds=seconds)
        trades = [trade(trade_id=name, margin=1_000_000 + sats) for name, sats in added.items()]
        seen = snapshot(*trades, now=now, price=used(share, trades[0]), past=tuple(done))
        for each in decide(seen, action).actions:
            sats = each.amount if isinstance(each, AddMargin) else -each.amount
            added[each.trade_id] += sats
            done.append(PastAction(each.trade_id, sats, now, each.kind))

        spent = [each for each in done if each.sats > 0]
        day = [each.sats for each in spent if each.at > now - timedelta(days=1)]
        assert sum(day) <= per_day
        for name in added:
            assert sum(each.sats for each in spent if each.trade_id == name) <= per_position
            assert added[name] >= 0
