"""A day of six automations on two accounts: what the exchange did, and what was said of it.

All clocks of this process are moved, the exchange's and the platform's, through a day that is
past: PostgreSQL's stays, and no wish is late.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings

from accounts.models import ExchangeAccount, User
from accounts.services import connect_account
from automations import errands, evaluation
from automations.execution import drain
from automations.models import Automation, Execution, TradeLog
from automations.services import create_automation
from exchanges.paper.control_client import PaperAccount
from tests.accounts.builders import the_paper_exchange
from tests.paper_server import PaperServer, serving

pytestmark = pytest.mark.django_db

BEFORE = timedelta(minutes=5)
"""In which everything is set up."""

PRICES = {
    0: 100_000, 3: 97_000, 5: 92_400, 6: 94_000, 12: 104_000, 15: 105_000, 20: 99_000,
}  # fmt: skip
"""USD from an hour on."""

ALICE: dict[str, dict[str, Any]] = {
    "margin_guard": {
        "threshold": "0.8", "cool_down": 600,
        "action": {"type": "add_margin", "amount": 50_000, "max_per_position": 100_000,
                   "max_per_day": 100_000},
    },
    "tp_sl": {"action": {"type": "close_tp", "trigger": "30"}},
    "auto_entry": {"side": "long", "quantity": 500, "leverage": "5", "trigger_price": "97000"},
}  # fmt: skip


def bobs(midnight: datetime) -> dict[str, dict[str, Any]]:
    """Two dates of a calendar are at 8:00 and 20:00 UTC, a condition holds from 14:00 on."""
    return {
        "auto_invest": {
            "market": {"type": "swap"}, "amount": "25", "max_total_amount": "1000",
            "calendar": {"line": "0 5,17 * * *", "zone": "Asia/Tokyo"},
        },
        "rebalancing": {"weights": {"BTC": "50", "USD": "50"}, "drift": "2"},
        "trigger_order": {
            "conditions": [{"type": "price", "at_or_above": "104000"},
                           {"type": "time", "at": (midnight + timedelta(hours=14)).isoformat()}],
            "order": {"type": "cross", "side": "short", "quantity": 300},
        },
    }  # fmt: skip


EFFECTS = [
    (3, "alice", "new_trade"),
    (5, "alice", "add_margin"),
    (5, "bob", "swap"),
    (8, "bob", "swap"),
    (12, "alice", "close"),
    (12, "alice", "close"),
    (12, "bob", "swap"),
    (14, "bob", "cross_order"),
    (20, "bob", "swap"),
]
ORDERS = [
    (3, "alice", "open_position", "confirmed"),
    (5, "alice", "add_margin", "confirmed"),
    (5, "bob", "swap", "confirmed"),
    (8, "bob", "swap", "confirmed"),
    (12, "alice", "close_position", "confirmed"),
    (12, "alice", "close_position", "confirmed"),
    (12, "bob", "swap", "confirmed"),
    (14, "bob", "cross_order", "confirmed"),
    (20, "bob", "swap", "confirmed"),
]
EXECUTIONS = [
    (0, "auto_entry", "pending", "price_not_triggered"),
    (0, "auto_invest", "pending", "not_due"),
    (0, "margin_guard", "completed", "within_threshold"),
    (0, "rebalancing", "completed", "within_threshold"),
    (0, "tp_sl", "completed", "within_trigger"),
    (0, "trigger_order", "pending", "conditions_not_met"),
    (3, "auto_entry", "success", "trigger_reached"),
    (4, "auto_entry", "completed", "entries_done"),
    (4, "margin_guard", "completed", "within_threshold"),  # a second position
    (4, "tp_sl", "completed", "within_trigger"),
    (5, "margin_guard", "success", "threshold_reached"),
    (5, "rebalancing", "success", "drift_reached"),
    (6, "margin_guard", "completed", "within_threshold"),
    (6, "rebalancing", "completed", "within_threshold"),
    (8, "auto_invest", "success", "date_due"),
    (9, "auto_invest", "pending", "not_due"),
    (12, "rebalancing", "success", "drift_reached"),
    (12, "tp_sl", "success", "trigger_reached"),
    (13, "margin_guard", "completed", "no_positions"),
    (13, "rebalancing", "completed", "within_threshold"),
    (13, "tp_sl", "completed", "no_positions"),
    (14, "trigger_order", "success", "conditions_met"),
    (15, "trigger_order", "completed", "fired"),
    (20, "auto_invest", "success", "date_due"),
    (21, "auto_invest", "pending", "not_due"),
]
"""By hour: quiet ones only where they begin to be quiet in a new way."""


@dataclass
class Trader:
    account: ExchangeAccount
    paper: PaperAccount
    automations: list[Automation]


@pytest.fixture(autouse=True)
def empty_feed() -> None:
    """What other tests have left there is newer than this day."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Three days ago, just before midnight, and going on."""
    day = datetime.now(UTC) - timedelta(days=3)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    with time_machine.travel(midnight - BEFORE) as traveller:
        yield traveller


