"""A user of a running platform, with a paper account, a guarded position, and a market."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from exchanges.inverse_futures import price_at_loss
from exchanges.paper.control_client import ControlClient
from exchanges.types import Side
from tests.e2e.operator import TIMEOUT_SECONDS, Operator
from tests.running import Platform, await_that

LOOK_SECONDS = 60
BALANCE = 1_000_000
AMOUNT = 20_000
ADD_MARGIN = {
    "type": "add_margin",
    "amount": AMOUNT,
    "max_per_position": 10 * AMOUNT,
    "max_per_day": 10 * AMOUNT,
}
POSITION = {"side": "buy", "leverage": 50, "margin": 20_000}


class Trader:
    """Acts through the API alone; what happened is read from the exchange's own ledger."""

    def __init__(self, platform: Platform, control: ControlClient) -> None:
        self._url = f"{platform.run['web']}/api"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {Operator(platform).new_user()}"
        self._control = control
        self.name = f"Account-{secrets.token_hex(8)}"
        self.paper = control.create_account(balance=BALANCE)
        given = self.paper.credentials
        self.words = {
            "name": self.name,
            "exchange": "paper",
            "key": given.key,
            "secret": given.secret,
            "passphrase": given.passphrase,
        }
        self.account_id = self.call("POST", "accounts/", self.words)["id"]
        self.guard_id = ""

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer of the API, which must be a good one."""
        answer = self.ask(method, path, body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """The answer of the API."""
        return self._session.request(
            method, f"{self._url}/{path}", json=body, timeout=TIMEOUT_SECONDS
        )

    def set_guard(self, *, every: int, cool_down: int = 600) -> None:
        """Guard everything on the account: add margin when 80 % are used. Both in seconds."""
        config = {"threshold": "0.8", "action": ADD_MARGIN, "cool_down": cool_down}
        body = {"name": "Guard", "kind": "margin_guard", "config": config, "every": every}
        self.guard_id = self.call("POST", "automations/", body)["id"]

    def open_position(self) -> dict[str, Any]:
        """Go long by hand, at the exchange."""
        return self._control.open_trade(self.paper.id, **POSITION)

    def price_when_used(self, trade: dict[str, Any], share: str) -> Decimal:
        """The price at which a share of the trade's margin is used."""
        loss, entry = Decimal(share) * trade["margin"], Decimal(str(trade["entryPrice"]))
        return price_at_loss(side=Side.BUY, quantity=trade["quantity"], entry=entry, loss=loss)

    def guard(self) -> dict[str, Any]:
        """The guard and its last verdict."""
        return self.call("GET", f"automations/{self.guard_id}/")

    def await_looks(self, times: int) -> None:
        """Wait until the guard has looked that many times more."""
        for _ in range(times):
            before = self.guard()["checked_at"]
            await_that(lambda before=before: self.guard()["checked_at"] != before, LOOK_SECONDS)

    def executions(self, **query: str) -> list[dict[str, Any]]:
        """What the guard did, newest first."""
        chosen = "&".join(f"{name}={value}" for name, value in query.items())
        return self.call("GET", f"executions/?automation={self.guard_id}&{chosen}")["results"]

    def added(self) -> list[dict[str, Any]]:
        """The ledger's lines about margin that was added on this account."""
        return [
            line
            for line in self._control.ledger()
            if line["account"] == self.paper.id and line["kind"] == "add_margin"
        ]

    def reached_at(self, price: Decimal) -> datetime:
        """When the price last became `price`, by the exchange's clock."""
        return max(
            datetime.fromisoformat(line["at"])
            for line in self._control.ledger()
            if line["kind"] == "price" and line["price"] == price
        )

    def leave(self) -> None:
        """End the guard and the positions."""
        if self.guard_id:
            self.call("DELETE", f"automations/{self.guard_id}/")
        for trade in self._control.account(self.paper.id)["trades"]:
            self._control.close_trade(self.paper.id, trade["id"])
