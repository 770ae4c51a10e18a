"""Between the levels that a decision watches nothing changes when only the price moves."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from automations.perform import is_opening
from automations.risk import Limits, Restrictions, exposure_of, vet
from automations.rules.actions import CloseTrade, OrderCross, ReopenTrade
from automations.rules.base import Decision
from automations.rules.tp_sl import Crossings
from automations.snapshots import PastAction, Snapshot
from exchanges.types import Aged, Side
from tests.automations.rules.deciding import decided
from tests.builders import NOW, cross, snapshot, ticker, trade

TICK = Decimal("0.5")
prices = st.integers(2 * 40_000, 2 * 250_000).map(lambda ticks: ticks * TICK)
sides = st.sampled_from(["buy", "sell"])
directions = st.sampled_from(["long", "short"])
positions = st.builds(
    trade,
    side=sides,
    leverage=st.sampled_from([2, 3, 10, 25, 50, 100]),
    quantity=st.integers(1, 500_000),
    entry=prices,
)
balances = st.sampled_from([0, 1, 1_000, 100_000, 10_000_000, 10**10])
shares = st.decimals("0.05", "0.99", places=2)
percents = st.decimals("-99", "300", places=1)

adds = st.fixed_dictionaries(
    {
        "type": st.just("add_margin"),
        "max_per_position": st.integers(100_000, 10**7),
        "max_per_day": st.integers(100_000, 10**7),
        "fallback": st.sampled_from(
            [
                None,
                {"type": "partial"},
                {"type": "close_position"},
                {"type": "reduce_position", "percent": 30},
            ]
        ),
    }
)
guards = st.one_of(
    st.builds(lambda add, sats: {**add, "amount": sats}, adds, st.integers(1, 100_000)),
    st.builds(lambda add: {**add, "target": "0.05"}, adds),
    st.builds(
        lambda add, sats, below: {**add, "amount": sats, "take_back": {"below": below}},
        adds,
        st.integers(1, 100_000),
        st.decimals("0.01", "0.04", places=2),
    ),
    st.builds(lambda percent: {"type": "reduce_position", "percent": percent}, st.integers(1, 99)),
    st.just({"type": "close_position"}),
)


def essence(decision: Decision) -> tuple[object, ...]:
    """What must not change: the verdict, and what kind of action is wanted on what."""
    wanted = sorted((each.kind, getattr(each, "trade_id", "")) for each in decision.actions)
    return decision.verdict, wanted


def at(seen: Snapshot, price: Decimal) -> Snapshot:
    return replace(seen, ticker=Aged(ticker(price), NOW, "rest"))


def span(decision: Decision, price: Decimal) -> tuple[Decimal, Decimal]:
    """The lowest and the highest price that crosses no level."""
    below = [level.price for level in decision.watch if level.direction == "at_or_below"]
    above = [level.price for level in decision.watch if level.direction == "at_or_above"]
    return max(below, default=price / 4) + TICK, min(above, default=price * 4) - TICK


def assert_nothing_changes_between_levels(kind, seen, config, draw, memory=None):
    decision, price = decided(kind, seen, config, memory), seen.price
    assert all(found.reason.text for found in (decision, *decision.findings))
    low, high = span(decision, price)
    assert low <= price <= high, "a level is crossed at the price it was decided at"
    ticks = draw(st.integers(int(low / TICK), int(high / TICK)), label="price in ticks")
    for other in (low, high, ticks * TICK):
        moved = decided(kind, at(seen, other), config, memory)
        assert essence(moved) == essence(decision), f"{price} -> {other}"


@settings(max_examples=300, deadline=None)
@given(
    guarded=positions,
    price=prices,
    balance=balances,
    action=guards,
    threshold=shares,
    measure=st.sampled_from(["margin_used", "margin_ratio", "liquidation_distance"]),
    added=st.sampled_from([0, 5_000, 500_000]),
    data=st.data(),
)
def test_margin_guard(guarded, price, balance, action, threshold, measure, added, data):
    only_used = "target" in action or "take_back" in action
    assume(not only_used or threshold > Decimal("0.05"))
    guarded = replace(guarded, margin=guarded.margin + added)
    past = (PastAction("t1", added, NOW.replace(year=2025)),) if added else ()
    config = {
        "threshold": threshold,
        "measure": "margin_used" if only_used else measure,
        "action": action,
    }
    seen = snapshot(guarded, price=price, balance=balance, past=past)
    assert_nothing_changes_between_levels("margin_guard", seen, config, data.draw)


@settings(max_examples=100, deadline=None)
@given(
    trades=st.lists(positions, min_size=2, max_size=4),
    price=prices,
    threshold=shares,
    quantity=st.integers(-100_000, 100_000),
    action=st.sampled_from(
        [
            {"type": "close_position"},
            {"type": "add_margin", "amount": 1, "max_per_position": 10, "max_per_day": 10**6},
        ]
    ),
    data=st.data(),
)
def test_margin_guard_over_several_positions(trades, price, threshold, quantity, action, data):
    named = [replace(each, id=f"t{number}") for number, each in enumerate(trades)]
    seen = snapshot(*named, price=price, cross=cross(quantity, entry=price + 1_000))
    config = {"threshold": threshold, "action": action, "scope": {"cross": True}}
    assert_nothing_changes_between_levels("margin_guard", seen, config, data.draw)


@settings(max_examples=300, deadline=None)
@given(
    given_trade=positions,
    price=prices,
    kind=st.sampled_from(["close_tp", "close_sl", "update_tp", "update_sl"]),
    trigger=percents,
    level=prices,
    since=st.booleans(),
    data=st.data(),
)
def test_tp_sl(given_trade, price, kind, trigger, level, since, data):
    assume(kind.startswith("update") or (trigger != 0 and (trigger > 0) == (kind == "close_tp")))
    action = {"type": kind, "trigger": trigger}
    if kind.startswith("update"):
        action["price"] = level
    memory = Crossings(since={"t1": NOW}) if since else Crossings()
    seen = snapshot(given_trade, price=price)
    assert_nothing_changes_between_levels("tp_sl", seen, {"action": action}, data.draw, memory)


entries = st.fixed_dictionaries(
    {
        "side": directions,
        "quantity": st.integers(1, 500_000),
        "leverage": st.sampled_from([1, 2, "3.33", 10, 100]),
    },
    optional={"stop_loss": prices, "take_profit": prices},
)


def fits(entry):
    """Whether its levels are on two sides, as a config must have them."""
    stop, take = entry.get("stop_loss"), entry.get("take_profit")
    if stop is None or take is None:
        return True
    return stop < take if entry["side"] == "long" else stop > take


@settings(max_examples=300, deadline=None)
@given(entry=entries.filter(fits), price=prices, balance=balances, data=st.data())
def test_auto_entry_at_once(entry, price, balance, data):
    seen = snapshot(price=price, balance=balance)
    assert_nothing_changes_between_levels("auto_entry", seen, entry, data.draw)


@settings(max_examples=100, deadline=None)
@given(side=directions, trigger=prices, price=prices, balance=balances, data=st.data())
def test_auto_entry_at_a_price(side, trigger, price, balance, data):
    config = {"side": side, "quantity": 5_000, "trigger_price": trigger}
    seen = snapshot(price=price, balance=balance)
    assert_nothing_changes_between_levels("auto_entry", seen, config, data.draw)


def bounded(kind, values):
    return st.builds(
        lambda name, value: {"type": kind, name: value},
        st.sampled_from(["at_or_above", "at_or_below"]),
        values,
    )


conditions = st.one_of(
    bounded("price", prices), bounded("pnl", percents), bounded("margin_used", shares)
)


@settings(max_examples=300, deadline=None)
@given(
    wanted=st.lists(conditions, min_size=2, max_size=3),
    when=st.sampled_from(["all", "any"]),
    given_trade=positions,
    entry=entries.filter(fits),
    price=prices,
    balance=balances,
    data=st.data(),
)
def test_trigger_order(wanted, when, given_trade, entry, price, balance, data):
    assume(when == "any" or not any(each["type"] == "price" for each in wanted))
    config = {"conditions": wanted, "when": when, "order": {"type": "isolated", **entry}}
    seen = snapshot(given_trade, price=price, balance=balance)
    assert_nothing_changes_between_levels("trigger_order", seen, config, data.draw)


def exposure_after(seen, actions):
    """USD at risk when all actions are done; a reopening counts with the close before it."""
    quantities = {each.id: each.quantity for each in seen.holdings.value.trades}
    held = seen.cross.quantity
    for action in actions:
        match action:
            case CloseTrade(trade_id=name):
                del quantities[name]
            case ReopenTrade(trade_id=name, quantity=quantity):
                quantities[name] = quantity
            case OrderCross(side=side, quantity=quantity):
                held += quantity if side is Side.BUY else -quantity
            case _:
                assert not is_opening(action)
    return sum(quantities.values()) + abs(held)


@settings(max_examples=200, deadline=None)
@given(
    trades=st.lists(positions, max_size=3),
    action=guards,
    exit_at=percents.filter(bool),
    threshold=shares.filter(lambda share: share > Decimal("0.05")),
    quantity=st.integers(-100_000, 100_000),
    price=prices,
    balance=balances,
)
def test_what_protects_never_raises_the_exposure(
    trades, action, exit_at, threshold, quantity, price, balance
):
    named = [replace(each, id=f"t{number}") for number, each in enumerate(trades)]
    position = cross(quantity, entry=price + 5_000)
    seen = snapshot(*named, price=price, balance=balance, cross=position)
    leaving = {"type": "close_tp" if exit_at > 0 else "close_sl", "trigger": exit_at}
    scope = {"cross": True}
    for kind, config in (
        ("margin_guard", {"threshold": threshold, "action": action, "scope": scope}),
        ("tp_sl", {"action": leaving, "scope": scope}),
    ):
        decision = decided(kind, seen, config)
        assert exposure_after(seen, decision.actions) <= exposure_of(seen)
        assert vet(decision, seen, Limits(exposure=1), Restrictions(opening=True)) == decision


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (
            "auto_invest",
            {
                "market": {"type": "swap"},
                "calendar": {"line": "0 9 * * *"},
                "amount": 25,
                "max_total_amount": 100,
            },
        ),
        ("rebalancing", {"weights": {"BTC": 50, "USD": 50}}),
    ],
)
@given(data=st.data(), price=prices)
def test_what_trades_at_quotes_watches_no_price(kind, config, data, price):
    seen = snapshot(price=price, usd=10, quotes={"BTC/USD": (100_000, 99_900)})
    assert_nothing_changes_between_levels(kind, seen, config, data.draw)
