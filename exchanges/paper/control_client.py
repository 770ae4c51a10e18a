"""Drives a running paper exchange: for the demo, the seeds and the tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from exchanges.types import Credentials

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A fresh account: `balance` in sats, `key_id` names its API key for `revoke_key`."""

    id: str
    username: str
    balance: int
    credentials: Credentials
    key_id: str


class ControlClient:
    """The control API of the exchange at `url` (`http://host:port`, without a path).

    Every call raises `requests.HTTPError` with the exchange's own words when it is refused.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/control"
        self._session = requests.Session()
        self._session.trust_env = False

    def create_account(
        self, *, balance: int, username: str | None = None, permissions: Sequence[str] | None = None
    ) -> PaperAccount:
        """Open an account with `balance` sats; its key may do all but withdraw by default."""
        body = {"balance": balance, "username": username, "permissions": permissions}
        answer = self._call("POST", "/accounts", body)
        return PaperAccount(
            id=answer["id"],
            username=answer["username"],
            balance=answer["balance"],
            credentials=_credentials(answer),
            key_id=answer["key_id"],
        )

    def create_key(
        self, account_id: str, *, permissions: Sequence[str] | None = None
    ) -> tuple[str, Credentials]:
        """Give the account one more API key; answers its id and its secrets."""
        body = {"permissions": permissions}
        answer = self._call("POST", f"/accounts/{account_id}/keys", body)
        return answer["id"], _credentials(answer)

    def revoke_key(self, account_id: str, key_id: str) -> None:
        """Refuse the key from now on."""
        self._call("POST", f"/accounts/{account_id}/keys/{key_id}/revoke", {})

    def set_condition(self, condition: str, *, on: bool, account_id: str | None = None) -> None:
        """Refuse (`maintenance`, `geo_block`, `tier_limit`), or no longer; all, or one account."""
        body = {"condition": condition, "on": on, "account_id": account_id}
        self._call("POST", "/conditions", body)

    def cross(self, account_id: str, action: str, **fields: Any) -> list[dict[str, Any]]:
        """Trade cross margin by hand: `order`, `order/cancel`, `close`, `leverage`, `deposit` or
        `withdraw`, with LN Markets' fields; answers the records that changed."""
        return self._records(f"/accounts/{account_id}/cross/{action}", fields)

    def swap(self, account_id: str, **fields: Any) -> dict[str, Any]:
        """Swap by hand, with LN Markets' fields; answers the swap in sats and cents."""
        return self._records(f"/accounts/{account_id}/swap", fields)[0]

    def receive(self, account_id: str, *, amount: int, status: str = "MEMPOOL") -> dict[str, Any]:
        """Let a transaction of `amount` sats arrive; answers the on-chain deposit."""
        body = {"amount": amount, "status": status}
        return self._records(f"/accounts/{account_id}/deposits", body)[0]

    def advance_deposit(
        self, account_id: str, deposit_id: str, *, status: str | None = None
    ) -> dict[str, Any]:
        """Pay a Lightning deposit, or give an on-chain one its new status."""
        path = f"/accounts/{account_id}/deposits/{deposit_id}"
        return self._records(path, {"status": status})[0]

    def advance_withdrawal(
        self, account_id: str, withdrawal_id: str, *, status: str, fee: int | None = None
    ) -> dict[str, Any]:
        """Give a withdrawal its new status; what it did not cost comes back."""
        path = f"/accounts/{account_id}/withdrawals/{withdrawal_id}"
        return self._records(path, {"status": status, "fee": fee})[0]

    def notify(self, account_id: str, *, type: str, message: str) -> None:  # noqa: A002
        """Write to the trader."""
        body = {"type": type, "message": message}
        self._call("POST", f"/accounts/{account_id}/notifications", body)

    def account(self, account_id: str) -> dict[str, Any]:
        """Balances, equity, live trades, cross position and its open orders, as JSON."""
        answer: dict[str, Any] = self._call("GET", f"/accounts/{account_id}")
        return answer

    def open_trade(self, account_id: str, **order: Any) -> dict[str, Any]:
        """Trade by hand: the fields of LN Markets' new trade; a market order by default."""
        body = {"type": "market"} | order
        answer: dict[str, Any] = self._call("POST", f"/accounts/{account_id}/trades", body)
        return answer

    def close_trade(self, account_id: str, trade_id: str) -> dict[str, Any]:
        """Close a running trade by hand."""
        path = f"/accounts/{account_id}/trades/{trade_id}/close"
        answer: dict[str, Any] = self._call("POST", path, {})
        return answer

    def add_margin(self, account_id: str, trade_id: str, *, amount: int) -> dict[str, Any]:
        """Move `amount` sats into a running trade by hand."""
        path = f"/accounts/{account_id}/trades/{trade_id}/margin"
        answer: dict[str, Any] = self._call("POST", path, {"amount": amount})
        return answer

    def price(self) -> Decimal:
        """The last price in USD."""
        return Decimal(str(self._call("GET", "/price")["price"]))

    def set_price(self, price: Decimal | int) -> None:
        """Move the last price, a multiple of 0.5 USD."""
        self._call("POST", "/price", {"price": str(price)})

    def play(self, prices: Sequence[Decimal | int], *, interval_ms: int = 0) -> None:
        """Let the price follow a list; answers at once."""
        body = {"prices": [str(price) for price in prices], "interval_ms": interval_ms}
        self._call("POST", "/prices", body)

    def play_scenario(self, name: str, *, seed: int, steps: int, interval_ms: int = 0) -> None:
        """Let the price follow a scenario; answers at once."""
        body = {"name": name, "seed": seed, "steps": steps, "interval_ms": interval_ms}
        self._call("POST", "/scenario", body)

    def load_candles(self, csv: str, *, interval_ms: int | None = None) -> None:
        """Take in a CSV of candles as history and, with `interval_ms`, play it."""
        query = "" if interval_ms is None else f"?interval_ms={interval_ms}"
        headers = {"Content-Type": "text/csv"}
        self._send("POST", f"/candles{query}", data=csv.encode(), headers=headers)

    def progress(self) -> dict[str, Any]:
        """How far the prices that play are: `playing`, `steps`, `done`, `left`."""
        answer: dict[str, Any] = self._call("GET", "/prices")
        return answer

    def stop_prices(self) -> None:
        """Leave the price where it is."""
        self._call("DELETE", "/prices")

    def clock(self) -> datetime:
        """What the exchange's clock shows."""
        return datetime.fromisoformat(self._call("GET", "/clock")["at"])

    def move_clock(self, **how: Any) -> datetime:
        """Jump ahead `at` or by `advance_seconds`, go at `speed`; answers what it shows then."""
        return datetime.fromisoformat(self._call("POST", "/clock", how)["at"])

    def set_terms(self, **terms: Any) -> dict[str, Any]:
        """Set `funding_rate`, `depths` or `max_trades`; answers all terms."""
        answer: dict[str, Any] = self._call("POST", "/terms", terms)
        return answer

    def fault(self, kind: str, **narrowed: Any) -> str:
        """Ask for a fault, with the fields of `exchanges.paper.faults.Fault`; answers its id."""
        fault_id: str = self._call("POST", "/faults", {"kind": kind} | narrowed)["id"]
        return fault_id

    def faults(self) -> list[dict[str, Any]]:
        """What is still to go wrong, each with its id."""
        faults: list[dict[str, Any]] = self._call("GET", "/faults")["faults"]
        return faults

    def clear_fault(self, fault_id: str) -> None:
        """That one does not strike any more."""
        self._call("DELETE", f"/faults/{fault_id}")

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._call("DELETE", "/faults")

    def limit(self, profile: str) -> None:
        """Let rate limits hold: a profile of `exchanges.paper.limits.Profile`."""
        self._call("POST", "/limits", {"profile": profile})

    def announce(self, title: str, message: str, *, link: str | None = None) -> str:
        """Tell all who hear the stream's announcements; answers the id."""
        body = {"title": title, "message": message, "link": link}
        announcement_id: str = self._call("POST", "/announcements", body)["id"]
        return announcement_id

    def withdraw_announcement(self, announcement_id: str) -> None:
        """Tell all that it does not hold any more."""
        self._call("DELETE", f"/announcements/{announcement_id}")

    def ledger(self, *, after: int = 0) -> list[dict[str, Any]]:
        """The lines of the ledger behind number `after`."""
        entries: list[dict[str, Any]] = self._call("GET", f"/ledger?after={after}")["entries"]
        return entries

    def _records(self, path: str, body: object) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self._call("POST", path, body)["records"]
        return records

    def _call(self, method: str, path: str, body: object = None) -> Any:
        return self._send(method, path, json=body)

    def _send(self, method: str, path: str, **content: Any) -> Any:
        response = self._session.request(
            method, self._url + path, timeout=TIMEOUT_SECONDS, **content
        )
        if not response.ok:
            raise requests.HTTPError(
                f"{method} {path}: {response.status_code} {response.text}", response=response
            )
        return response.json() if response.content else None


def _credentials(answer: Mapping[str, str]) -> Credentials:
    return Credentials(answer["key"], answer["secret"], answer["passphrase"])
