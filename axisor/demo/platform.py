"""What the platform says about itself, over the API that every client has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from axisor.demo.errors import CannotShow
from axisor.up.parts import FORWARDED_TLS

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Guard:
    """A margin guard: acts at `threshold` of margin used, adds `amount` sats, every `period` s.

    `says` is its verdict of the last check, which was at `checked_at`.
    """

    id: str
    name: str
    account_name: str
    threshold: Decimal
    amount: int
    period: int
    says: str
    checked_at: datetime | None


class Platform:
    """The API of a running platform, as the operator sees it. Raises `requests` exceptions."""

    def __init__(self, run: Mapping[str, str]) -> None:
        self._url = f"{run['web']}/api"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(FORWARDED_TLS)
        self._session.headers["Authorization"] = f"Token {run['token']}"

    def guard(self) -> Guard:
        """The active guard that adds margin on the active account; `CannotShow` without one."""
        active = [account for account in self._list("accounts") if account["is_active"]]
        if not active or active[0]["exchange"] != "paper":
            raise CannotShow("The demo plays on a paper account: activate the one called Paper.")
        for automation in self._list("automations"):
            if automation["account"] == active[0]["id"] and _adds_margin(automation):
                return _guard(automation)
        raise CannotShow(
            f"No active margin guard adds margin on {active[0]['name']}: resume one, or create one"
            " (POST /api/automations/)."
        )

    def again(self, guard: Guard) -> Guard:
        """The same guard, as it is now."""
        return _guard(self._get(f"automations/{guard.id}"))

    def rescue(self, guard: Guard, trade_id: str) -> dict[str, Any] | None:
        """The execution in which the guard acted on the trade, once it succeeded."""
        query = {"automation": guard.id, "status": "success", "limit": "5"}
        for execution in self._get("executions", query)["results"]:
            if any(intent["target"] == f"trade:{trade_id}" for intent in execution["intents"]):
                return dict(execution)
        return None

    def _list(self, resource: str) -> list[dict[str, Any]]:
        return list(self._get(resource, {"limit": "1000"})["results"])

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        url = f"{self._url}/{path}/"
        answer = self._session.get(url, params=query, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()


def _adds_margin(automation: Mapping[str, Any]) -> bool:
    is_guard: bool = automation["is_active"] and automation["kind"] == "margin_guard"
    return is_guard and automation["config"]["action"]["type"] == "add_margin"


def _guard(automation: Mapping[str, Any]) -> Guard:
    checked_at = automation["checked_at"]
    return Guard(
        id=automation["id"],
        name=automation["name"],
        account_name=automation["account_name"],
        threshold=Decimal(automation["config"]["threshold"]),
        amount=automation["config"]["action"]["amount"],
        period=automation["period"],
        says=automation["reason_text"],
        checked_at=checked_at and datetime.fromisoformat(checked_at),
    )
