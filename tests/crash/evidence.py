"""What the judge looks at: the exchange's ledger, the platform's rows, the slots that were made."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

ACTIONS = {"add_margin": "add_margin", "close": "close_position", "new_trade": "open"}
"""What the ledger calls an effect, and the platform the action."""

QUERIES = {
    "intents": """
        SELECT intent.id::text, automation_id::text, slot, leg, action, state, created_at,
               settled_at, resolved_by_id IS NOT NULL AS is_resolved
        FROM automations_intent AS intent ORDER BY created_at
    """,
    "sends": "SELECT intent_id::text, sent_at FROM automations_tradelog ORDER BY sent_at",
    "automations": "SELECT id::text, config, deleted_at FROM automations_automation",
    "errands": "SELECT automation_id::text, slot, created_at FROM automations_errand",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing the exchange did for a client; `amount` in sats, None when there is none."""

    seq: int
    action: str
    trade: str
    amount: int | None
    at: datetime
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing the platform meant to do, and every time it was signed."""

    id: str
    automation: str
    slot: str
    leg: int
    action: str
    trade: str
    amount: int | None
    state: str
    created_at: datetime
    settled_at: datetime | None = None
    is_resolved: bool = False
    signed_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Automation:
    """Its caps in sats, None without, and when it was deleted."""

    id: str
    per_position: int | None = None
    per_day: int | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that still waits to be executed."""

    automation: str
    slot: str
    created_at: datetime


def read_ledger(file: Path) -> list[Effect]:
    """What the exchange accepted from clients."""
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        Effect(
            seq=entry["seq"],
            action=ACTIONS.get(entry["kind"], entry["kind"]),
            trade=entry["trade"]["id"],
            amount=entry["request"].get("amount"),
            at=datetime.fromisoformat(entry["at"]),
            signed_at=datetime.fromisoformat(entry["signed_at"]),
        )
        for entry in entries
        if entry["by"] == "api"
    ]


def read_database(url: str) -> tuple[list[Intent], dict[str, Automation], list[Errand]]:
    """What the platform wrote down."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = {name: connection.execute(query).fetchall() for name, query in QUERIES.items()}
    signed: dict[str, list[datetime]] = defaultdict(list)
    for send in rows["sends"]:
        signed[send["intent_id"]].append(send["sent_at"])
    intents = [_intent(row, tuple(signed[row["id"]])) for row in rows["intents"]]
    automations = {row["id"]: _automation(row) for row in rows["automations"]}
    errands = [Errand(*row.values()) for row in rows["errands"]]
    return intents, automations, errands


def _intent(row: dict[str, Any], signed_at: tuple[datetime, ...]) -> Intent:
    action = row["action"]
    return Intent(
        id=row["id"],
        automation=row["automation_id"],
        slot=row["slot"],
        leg=row["leg"],
        action=action["kind"],
        trade=action["trade_id"],
        amount=action.get("amount"),
        state=row["state"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
        is_resolved=row["is_resolved"],
        signed_at=signed_at,
    )


def _automation(row: dict[str, Any]) -> Automation:
    action = row["config"]["action"]
    caps = action.get("max_per_position"), action.get("max_per_day")
    return Automation(row["id"], *caps, row["deleted_at"])


def read_slots(file: Path) -> set[tuple[str, str]]:
    """The slots that somebody made: lines of JSON with `automation` and `slot`."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {(line["automation"], line["slot"]) for line in lines}
