"""Each action against the exchange, its answer lost: found again or given up, never sent twice."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from automations.models import Intent
from automations.recovery import recover
from automations.rules.actions import (
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    SetStopLoss,
    SetTakeProfit,
    SwapAsset,
)
from automations.rules.base import Decision, Reason
from automations.rules.registry import KINDS
from automations.services import update_automation
from exchanges.types import Asset, OrderType, Side

pytestmark = pytest.mark.django_db

ACTIONS = {
    "add margin": (lambda trade: AddMargin(trade, 5_000), "add_margin", "confirmed"),
    "cash in": (lambda trade: CashIn(trade, 5_000), "cash_in", "confirmed"),
    "close": (CloseTrade, "close", "satisfied"),
    "stop loss": (lambda trade: SetStopLoss(trade, Decimal(95_000)), "stop_loss", "satisfied"),
    "take profit": (
        lambda trade: SetTakeProfit(trade, Decimal(105_000)),
        "take_profit",
        "satisfied",
    ),
    "open": (
        lambda _: OpenTrade(Side.SELL, OrderType.MARKET, 100, Decimal(5)),
        "new_trade",
        "confirmed",
    ),
    "open at a limit": (
        lambda _: OpenTrade(Side.BUY, OrderType.LIMIT, 100, Decimal(5), Decimal(90_000)),
        "new_trade",
        "confirmed",
    ),
    "cross order": (lambda _: OrderCross(Side.BUY, 100, reduces=False), "cross_order", "confirmed"),
    "cross deposit": (lambda _: DepositCross(5_000), "cross_deposit", "satisfied"),
    "swap of bitcoin": (lambda _: SwapAsset(Asset.BTC, 5_000), "swap", "satisfied"),
    "swap of dollars": (lambda _: SwapAsset(Asset.USD, 500), "swap", "satisfied"),
}
WINDOW = timedelta(seconds=36)


@pytest.fixture
def wants(guarded, monkeypatch):
    """An account with everything, and a rule that wants one action."""
    control, account = guarded.paper.control, guarded.paper_account.id
    control.cross(account, "deposit", amount=100_000)
    control.cross(account, "leverage", leverage=10)
    control.swap(account, inAsset="BTC", inAmount=100_000, outAsset="USD")
    config = {**guarded.automation.config, "scope": {"cross": True}}
    update_automation(automation=guarded.automation, config=config, by=guarded.user)

    def want(make):
        action = make(guarded.trade["id"])
        decision = Decision((action,), Reason("wanted", "The test wants it."))
        kind = replace(KINDS["margin_guard"], decide=lambda *_: decision)
        monkeypatch.setitem(KINDS, "margin_guard", kind)
        return guarded

    return want


def settle(guarded, *, late):
    """Look for what is unknown, three times; `late` as if it was signed before the window."""
    for _ in range(3):
        if late:
            for intent in Intent.objects.filter(state="unknown"):
                Intent.objects.filter(pk=intent.pk).update(signed_at=intent.signed_at - WINDOW)
        recover(guarded.account)
    return Intent.objects.get()


@pytest.mark.parametrize(("make", "effect", "state"), ACTIONS.values(), ids=ACTIONS)
def test_done_and_not_answered(wants, make, effect, state):
    guarded = wants(make)
    strike(guarded, "cut_after")
    assert guarded.run().status == "pending"
    assert Intent.objects.get().state == "unknown"
    intent = settle(guarded, late=False)
    assert (intent.state, guarded.effects()) == (state, [effect])
    assert guarded.execution("tick:1").status == "success"
    assert intent.trade_logs.get().outcome == state


@pytest.mark.parametrize(("make", "effect", "state"), ACTIONS.values(), ids=ACTIONS)
def test_not_done_and_not_answered(wants, make, effect, state):
    guarded = wants(make)
    strike(guarded, "cut_before")
    guarded.run()
    assert settle(guarded, late=False).state == "unknown"
    intent = settle(guarded, late=True)
    assert (intent.state, guarded.effects()) == ("lapsed", [])
    assert guarded.execution("tick:1").status == "error"


@pytest.mark.parametrize(("make", "effect", "state"), ACTIONS.values(), ids=ACTIONS)
def test_answered(wants, make, effect, state):
    guarded = wants(make)
    execution = guarded.run()
    assert (execution.status, guarded.effects()) == ("success", [effect])
    log = Intent.objects.get().trade_logs.get()
    assert (log.outcome, log.answer is not None) == ("confirmed", True)


def strike(guarded, fault):
    """Whatever acts is struck: nothing else is not a GET."""
    for method in ("POST", "PUT"):
        guarded.paper.control.fault(fault, method=method, account_id=guarded.paper_account.id)