@pytest.fixture
def paper(clock: time_machine.Traveller, tmp_path: Path) -> Iterator[PaperServer]:
    """An exchange whose clock is moved too."""
    with serving(tmp_path / "paper.jsonl") as server:
        yield server


def a_trader(paper: PaperServer, name: str, configs: dict[str, dict[str, Any]]) -> Trader:
    exchange = the_paper_exchange()
    exchange.api_url = paper.url
    exchange.save()
    held = paper.control.create_account(balance=10_000_000, username=name)
    user = User.objects.create_user(name)
    account = connect_account(
        user=user, exchange=exchange, name=name, credentials=held.credentials, by=user
    )
    automations = [
        create_automation(user=user, account=account, kind=kind, name=kind, config=config, by=user)
        for kind, config in configs.items()
    ]
    return Trader(account, held, automations)


def tick(trader: Trader, hour: int) -> None:
    """What an hour brings: a look at all, and a run for those with something to do."""
    slot = f"test:{hour}"
    looked = evaluation.look_afresh([(str(each.id), slot) for each in trader.automations])
    for automation, due in looked.due:
        errands.accept(automation, slot=due, cause="tick")
    drain(trader.account)


def test_a_day(clock, paper):
    midnight = (datetime.now(UTC) + BEFORE).replace(second=0, microsecond=0)
    alice, bob = a_trader(paper, "alice", ALICE), a_trader(paper, "bob", bobs(midnight))
    paper.control.open_trade(alice.paper.id, side="buy", leverage=10, quantity=10_000)
    paper.control.swap(bob.paper.id, inAsset="BTC", inAmount=5_000_000, outAsset="USD")
    paper.control.cross(bob.paper.id, "deposit", amount=100_000)
    paper.control.cross(bob.paper.id, "leverage", leverage=10)

    for hour in range(24):
        clock.move_to(midnight + timedelta(hours=hour, minutes=1))
        if hour in PRICES:
            paper.control.set_price(Decimal(PRICES[hour]))
        for trader in (alice, bob):
            tick(trader, hour)

    names = {alice.paper.id: "alice", bob.paper.id: "bob"}
    assert list(ledger(paper, names)) == EFFECTS
    assert list(logs()) == ORDERS
    assert sorted(executions()) == EXECUTIONS


def ledger(paper: PaperServer, names: dict[str, str]) -> Iterator[tuple[object, ...]]:
    for entry in paper.control.ledger():
        if entry["by"] == "api":
            hour = datetime.fromisoformat(entry["at"]).hour
            yield hour, names[entry["account"]], entry["kind"]


def executions() -> Iterator[tuple[object, ...]]:
    for each in Execution.objects.select_related("automation"):
        hour = int(each.slot.removeprefix("test:"))
        yield hour, each.automation.kind, each.status, each.reason_code


def logs() -> Iterator[tuple[object, ...]]:
    for log in TradeLog.objects.order_by("id"):
        yield log.sent_at.hour, log.account_name, log.action, log.outcome
