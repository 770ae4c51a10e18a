"""What no decision may exceed: tables, and sequences whose outcomes are counted."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.perform import cost_of, is_opening
from automations.risk import Limits, Restrictions, exposure_of, vet
from automations.rules.actions import (
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    ReopenTrade,
    SetStopLoss,
    SwapAsset,
)
from automations.rules.base import Decision, Reason, Severity
from automations.snapshots import Usage
from exchanges.types import Asset, OrderType, Side
from tests.builders import cross, snapshot, trade

PRICE = Decimal(100_000)
REASON = Reason("wanted", "It is wanted.")
NOTHING_STOPPED = Restrictions()


def opening(quantity=1_000, leverage=10, side=Side.BUY):
    return OpenTrade(side, OrderType.MARKET, quantity, Decimal(leverage))


def ordering(quantity, side=Side.BUY, *, reduces=False):
    return OrderCross(side, quantity, reduces)


REDUCING = (CloseTrade("t1"), ReopenTrade("t1", Side.BUY, 5_000, Decimal(50), PRICE))


def vetted(*actions, limits=Limits(), stopped=NOTHING_STOPPED, **given):  # noqa: B008
    return vet(Decision(actions, REASON), snapshot(trade(), **given), limits, stopped)


@pytest.mark.parametrize(
    ("limits", "given", "actions", "code"),
    [
        ({}, {}, (AddMargin("t1", 10**9), opening(500_000, 100)), None),
        ({"sats_per_day": 50_000}, {}, (AddMargin("t1", 50_000),), None),
        ({"sats_per_day": 49_999}, {}, (AddMargin("t1", 50_000),), "account_sats_per_day"),
        (
            {"sats_per_day": 60_000},
            {"usage": Usage(sats_today=10_001)},
            (AddMargin("t1", 50_000),),
            "account_sats_per_day",
        ),
        ({"sats_per_day": 100_000}, {}, (opening(),), None),
        ({"sats_per_day": 99_999}, {}, (opening(),), "account_sats_per_day"),
        ({"sats_per_day": 10}, {}, (SwapAsset(Asset.BTC, 11),), None),
        ({"sats_per_day": 10}, {}, (SwapAsset(Asset.USD, 11),), None),
        ({"sats_per_day": 10}, {"usage": Usage(sats_today=99)}, (CloseTrade("t1"),), None),
        ({"sats_per_day": 10}, {"usage": Usage(sats_today=99)}, REDUCING, None),
        ({"sats_per_day": 10}, {"usage": Usage(sats_today=99)}, (CashIn("t1", 99),), None),
        (
            {"sats_per_position": 50_000},
            {"usage": Usage((("t1", 1),))},
            (AddMargin("t1", 50_000),),
            "account_sats_per_position",
        ),
        (
            {"sats_per_position": 50_000},
            {"usage": Usage((("t2", 1),))},
            (AddMargin("t1", 50_000),),
            None,
        ),
        (
            {"sats_per_position": 50_000},
            {"usage": Usage((("cross", 1),))},
            (DepositCross(50_000),),
            "account_sats_per_position",
        ),
        ({"orders_per_day": 1}, {}, (CloseTrade("t1"),), None),
        (
            {"orders_per_day": 1},
            {"usage": Usage(orders_today=1)},
            (CloseTrade("t1"),),
            "account_orders_per_day",
        ),
        ({"orders_per_day": 1}, {}, REDUCING, "account_orders_per_day"),
        ({"leverage": Decimal(10)}, {}, (opening(leverage=10),), None),
        ({"leverage": Decimal(9)}, {}, (opening(leverage=10),), "account_leverage"),
        ({"leverage": Decimal(9)}, {}, REDUCING, None),
        ({"leverage": Decimal(9)}, {"cross": cross(0)}, (ordering(1),), "account_leverage"),
        (
            {"leverage": Decimal(9)},
            {"cross": cross(5)},
            (ordering(1, Side.SELL, reduces=True),),
            None,
        ),
        # a trade of 10,000 USD runs
        ({"exposure": 11_000}, {}, (opening(),), None),
        ({"exposure": 10_999}, {}, (opening(),), "account_exposure"),
        ({"exposure": 11_000}, {"cross": cross(-1)}, (opening(),), "account_exposure"),
        ({"exposure": 11_000}, {"usage": Usage(opening=1)}, (opening(),), "account_exposure"),
        ({"exposure": 10_100}, {"cross": cross(50)}, (ordering(50),), None),
        ({"exposure": 10_100}, {"cross": cross(50)}, (ordering(51),), "account_exposure"),
        ({"exposure": 10_100}, {"cross": cross(50)}, (ordering(150, Side.SELL),), None),
        (
            {"exposure": 10_100},
            {"cross": cross(50)},
            (ordering(151, Side.SELL),),
            "account_exposure",
        ),
        ({"exposure": 1}, {}, REDUCING, None),
        ({"exposure": 1}, {}, (AddMargin("t1", 1), SetStopLoss("t1", PRICE)), None),
    ],
)
def test_limits(limits, given, actions, code):
    decision = vetted(*actions, limits=Limits(**limits), **given)
    assert decision.actions == (() if code else actions)
    assert decision.reason.code == (code or "wanted")


OPENING = (opening(), SwapAsset(Asset.USD, 100), ordering(5))
PROTECTING = (AddMargin("t1", 1), CloseTrade("t1"), ordering(5, Side.SELL, reduces=True))


@pytest.mark.parametrize(
    ("stopped", "actions", "code"),
    [
        *((Restrictions(opening=True), (each,), "opening_stopped") for each in OPENING),
        *((Restrictions(opening=True), (each,), None) for each in PROTECTING),
        (Restrictions(opening=True), REDUCING, None),
        *((Restrictions(protection=True), (each,), "stopped") for each in OPENING + PROTECTING),
        (Restrictions(protection=True), REDUCING, "stopped"),
        *((Restrictions(unconfirmed=True), (each,), None) for each in OPENING + PROTECTING),
    ],
)
def test_restrictions(stopped, actions, code):
    decision = vetted(*actions, stopped=stopped, cross=cross(5))
    assert decision.actions == (() if code else actions)
    assert decision.reason.code == (code or "wanted")


def test_what_is_held_back_is_said():
    limits = Limits(sats_per_day=60_000)
    decision = vetted(AddMargin("t1", 50_000), AddMargin("t2", 20_000), limits=limits)
    assert decision.actions == (AddMargin("t1", 50_000),)
    assert (decision.reason.code, decision.reason.severity) == ("wanted", Severity.CRITICAL)
    assert decision.reason.text == (
        "It is wanted. Held back: "
        "it would make 70,000 sats in 24 hours; the account's limit is 60,000."
    )


amounts = st.integers(1, 100_000)
names = st.sampled_from(["t1", "t2", "t3"])
leverages = st.integers(1, 100).map(Decimal)
buys = st.sampled_from([Side.BUY, Side.SELL])
single = st.one_of(
    st.builds(AddMargin, names, amounts),
    st.builds(CashIn, names, amounts),
    st.builds(CloseTrade, names),
    st.builds(DepositCross, amounts),
    st.builds(OpenTrade, buys, st.just(OrderType.MARKET), amounts, leverages),
    st.builds(OrderCross, buys, amounts, st.just(False)),
    st.builds(SwapAsset, st.sampled_from(Asset), amounts),
).map(lambda action: (action,))
reductions = st.builds(
    lambda name, quantity, leverage: (
        CloseTrade(name),
        ReopenTrade(name, Side.BUY, quantity, leverage, PRICE),
    ),
    names,
    amounts,
    leverages,
)
decisions = st.lists(st.one_of(single, reductions), max_size=4).map(
    lambda sagas: tuple(action for saga in sagas for action in saga)
)
limits_of_all = st.builds(
    Limits,
    sats_per_position=st.integers(1, 200_000),
    sats_per_day=st.integers(1, 500_000),
    orders_per_day=st.integers(1, 20),
    leverage=leverages,
    exposure=st.integers(1, 500_000),
)
restrictions = st.builds(Restrictions, st.booleans(), st.just(False), st.booleans())


class Account:
    """What an account comes to when everything that passes is done, or may have been."""

    def __init__(self):
        self.sats: dict[str, int] = {}
        self.today = self.orders = self.unknown = self.opened = self.held = 0

    def look(self):
        usage = Usage(tuple(self.sats.items()), self.today, self.orders, self.unknown)
        running = trade(quantity=self.opened) if self.opened else None
        return snapshot(*filter(None, [running]), cross=cross(self.held), usage=usage)

    def do(self, action, *, is_known):
        """Count an action; of a new trade nobody knows yet whether it is there, unless known."""
        self.orders += 1
        match action:
            case AddMargin(trade_id=name, amount=sats):
                self._move(name, sats)
            case DepositCross(amount=sats):
                self._move("cross", sats)
            case OpenTrade(quantity=quantity):
                self._move(f"new {self.orders}", cost_of(action, PRICE))
                self.opened += quantity if is_known else 0
                self.unknown += 0 if is_known else quantity
            case OrderCross(side=side, quantity=quantity):
                self.held += quantity if side is Side.BUY else -quantity
            case _:
                pass  # moves nothing into a position

    def _move(self, name, sats):
        self.sats[name] = self.sats.get(name, 0) + sats
        self.today += sats


@given(
    limits=limits_of_all,
    stopped=restrictions,
    wishes=st.lists(st.tuples(decisions, st.booleans()), max_size=12),
)
def test_no_sequence_of_decisions_exceeds_a_limit(limits, stopped, wishes):
    account = Account()
    for actions, is_known in wishes:
        before = exposure_of(account.look()) + account.unknown
        passed = vet(Decision(actions, REASON), account.look(), limits, stopped).actions
        for action in passed:
            account.do(action, is_known=is_known)

        assert account.today <= limits.sats_per_day
        assert max(account.sats.values(), default=0) <= limits.sats_per_position
        assert account.orders <= limits.orders_per_day
        after = exposure_of(account.look()) + account.unknown
        assert after <= max(before, limits.exposure)
        assert all(
            each.leverage <= limits.leverage for each in passed if isinstance(each, OpenTrade)
        )
        assert not (stopped.opening and any(map(is_opening, passed)))


@given(wishes=decisions, limits=limits_of_all, stopped=restrictions)
def test_a_saga_passes_whole_or_not_at_all(wishes, limits, stopped):
    decision = vet(Decision(wishes, REASON), Account().look(), limits, stopped)
    passed = list(decision.actions)
    for number, action in enumerate(passed):
        if isinstance(action, ReopenTrade):
            assert passed[number - 1] == CloseTrade(action.trade_id)
    reopened = [each.trade_id for each in passed if isinstance(each, ReopenTrade)]
    closed_alone = len([each for each in wishes if isinstance(each, CloseTrade)]) - len(
        [each for each in wishes if isinstance(each, ReopenTrade)]
    )
    closed = [each for each in passed if isinstance(each, CloseTrade)]
    assert len(closed) - len(reopened) <= closed_alone
    assert decision.reason.text


@given(wishes=decisions, limits=limits_of_all)
def test_what_is_not_stopped_passes_when_there_is_room(wishes, limits):
    allowed = replace(
        limits,
        sats_per_position=10**9,
        sats_per_day=10**9,
        orders_per_day=10**9,
        leverage=Decimal(100),
        exposure=10**9,
    )
    assert (
        vet(Decision(wishes, REASON), Account().look(), allowed, NOTHING_STOPPED).actions == wishes
    )
    stopped = vet(Decision(wishes, REASON), Account().look(), allowed, Restrictions(opening=True))
    assert stopped.actions == tuple(each for each in wishes if not is_opening(each))
