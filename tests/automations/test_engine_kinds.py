"""Each kind from its config to the exchange and back: what is sent, what is said, and how often."""

from dataclasses import replace
from decimal import Decimal

import pytest

from automations.models import Automation, Execution, Intent, TradeLog
from automations.services import create_automation
from tests.automations.conftest import guard_a_position

pytestmark = pytest.mark.django_db

CALENDAR = {"line": "0 * * * *", "zone": "Europe/Berlin"}
LONG_AGO = "2026-01-01T00:00:00Z"
"""From when on a calendar is looked at: its last date is due."""


@pytest.fixture
def account(db, paper):
    """An account with one trade, and a guard that has nothing to do."""
    return guard_a_position(paper, action={"type": "close_position"})


def automate(account, kind, config, *, memory=None):
    """The same account with another automation."""
    automation = create_automation(
        user=account.user,
        account=account.account,
        kind=kind,
        name=kind,
        config=config,
        by=account.user,
    )
    Automation.objects.filter(pk=automation.pk).update(memory=memory or {})
    return replace(account, automation=automation)


def fund_cross(account):
    """Collateral of 200,000 sats, at ten times the margin."""
    account.paper.control.cross(account.paper_account.id, "deposit", amount=200_000)
    account.paper.control.cross(account.paper_account.id, "leverage", leverage=10)


def trades(account):
    return account.paper.control.account(account.paper_account.id)["trades"]


def sent():
    return list(TradeLog.objects.order_by("id").values_list("action", "outcome"))


def test_an_entry_waits_for_its_price_and_enters_once(account):
    entry = automate(account, "auto_entry", {
        "side": "long", "quantity": 500, "leverage": "20", "trigger_price": "95000",
        "stop_loss": "93000", "take_profit": "99000",
    })  # fmt: skip
    waiting = entry.run("tick:1")
    assert (waiting.status, waiting.reason_code) == ("pending", "price_not_triggered")
    assert "100,000" in waiting.reason_text
    assert "95,000" in waiting.reason_text
    entry.fall("95000")
    execution = entry.run("tick:2")
    assert (execution.status, execution.event) == ("success", "auto_entry_executed")
    [trade] = [each for each in trades(entry) if each["id"] == execution.trade_id]
    assert (trade["quantity"], trade["leverage"], trade["stoploss"]) == (500, 20, 93_000)
    assert entry.run("tick:3").reason_code == "entries_done"
    assert entry.effects() == ["new_trade"]


def test_a_level_moves_once_per_crossing(account):
    mover = automate(account, "tp_sl", {
        "action": {"type": "update_sl", "trigger": "10", "price": "100500"},
    })  # fmt: skip
    for slot, (price, code) in enumerate([
        ("100900", "within_trigger"), ("101200", "trigger_reached"), ("101300", "done"),
        ("100600", "within_trigger"), ("101200", "already_so"),
    ]):  # fmt: skip
        mover.fall(price)
        assert mover.run(f"tick:{slot}").reason_code.startswith(code)
    assert mover.effects() == ["stop_loss"]
    assert trades(mover)[0]["stoploss"] == 100_500


def test_a_gain_is_taken(account):
    taker = automate(account, "tp_sl", {"action": {"type": "close_tp", "trigger": "25"}})
    taker.fall("103000")
    assert taker.run().status == "success"
    assert (taker.effects(), trades(taker)) == (["close"], [])


def test_cross_margin_is_guarded_by_a_deposit(account):
    control, paper_account = account.paper.control, account.paper_account.id
    fund_cross(account)
    control.cross(paper_account, "order", side="buy", type="market", quantity=1_000)
    guard = automate(account, "margin_guard", {
        "threshold": "0.5", "scope": {"isolated": False, "cross": True}, "cool_down": 600,
        "action": {"type": "add_margin", "amount": 60_000, "max_per_position": 100_000,
                   "max_per_day": 100_000},
    })  # fmt: skip
    assert guard.run("tick:1").reason_code == "within_threshold"
    guard.fall("89000")
    assert guard.run("tick:2").status == "success"
    guard.fall("86000")
    assert guard.run("tick:3").reason_code == "cooling_down"
    assert guard.effects() == ["cross_deposit"]
    assert control.account(paper_account)["cross"]["margin"] > 200_000


def test_a_trigger_order_on_cross_margin_fires_once(account):
    fund_cross(account)
    order = automate(account, "trigger_order", {
        "conditions": [{"type": "price", "at_or_below": "99000"},
                       {"type": "pnl", "at_or_below": "-5"}],
        "order": {"type": "cross", "side": "short", "quantity": 300},
    })  # fmt: skip
    waiting = order.run("tick:1")
    assert (waiting.status, waiting.reason_code) == ("pending", "conditions_not_met")
    order.fall("99000")
    assert order.run("tick:2").status == "success"
    assert order.run("tick:3").reason_code == "fired"
    assert order.effects() == ["cross_order"]
    assert order.paper.control.account(order.paper_account.id)["cross"]["quantity"] == -300


def test_bitcoin_is_bought_by_swap_on_its_date(account):
    account.paper.control.swap(
        account.paper_account.id, inAsset="BTC", inAmount=1_000_000, outAsset="USD"
    )
    buyer = automate(account, "auto_invest", {
        "market": {"type": "swap"}, "calendar": CALENDAR, "amount": "25",
        "max_total_amount": "40",
    }, memory={"begun_at": LONG_AGO})  # fmt: skip
    assert buyer.run("tick:1").status == "success"
    assert buyer.run("tick:2").reason_code == "not_due"
    Automation.objects.filter(pk=buyer.automation.pk).update(memory={"begun_at": LONG_AGO})
    assert buyer.run("tick:3").status == "success"
    assert buyer.run("tick:4").reason_code == "total_reached"
    assert buyer.effects() == ["swap", "swap"]
    spent = Intent.objects.order_by("created_at").values_list("spent", flat=True)
    assert list(spent) == [Decimal(25), Decimal(15)]


def test_weights_are_brought_back_by_swap(account):
    balancer = automate(account, "rebalancing", {
        "weights": {"BTC": "60", "USD": "40"}, "drift": "5",
    })  # fmt: skip
    assert balancer.run("tick:1").status == "success"
    assert balancer.run("tick:2").reason_code == "within_threshold"
    assert balancer.effects() == ["swap"]
    assert Intent.objects.get().action["asset"] == "BTC"


def test_every_kind_says_who_it_was_for(account):
    account.fall()
    execution = account.run()
    assert (execution.account_id, execution.account_name) == (account.account.id, "main")
    assert (execution.event, execution.action) == ("margin_guard_executed", "close_position")
    assert Execution.objects.get().duration_ms >= 0
    assert sent() == [("close_position", "confirmed")]
