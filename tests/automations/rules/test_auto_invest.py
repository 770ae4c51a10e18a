"""Buying on the dates of a calendar: decision tables, and a year of it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from automations.rules.actions import OrderSpot, SwapAsset
from automations.rules.calendars import Dates
from automations.snapshots import Lifetime
from exchanges.types import Asset, Side
from tests.automations.rules.deciding import decided
from tests.builders import NOW, snapshot

DAILY = {"line": "0 9 * * *", "zone": "Europe/Berlin"}  # 08:00 UTC in winter
DUE = datetime(2026, 11, 20, 8, tzinfo=UTC)
BEGUN = Dates(begun_at=DUE - timedelta(days=30))
SWAP = {"market": {"type": "swap"}, "calendar": DAILY, "amount": 25, "max_total_amount": 100}
SPOT = {**SWAP, "market": {"type": "spot", "symbol": "ETH/EUR"}}
QUOTES = {"BTC/USD": (100_000, 99_900), "ETH/EUR": (4_000, 3_990)}


def decide(config=SWAP, *, memory=BEGUN, **given):
    given = {"now": DUE, "usd": 1_000, "spot": {"EUR": 1_000}, "quotes": QUOTES, **given}
    return decided("auto_invest", snapshot(**given), config, memory)


def bought(count, spent=0):
    return Lifetime(count, Decimal(spent), NOW)


@pytest.mark.parametrize(
    ("config", "action"),
    [
        (SWAP, SwapAsset(Asset.USD, 2_500)),
        ({**SWAP, "amount": "25.55"}, SwapAsset(Asset.USD, 2_555)),
        (SPOT, OrderSpot("ETH/EUR", Side.BUY, Decimal("0.00625"), Decimal(25))),
    ],
)
def test_a_purchase(config, action):
    decision = decide(config)
    assert decision.actions == (action,)
    assert decision.reason.code == "date_due"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "date_due"),
        ({"now": DUE - timedelta(seconds=1), "memory": Dates(begun_at=NOW)}, "not_due"),
        ({"memory": Dates()}, "not_due"),
        ({"memory": BEGUN.tried(DUE, count=2), "lifetime": bought(2)}, "date_due"),
        ({"memory": BEGUN.tried(DUE, count=2), "lifetime": bought(3)}, "not_due"),
        ({"lifetime": bought(3, 75)}, "date_due"),
        ({"lifetime": bought(4, 100)}, "total_reached"),
        ({"lifetime": bought(4, "99.5")}, "total_reached"),
        ({"under_way": frozenset({"swap"})}, "under_way"),
        ({"unsettled": frozenset({"swap"})}, "unsettled"),
        ({"unsettled": frozenset({"open", "spot:BTC/USD"})}, "date_due"),
        ({"usd": 25}, "date_due"),
        ({"usd": "24.99"}, "balance_too_small"),
        ({"config": {**SWAP, "amount": 1}}, "amount_too_small"),
        ({"config": SPOT, "spot": {"EUR": "24.99"}}, "balance_too_small"),
        ({"config": SPOT, "spot": {}}, "balance_too_small"),
        ({"config": {**SPOT, "amount": "9.99"}}, "amount_too_small"),
        ({"config": SPOT, "unsettled": frozenset({"spot:ETH/EUR"})}, "unsettled"),
    ],
)
def test_when_it_buys(given, code):
    decision = decide(**given)
    assert decision.reason.code == code
    assert bool(decision.actions) == (code == "date_due")


def test_the_last_purchase_is_as_small_as_what_is_left():
    assert decide(lifetime=bought(3, 90)).actions == (SwapAsset(Asset.USD, 1_000),)


def test_what_it_waits_for_says_the_next_date_and_what_was_bought():
    memory = BEGUN.tried(DUE, count=2)
    decision = decide(lifetime=bought(3, 75), memory=memory)
    text = "The next date is 2026-11-21 08:00 UTC; 3 purchases for 75.00 so far."
    assert (decision.reason.text, decision.waits) == (text, True)


@pytest.mark.parametrize(
    ("missed", "late", "given", "code"),
    [
        ("make_up", timedelta(hours=5), {}, "date_due"),
        ("make_up", timedelta(days=3), {}, "date_due"),
        ("skip", timedelta(minutes=10), {}, "date_due"),
        ("skip", timedelta(minutes=11), {}, "date_skipped"),
        ("skip", timedelta(minutes=11), {"usd": 0}, "date_skipped"),
        ("skip", timedelta(minutes=9), {"usd": 0}, "balance_too_small"),
        ("make_up", timedelta(minutes=11), {"usd": 0}, "balance_too_small"),
    ],
)
def test_a_missed_date(missed, late, given, code):
    assert decide({**SWAP, "missed": missed}, now=DUE + late, **given).reason.code == code


def test_a_skipped_date_is_said_once():
    config, late = {**SWAP, "missed": "skip"}, DUE + timedelta(hours=1)
    first = decide(config, now=late, usd=0)
    assert "0 are free and 25 are needed" in first.reason.text
    assert decide(config, now=late, memory=first.memory).reason.code == "not_due"


def test_what_was_not_read_is_not_empty():
    with pytest.raises(LookupError, match="synthetic dollars"):
        decide(usd=None)


def looked(moments, config):
    """The days on which it buys when it looks at these moments, and all it sends is done."""
    memory, spent, days = Dates(), [], []
    for now in moments:
        lifetime = Lifetime(len(spent), sum(spent, Decimal(0)))
        decision = decide(config, memory=memory, now=now, lifetime=lifetime)
        memory = decision.memory
        for action in decision.actions:
            spent.append(Decimal(action.amount) / 100)
            days.append(now.date())
    return spent, days


def test_a_year_of_days_through_summer_and_winter():
    config = {**SWAP, "max_total_amount": 1_000_000}
    begun = datetime(2026, 1, 1, 12, tzinfo=UTC)
    spent, days = looked((begun + timedelta(hours=4 * n) for n in range(365 * 6)), config)
    assert (len(spent), len(set(days))) == (365, 365)


def test_looking_after_a_long_silence_makes_up_for_one_date():
    begun = datetime(2026, 11, 1, 12, tzinfo=UTC)
    moments = [begun, *(begun + timedelta(days=10, minutes=n) for n in range(60))]
    assert len(looked(moments, SWAP)[0]) == 1
    assert looked(moments, {**SWAP, "missed": "skip"})[0] == []


def test_the_total_is_spent_to_the_cent_and_no_more():
    begun = datetime(2026, 1, 1, 12, tzinfo=UTC)
    days = (begun + timedelta(days=n) for n in range(30))
    assert looked(days, {**SWAP, "max_total_amount": "90.5"})[0] == [25, 25, 25, Decimal("15.5")]
