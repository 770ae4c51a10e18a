"""The old system's export, row by row."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

OWN = (
    "id", "user_id", "type", "name", "config", "is_active", "user_exchange_account_id",
    "account_name", "user_exchange_account", "created_at", "updated_at",
)  # fmt: skip
ACTIVE = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class Unreadable(Exception):
    """The file is no such export; the message says what is wrong with it."""


class Refused(Exception):
    """A row that cannot be taken over; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One automation of the old system. `account` is the name or id of its account, or empty."""

    id: str
    user_id: str
    type: str
    name: str
    config: Mapping[str, Any]
    is_active: bool
    account: str


def read(path: Path) -> list[Row]:
    """All rows of a file, `.csv` or else JSON: a list, or an object with a list `automations`.

    A CSV has the config as JSON in a column `config`, or each of its keys as a column. Raises
    `Unreadable`; numbers become `Decimal` or int, never float.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} cannot be read: it is not UTF-8 text.") from None
    raws = _of_csv(text) if path.suffix.lower() == ".csv" else _of_json(text)
    return [_row(raw, number) for number, raw in enumerate(raws, start=1)]


def _of_json(text: str) -> list[Any]:
    try:
        data = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise Unreadable(f"It is not JSON: {error}") from None
    found = data.get("automations") if isinstance(data, dict) else data
    if not isinstance(found, list):
        raise Unreadable("It must be a list of automations, or an object with `automations`.")
    return found


def _of_csv(text: str) -> Iterator[dict[str, Any]]:
    for cells in csv.DictReader(text.splitlines()):
        raw: dict[str, Any] = {key: value for key, value in cells.items() if key and value}
        if "config" in raw:
            raw["config"] = _config_of(raw["config"])
        else:
            raw["config"] = {key: raw[key] for key in raw if key not in OWN}
        yield raw


def _config_of(cell: str) -> Any:
    try:
        return json.loads(cell, parse_float=Decimal)
    except ValueError as error:
        raise Unreadable(f"The config {cell!r} is not JSON: {error}") from None


def _row(raw: Any, number: int) -> Row:
    if not isinstance(raw, dict) or not raw.get("id") or not raw.get("type"):
        raise Unreadable(f"Row {number} is no automation: it needs an `id` and a `type`.")
    if not isinstance(raw.get("config"), dict):
        raise Unreadable(f"Row {number}: its `config` must be an object.")
    is_active = ACTIVE.get(str(raw.get("is_active", False)).lower())
    if is_active is None:
        raise Unreadable(f"Row {number}: `is_active` must be true or false.")
    return Row(
        id=str(raw["id"]),
        user_id=str(raw.get("user_id") or ""),
        type=str(raw["type"]),
        name=str(raw.get("name") or ""),
        config=raw["config"],
        is_active=is_active,
        account=_account(raw),
    )


def _account(raw: Mapping[str, Any]) -> str:
    """The account's name where the export holds it, else its id."""
    joined = raw.get("user_exchange_account")
    name = joined.get("account_name") if isinstance(joined, dict) else None
    return str(name or raw.get("account_name") or raw.get("user_exchange_account_id") or "")
