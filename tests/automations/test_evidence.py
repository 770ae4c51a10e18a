"""What the exchange's lists prove about an action whose outcome is not known."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.evidence import Evidence, Others, Verdict, examine
from automations.rules.actions import AddMargin, CloseTrade
from tests.builders import NOW, trade

SEEN = trade(sum_funding_fees=100, sum_cash_in_margin=10)
M = SEEN.margin


def add(found, *, added_since=0):
    evidence = Evidence(NOW + timedelta(seconds=60), (found,) if found else (), Others(added_since))
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
    evidence = Evidence(NOW, found, others)
    verdict = examine(AddMargin("t1", amount), SEEN, evidence)
    assert verdict is (Verdict.PRESENT if done else Verdict.ABSENT)


@pytest.mark.parametrize(("closed_at", "verdict"), [(None, Verdict.ABSENT), (NOW, Verdict.REACHED)])
def test_a_close_is_never_provably_ours(closed_at, verdict):
    found = after(closed_at=closed_at, exit_price=closed_at and Decimal(95_000))
    assert examine(CloseTrade("t1"), SEEN, Evidence(NOW, (found,))) is verdict
