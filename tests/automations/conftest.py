"""A guarded position on a paper exchange, over real HTTP and a real database."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import ExchangeAccount, User
from accounts.services import connect_account
from automations.execution import execute
from automations.models import Automation, Execution
from automations.services import create_automation
from exchanges.paper.control_client import PaperAccount
from tests.accounts.builders import the_paper_exchange
from tests.paper_server import PaperServer

ADD_MARGIN = {
    "type": "add_margin",
    "amount": 50_000,
    "max_per_position": 200_000,
    "max_per_day": 300_000,
}
EFFECTS = ("add_margin", "close", "new_trade", "cash_in")


@dataclass
class Guarded:
    """A user, an active account with one 10x long of 10,000 USD at 100,000, and its guard."""

    user: User
    account: ExchangeAccount
    automation: Automation
    paper: PaperServer
    paper_account: PaperAccount
    trade: dict[str, Any]

    def fall(self, price: str = "92400") -> None:
        """Let the price fall; at 92,400 about 82 % of the margin is used."""
        self.paper.control.set_price(Decimal(price))

    def run(self, slot: str = "tick:1") -> Execution:
        """Execute the guard for a slot, and give what it wrote."""
        automation = Automation.objects.select_related("account__exchange", "account__user")
        execute(automation.get(pk=self.automation.pk), slot=slot, cause="tick")
        return self.execution(slot)

    def execution(self, slot: str) -> Execution:
        """The execution of a slot."""
        return Execution.objects.get(automation=self.automation, slot=slot)

    def effects(self) -> list[str]:
        """What the exchange executed for this account over its API, oldest first."""
        return [
            entry["kind"]
            for entry in self.paper.control.ledger()
            if entry["account"] == self.paper_account.id and entry["by"] == "api"
        ]

    def margin(self) -> int:
        """The position's margin at the exchange, in sats."""
        trades = self.paper.control.account(self.paper_account.id)["trades"]
        return next(trade["margin"] for trade in trades if trade["id"] == self.trade["id"])


def guard_a_position(
    paper: PaperServer,
    *,
    action: dict[str, Any],
    trader: str = "trader",
    every: int | None = None,
    **options: Any,
) -> Guarded:
    """Set everything up: exchange row, paper account with a position, user, account, guard."""
    exchange = the_paper_exchange()
    exchange.api_url = paper.url
    exchange.save()
    paper_account = paper.control.create_account(balance=10_000_000)
    trade = paper.control.open_trade(paper_account.id, side="buy", leverage=10, quantity=10_000)
    user = User.objects.create_user(trader)
    account = connect_account(
        user=user, exchange=exchange, name="main", credentials=paper_account.credentials, by=user
    )
    automation = create_automation(
        user=user,
        account=account,
        kind="margin_guard",
        name="guard",
        config={"threshold": "0.8", "action": action, **options},
        every=every,
        by=user,
    )
    return Guarded(user, account, automation, paper, paper_account, trade)


@pytest.fixture
def guarded(db: None, paper: PaperServer) -> Guarded:
    """A guard that adds margin."""
    return guard_a_position(paper, action=ADD_MARGIN, cool_down=0)
