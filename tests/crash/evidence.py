"""What the judge looks at: the exchange's ledger, the platform's rows, the slots that were made.

When a row became what it is, the platform cannot be asked: what it writes itself is the time at
which a transaction began, or what a wrong clock told it. So `watch` has PostgreSQL keep a history
of the intents' states, in rows that never change, whose commits the server dates by itself
(`track_commit_timestamp`). Exchange and database are on one machine: their times compare.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import dict_row

ACTIONS = {"add_margin": "add_margin", "close": "close_position", "new_trade": "open"}
"""What the ledger calls an effect, and the platform the action."""

WATCH = """
CREATE TABLE judge_history (intent uuid NOT NULL, state text NOT NULL);
CREATE FUNCTION judge_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO judge_history VALUES (NEW.id, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER judge_note AFTER INSERT OR UPDATE OF state ON automations_intent
    FOR EACH ROW EXECUTE FUNCTION judge_note();
"""

QUERIES = {
    "clock": "SELECT clock_timestamp() AS now",
    "intents": """
        SELECT id::text, automation_id::text, slot, leg, action, state,
               resolved_by_id IS NOT NULL AS is_resolved
        FROM automations_intent
    """,
    "history": """
        SELECT intent::text, state, pg_xact_commit_timestamp(xmin) AS committed_at
        FROM judge_history ORDER BY committed_at
    """,
    "sends": "SELECT intent_id::text, sent_at FROM automations_tradelog ORDER BY id",
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
class Claim:
    """That an intent is about to be sent: when PostgreSQL committed it, and the signature's time,
    by the clock of the process that claimed it.
    """

    at: datetime
    signed_at: datetime

    @property
    def not_after(self) -> datetime:
        """When it was decided at the latest, though the clock was ahead or the COMMIT slow."""
        return min(self.at, self.signed_at)


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing the platform meant to do; `planned_at` is when PostgreSQL committed it."""

    id: str
    automation: str
    slot: str
    leg: int
    action: str
    trade: str
    amount: int | None
    state: str
    planned_at: datetime
    claims: tuple[Claim, ...] = ()
    is_resolved: bool = False


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


@dataclass(frozen=True, slots=True)
class Rows:
    """What the platform had written down at `read_at`, all of one moment."""

    read_at: datetime
    intents: list[Intent]
    automations: dict[str, Automation]
    errands: list[Errand]


def watch(url: str) -> None:
    """Keep a history of the intents in this database from now on."""
    with psycopg.connect(url) as connection:
        connection.execute(WATCH)


def read_ledger(file: Path, *, until: datetime) -> tuple[list[Effect], set[str]]:
    """What the exchange accepted from clients until then, and the trades that were over."""
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    entries = [entry for entry in entries if datetime.fromisoformat(entry["at"]) <= until]
    effects = [_effect(entry) for entry in entries if entry["by"] == "api"]
    over = {entry["trade"]["id"] for entry in entries if (entry["trade"] or {}).get("closed")}
    return effects, over


def read_database(url: str) -> Rows:
    """What the platform wrote down, in a database that is watched."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        rows = {name: connection.execute(query).fetchall() for name, query in QUERIES.items()}
    signed: dict[str, list[datetime]] = defaultdict(list)
    for send in rows["sends"]:
        signed[send["intent_id"]].append(send["sent_at"])
    history: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for step in rows["history"]:
        history[step["intent"]].append((step["state"], step["committed_at"]))
    return Rows(
        rows["clock"][0]["now"],
        [_intent(row, history[row["id"]], signed[row["id"]]) for row in rows["intents"]],
        {row["id"]: _automation(row) for row in rows["automations"]},
        [Errand(*row.values()) for row in rows["errands"]],
    )


def _effect(entry: dict[str, Any]) -> Effect:
    return Effect(
        seq=entry["seq"],
        action=ACTIONS.get(entry["kind"], entry["kind"]),
        trade=entry["trade"]["id"],
        amount=entry["request"].get("amount"),
        at=datetime.fromisoformat(entry["at"]),
        signed_at=datetime.fromisoformat(entry["signed_at"]),
    )


def _intent(
    row: dict[str, Any], history: list[tuple[str, datetime]], signed: list[datetime]
) -> Intent:
    action = row["action"]
    claimed = [at for state, at in history if state == "sending"]
    return Intent(
        id=row["id"],
        automation=row["automation_id"],
        slot=row["slot"],
        leg=row["leg"],
        action=action["kind"],
        trade=action["trade_id"],
        amount=action.get("amount"),
        state=row["state"],
        planned_at=history[0][1],
        claims=tuple(map(Claim, claimed, signed)),
        is_resolved=row["is_resolved"],
    )


def _automation(row: dict[str, Any]) -> Automation:
    action = row["config"]["action"]
    caps = action.get("max_per_position"), action.get("max_per_day")
    return Automation(row["id"], *caps, row["deleted_at"])


def read_slots(file: Path) -> set[tuple[str, str]]:
    """The slots that somebody made: lines of JSON with `automation` and `slot`."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {(line["automation"], line["slot"]) for line in lines}
