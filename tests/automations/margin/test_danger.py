"""Levels of danger: when one begins, when it ends, and what counts as news. Pure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.margin.danger import Danger, changes, level_of
from exchanges.types import Holdings
from tests.builders import cross, price_with_margin_used, trade

WELL, WARNING, CRITICAL = None, Danger.WARNING, Danger.CRITICAL
LEVELS = st.sampled_from([WELL, WARNING, CRITICAL])
SHARES = st.decimals(0, 3, places=4)


@pytest.mark.parametrize(
    ("before", "used", "expected"),
    [
        (WELL, "0", WELL),
        (WELL, "0.7999", WELL),
        (WELL, "0.8", WARNING),
        (WELL, "0.8999", WARNING),
        (WELL, "0.9", CRITICAL),
        (WELL, "1.2", CRITICAL),
        (WARNING, "0.8", WARNING),
        (WARNING, "0.75", WARNING),
        (WARNING, "0.7499", WELL),
        (WARNING, "0.8999", WARNING),
        (WARNING, "0.9", CRITICAL),
        (CRITICAL, "1.5", CRITICAL),
        (CRITICAL, "0.85", CRITICAL),
        (CRITICAL, "0.8499", WARNING),
        (CRITICAL, "0.75", WARNING),
        (CRITICAL, "0.7499", WELL),
        (CRITICAL, "0", WELL),
    ],
    ids=str,
)
def test_level(before, used, expected):
    assert level_of(Decimal(used), before) is expected


@given(SHARES, LEVELS)
def test_the_same_look_twice_changes_nothing(used, before):
    now = level_of(used, before)
    assert level_of(used, now) is now


@given(SHARES, SHARES, LEVELS)
def test_more_margin_used_is_never_a_lower_level(less, more, before):
    low, high = (level_of(used, before) for used in sorted((less, more)))
    order = [WELL, WARNING, CRITICAL]
    assert order.index(low) <= order.index(high)


@given(st.lists(st.decimals("0.7501", "0.8999", places=4), max_size=30))
def test_to_and_fro_around_a_level_crosses_it_once(path):
    crossings, level = 0, WELL
    for used in path:
        now = level_of(used, level)
        crossings, level = crossings + (now is not level), now
    assert crossings <= 1


LONG, SHORT = trade(trade_id="long"), trade(trade_id="short", side="sell")


def told(holdings, used, before=None, *, of=LONG):
    """(name, before, now, whether it is worse) of each change with so much of `of` used."""
    price = price_with_margin_used(of, Decimal(used))
    return [
        (each.name, each.before, each.now, each.is_worse)
        for each in changes(holdings, price, before or {})
    ]


@pytest.mark.parametrize(
    ("case", "holdings", "used", "before", "expected"),
    [
        ("well", [LONG], "0.7", {}, []),
        ("begins", [LONG], "0.82", {}, [("long", WELL, WARNING, True)]),
        ("stays", [LONG], "0.82", {"long": WARNING}, []),
        ("worse", [LONG], "0.92", {"long": WARNING}, [("long", WARNING, CRITICAL, True)]),
        ("a gap", [LONG], "0.97", {}, [("long", WELL, CRITICAL, True)]),
        ("past liquidation", [LONG], "1.3", {}, [("long", WELL, CRITICAL, True)]),
        ("eases", [LONG], "0.8", {"long": CRITICAL}, [("long", CRITICAL, WARNING, False)]),
        ("recovers", [LONG], "0.5", {"long": CRITICAL}, [("long", CRITICAL, WELL, False)]),
        ("gone", [], "0.95", {"long": CRITICAL}, [("long", CRITICAL, WELL, False)]),
        ("another", [trade(trade_id="b")], "0.1", {"a": WARNING}, [("a", WARNING, WELL, False)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_news(case, holdings, used, before, expected):
    assert told(Holdings(0, tuple(holdings)), used, before) == expected


def test_short_and_long_each_by_their_own_side():
    holdings = Holdings(0, (LONG, SHORT))
    assert told(holdings, "0.85", of=SHORT) == [("short", WELL, WARNING, True)]


@pytest.mark.parametrize(
    ("position", "price", "before", "expected"),
    [
        (cross(), "92400", {}, [("cross", WARNING)]),
        (cross(), "99000", {"cross": WARNING}, [("cross", WELL)]),
        (cross(0), "92400", {"cross": WARNING}, [("cross", WELL)]),
        (None, "99000", {"cross": WARNING}, []),
    ],
    ids=["in danger", "recovered", "flat", "not read is not flat"],
)
def test_cross_margin(position, price, before, expected):
    found = changes(Holdings(0, (), cross=position), Decimal(price), before)
    assert [(each.name, each.now) for each in found] == expected
