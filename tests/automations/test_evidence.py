"""What the exchange's lists prove about an action whose outcome is not known."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.evidence import Evidence, Others, Verdict, closed_as_asked, examine
from automations.rules.actions import (
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    OrderSpot,
    ReopenTrade,
    SetStopLoss,
    SetTakeProfit,
    SwapAsset,
)
from exchanges.types import Asset, OrderType, Side
from tests.builders import NOW, trade

SEEN = trade(sum_funding_fees=100, sum_cash_in_margin=10)
M = SEEN.margin


def seen_there(*found, others=None):
    asked_at = NOW + timedelta(seconds=60)
    return Evidence(asked_at, found, others or Others())


def add(found, *, added_since=0):
    evidence = seen_there(found, others=Others(added=added_since)) if found else seen_there()
    return examine(AddMargin("t1", 50_000), SEEN, evidence)


def after(**changes):
    return trade(**{"sum_funding_fees": 100, "sum_cash_in_margin": 10, **changes})


@pytest.mark.parametrize(
    ("found", "added_since", "verdict"),
    [
        (after(margin=M + 50_000), 0, Verdict.PRESENT),
        (after(margin=M), 0, Verdict.ABSENT),
        (after(margin=M + 49_999), 0, Verdict.AMBIGUOUS),
        (after(margin=M + 100_000), 0, Verdict.AMBIGUOUS),
        (after(margin=M - 1), 0, Verdict.AMBIGUOUS),
        (after(margin=M + 50_000 - 70, sum_funding_fees=170), 0, Verdict.PRESENT),
        (after(margin=M - 70, sum_funding_fees=170), 0, Verdict.ABSENT),
        (after(margin=M + 50_000, sum_funding_fees=30), 0, Verdict.PRESENT),
        (after(margin=M + 50_000 - 400, sum_cash_in_margin=410), 0, Verdict.PRESENT),
        (after(margin=M - 400, sum_cash_in_margin=410), 0, Verdict.ABSENT),
        (after(margin=M + 100_000), 50_000, Verdict.PRESENT),
        (after(margin=M + 50_000), 50_000, Verdict.ABSENT),
        (None, 0, Verdict.AMBIGUOUS),
    ],
    ids=[
        "there", "not there", "another amount", "twice", "less than before",
        "there, funding was paid", "not there, funding was paid", "there, funding was received",
        "there, margin was cashed in", "not there, margin was cashed in",
        "there, and a later one of ours", "only a later one of ours", "in no list",
    ],
)  # fmt: skip
def test_added_margin(found, added_since, verdict):
    assert add(found, added_since=added_since) is verdict


@given(
    done=st.booleans(),
    amount=st.integers(1, 10**9),
    funding=st.integers(0, 10**6),
    cashed_in=st.integers(0, 10**6),
    others=st.integers(0, 10**6),
)
def test_known_changes_never_hide_or_fake_an_addition(done, amount, funding, cashed_in, others):
    margin = M + (amount if done else 0) + others - funding - cashed_in
    found = after(margin=margin, sum_funding_fees=100 + funding, sum_cash_in_margin=10 + cashed_in)
    evidence = seen_there(found, others=Others(added=others))
    verdict = examine(AddMargin("t1", amount), SEEN, evidence)
    assert verdict is (Verdict.PRESENT if done else Verdict.ABSENT)


@pytest.mark.parametrize(("closed_at", "verdict"), [(None, Verdict.ABSENT), (NOW, Verdict.REACHED)])
def test_a_close_is_never_provably_ours(closed_at, verdict):
    found = after(closed_at=closed_at, exit_price=closed_at and Decimal(95_000))
    assert examine(CloseTrade("t1"), SEEN, seen_there(found)) is verdict


@pytest.mark.parametrize(
    ("changes", "is_as_asked"),
    [
        ({"closed_at": None, "exit_price": None}, False),
        ({}, True),
        ({"closed_at": NOW + timedelta(seconds=31)}, False),
        ({"closed_at": NOW - timedelta(seconds=31)}, False),
        ({"exit_price": SEEN.liquidation_price}, False),
        ({"stop_loss": Decimal(95_000)}, False),
        ({"stop_loss": Decimal(94_999)}, True),
        ({"take_profit": Decimal(95_000)}, False),
        ({"take_profit": Decimal(95_001)}, True),
        ({"exit_price": None}, False),
        ({"side": Side.SELL, "liquidation_price": Decimal(111_000)}, True),
    ],
    ids=[
        "runs", "when ours was sent", "later", "before", "liquidated", "at its stop loss",
        "above its stop loss", "at its take profit", "below its take profit", "nobody says how",
        "a short, below its liquidation",
    ],
)  # fmt: skip
def test_a_trade_that_ended_when_ours_was_sent(changes, is_as_asked):
    found = after(**{"closed_at": NOW, "exit_price": Decimal(95_000), **changes})
    assert closed_as_asked(found, NOW) is is_as_asked


@pytest.mark.parametrize(
    ("since", "others", "verdict"),
    [
        ({"sum_cash_in_pl": 3_000, "sum_cash_in_margin": 2_010}, 0, Verdict.PRESENT),
        ({}, 0, Verdict.ABSENT),
        ({"sum_cash_in_margin": 4_010}, 0, Verdict.AMBIGUOUS),
        ({"sum_cash_in_margin": 10_010}, 5_000, Verdict.PRESENT),
        ({"sum_cash_in_margin": 5_010}, 5_000, Verdict.ABSENT),
    ],
    ids=["there", "not there", "another amount", "there, and a later one", "only a later one"],
)
def test_cashed_in(since, others, verdict):
    evidence = seen_there(after(**since), others=Others(cashed_in=others))
    assert examine(CashIn("t1", 5_000), SEEN, evidence) is verdict


@pytest.mark.parametrize(("level", "verdict"), [(None, "absent"), (95_000, "reached")])
@pytest.mark.parametrize(
    ("action", "field"), [(SetStopLoss, "stop_loss"), (SetTakeProfit, "take_profit")]
)
def test_a_level_shows_in_the_trade(action, field, level, verdict):
    found = after(**{field: level and Decimal(level)})
    assert examine(action("t1", Decimal(95_000)), SEEN, seen_there(found)) == verdict


NEW = {
    "open": OpenTrade(Side.BUY, OrderType.MARKET, 100, Decimal(10)),
    "reopen": ReopenTrade("t1", Side.BUY, 100, Decimal(10), Decimal(99_000)),
    "cross": OrderCross(Side.BUY, 100, reduces=False),
    "spot": OrderSpot("BTC/USD", Side.BUY, Decimal(1), Decimal(100_000)),
}


@pytest.mark.parametrize("action", NEW.values(), ids=NEW)
@pytest.mark.parametrize(("found", "verdict"), [((), "absent"), ((SEEN,), "present")])
def test_a_new_order_is_found_by_its_client_id(action, found, verdict):
    assert examine(action, SEEN, seen_there(*found)) == verdict


@pytest.mark.parametrize("action", [SwapAsset(Asset.USD, 500), DepositCross(500)])
@pytest.mark.parametrize(
    ("found", "others", "verdict"),
    [
        (0, Others(), "absent"),
        (1, Others(), "reached"),
        (1, Others(alike=1), "absent"),
        (2, Others(alike=1), "reached"),
        (2, Others(), "ambiguous"),
        (1, Others(alike_before=True), "ambiguous"),
        (0, Others(alike_before=True), "absent"),
    ],
    ids=[
        "nothing", "one", "only a later one of ours", "one, and a later one of ours", "two",
        "one, perhaps an earlier one of ours", "nothing, though there was an earlier one",
    ],
)  # fmt: skip
def test_what_has_no_name_is_counted(action, found, others, verdict):
    assert examine(action, None, seen_there(*[SEEN] * found, others=others)) == verdict


@pytest.mark.parametrize(
    "action", [AddMargin("t1", 1), CashIn("t1", 1), CloseTrade("t1"), SetStopLoss("t1", Decimal(1))]
)
def test_a_trade_that_is_in_no_list_proves_nothing(action):
    assert examine(action, SEEN, seen_there()) is Verdict.AMBIGUOUS
