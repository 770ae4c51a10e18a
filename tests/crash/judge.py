"""The judge: what the exchange accepted against what the platform wrote down.

    python -m tests.crash.judge --ledger FILE --database URL [--sent FILE] [--json]

It shares no code with the platform and believes neither it nor the harness: the exchange's own
ledger says what was done, PostgreSQL what was meant, and when that was committed (`evidence`). An
effect and the request it came from are the same when trade, action, amount and signature time
are. It may be asked while the platform runs: it looks at one moment. Ends with 1 when anything is
wrong.

    written_before   every effect has an intent, committed and claimed before it
    once             an intent, and a leg of a slot, has at most one effect
    not_lost         what had an effect is not taken for undone
    not_guessed      what is called done is done at the exchange, or a person said so
    not_old          nothing is claimed long after it was decided
    in_budget        the effects stay within the caps of the automation's config
    not_deleted      nothing is claimed for a deleted automation
    slot_known       what acted was started by somebody: no slot is made up on the way
    not_stuck        nothing is under way for longer than is allowed
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.evidence import (
    Automation,
    Claim,
    Effect,
    Errand,
    Intent,
    read_database,
    read_ledger,
    read_slots,
)

UNDONE = {"planned", "rejected", "lapsed"}
UNDER_WAY = {"planned", "sending", "unknown"}
DAY = timedelta(days=1)
CLOCK = timedelta(milliseconds=1)
"""The exchange's clock shows whole milliseconds."""

COMMIT = timedelta(milliseconds=500)
"""How long a transaction that deletes or claims may take from its time to its commit."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, by which automation, and in what way."""

    rule: str
    automation: str
    text: str


@dataclass
class Case:
    """Everything to be judged, as it was at `now`.

    `over` are the trades that run no more at the exchange, whoever ended them. `slots` are pairs
    of automation and slot, None when not known.
    """

    effects: list[Effect]
    intents: list[Intent]
    automations: dict[str, Automation]
    now: datetime
    over: set[str] = field(default_factory=set)
    errands: list[Errand] = field(default_factory=list)
    slots: set[tuple[str, str]] | None = None
    wish: timedelta = timedelta(seconds=2)
    patience: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        signatures = {_signature(i, claim): (i, claim) for i in self.intents for claim in i.claims}
        self.causes = {
            effect.seq: signatures[_key(effect)]
            for effect in self.effects
            if _key(effect) in signatures
        }
        self.effects_of: dict[str, list[Effect]] = defaultdict(list)
        for effect in self.effects:
            if effect.seq in self.causes:
                self.effects_of[self.causes[effect.seq][0].id].append(effect)


def judge(case: Case) -> list[Violation]:
    """Everything that is wrong with it."""
    return [violation for rule in RULES for violation in rule(case)]


def written_before(case: Case) -> Iterator[Violation]:
    """Every effect has an intent, committed and claimed before it."""
    for effect in case.effects:
        if effect.seq not in case.causes:
            text = f"{_said(effect)}: no intent was signed at {effect.signed_at:%T.%f}"
            yield Violation("written_before", _owner(case, effect), text)
            continue
        intent, claim = case.causes[effect.seq]
        for what, at in (("written", intent.planned_at), ("claimed", claim.at)):
            if at > effect.at + CLOCK:
                text = f"{_said(effect)}: its intent was {what} later, at {at:%T.%f}"
                yield Violation("written_before", intent.automation, text)


def once(case: Case) -> Iterator[Violation]:
    """An intent, and a leg of a slot, has at most one effect."""
    legs: Counter[tuple[str, str, int]] = Counter()
    for intent in case.intents:
        number = len(case.effects_of[intent.id])
        legs[intent.automation, intent.slot, intent.leg] += number
    for (automation, slot, leg), number in legs.items():
        if number > 1:
            yield Violation("once", automation, f"{slot}, leg {leg}: {number} effects")


def not_lost(case: Case) -> Iterator[Violation]:
    """What had an effect is not taken for undone."""
    for intent in case.intents:
        if case.effects_of[intent.id] and intent.state in UNDONE:
            text = f"intent {intent.id} had an effect and is {intent.state}"
            yield Violation("not_lost", intent.automation, text)


def not_guessed(case: Case) -> Iterator[Violation]:
    """What is called done is done at the exchange, or a person said so."""
    for intent in case.intents:
        if intent.is_resolved or case.effects_of[intent.id]:
            continue
        is_over = intent.action == "close_position" and intent.trade in case.over
        if intent.state == "confirmed" or (intent.state == "satisfied" and not is_over):
            text = f"intent {intent.id} is {intent.state} and the exchange did nothing"
            yield Violation("not_guessed", intent.automation, text)


def not_old(case: Case) -> Iterator[Violation]:
    """Nothing is claimed long after it was decided."""
    for intent in case.intents:
        for claim in intent.claims:
            age = claim.not_after - intent.planned_at
            if age > case.wish + COMMIT:
                late = f"{age.total_seconds():.1f} s after it was written"
                text = f"intent {intent.id} was claimed {late}"
                yield Violation("not_old", intent.automation, text)


def in_budget(case: Case) -> Iterator[Violation]:
    """The effects stay within the caps of the automation's config."""
    spent: dict[str, list[Effect]] = defaultdict(list)
    for effect in case.effects:
        spent[_owner(case, effect)].append(effect)
    for automation in case.automations.values():
        effects = spent[automation.id]
        for trade in {effect.trade for effect in effects}:
            on_trade = sum(effect.amount or 0 for effect in effects if effect.trade == trade)
            if automation.per_position is not None and on_trade > automation.per_position:
                text = f"{on_trade} of {automation.per_position} sats on trade {trade}"
                yield Violation("in_budget", automation.id, text)
        most = max((_in_the_day_before(effects, effect.at) for effect in effects), default=0)
        if automation.per_day is not None and most > automation.per_day:
            text = f"{most} of {automation.per_day} sats in a day"
            yield Violation("in_budget", automation.id, text)


def not_deleted(case: Case) -> Iterator[Violation]:
    """Nothing is claimed for a deleted automation."""
    for intent in case.intents:
        deleted_at = case.automations[intent.automation].deleted_at
        for claim in intent.claims:
            if deleted_at and claim.not_after > deleted_at + COMMIT:
                text = f"intent {intent.id} was claimed after that, at {claim.at:%T.%f}"
                yield Violation("not_deleted", intent.automation, text)


def slot_known(case: Case) -> Iterator[Violation]:
    """What acted was started by somebody: no slot is made up on the way."""
    for intent in case.intents:
        is_known = case.slots is None or (intent.automation, intent.slot) in case.slots
        if case.effects_of[intent.id] and not is_known:
            yield Violation("slot_known", intent.automation, f"nobody made the slot {intent.slot}")


def not_stuck(case: Case) -> Iterator[Violation]:
    """Nothing is under way for longer than is allowed."""
    since = case.now - case.patience
    for intent in case.intents:
        if intent.state in UNDER_WAY and intent.planned_at < since:
            text = f"intent {intent.id} is {intent.state} since {intent.planned_at:%T}"
            yield Violation("not_stuck", intent.automation, text)
    for errand in case.errands:
        if errand.created_at < since:
            text = f"errand {errand.slot} waits since {errand.created_at:%T}"
            yield Violation("not_stuck", errand.automation, text)


RULES = (
    written_before,
    once,
    not_lost,
    not_guessed,
    not_old,
    in_budget,
    not_deleted,
    slot_known,
    not_stuck,
)


def _key(effect: Effect) -> tuple[object, ...]:
    return effect.trade, effect.action, effect.amount, effect.signed_at


def _signature(intent: Intent, claim: Claim) -> tuple[object, ...]:
    at = claim.signed_at.replace(microsecond=claim.signed_at.microsecond // 1000 * 1000)
    return intent.trade, intent.action, intent.amount, at


def _owner(case: Case, effect: Effect) -> str:
    """The automation an effect counts for: of its intent, or of any on the same trade."""
    if effect.seq in case.causes:
        return case.causes[effect.seq][0].automation
    return next((i.automation for i in case.intents if i.trade == effect.trade), "")


def _in_the_day_before(effects: list[Effect], end: datetime) -> int:
    return sum(effect.amount or 0 for effect in effects if end - DAY < effect.at <= end)


def _said(effect: Effect) -> str:
    return f"{effect.action} on {effect.trade} at {effect.at:%T.%f}"


def main(arguments: list[str] | None = None) -> int:
    """Judge, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ledger", type=Path, required=True, help="the exchange's ledger")
    parser.add_argument("--database", required=True, help="postgres://… of the platform, watched")
    parser.add_argument("--sent", type=Path, help="JSON lines of the slots that were made")
    parser.add_argument("--wish-seconds", type=float, default=20, help="age an intent may have")
    parser.add_argument("--stuck-seconds", type=float, default=600, help="how long it may take")
    parser.add_argument("--json", action="store_true", help="for programs")
    given = parser.parse_args(arguments)
    rows = read_database(given.database)
    effects, over = read_ledger(given.ledger, until=rows.read_at)
    case = Case(
        effects,
        rows.intents,
        rows.automations,
        rows.read_at,
        over,
        rows.errands,
        slots=read_slots(given.sent) if given.sent else None,
        wish=timedelta(seconds=given.wish_seconds),
        patience=timedelta(seconds=given.stuck_seconds),
    )
    violations = judge(case)
    sys.stdout.write(_as_json(case, violations) if given.json else _as_text(case, violations))
    return 1 if violations else 0


def _counts(case: Case, violations: list[Violation]) -> dict[str, Any]:
    return {
        "effects": len(case.effects),
        "intents": len(case.intents),
        "states": dict(Counter(intent.state for intent in case.intents)),
        "broken": dict(Counter(violation.rule for violation in violations)),
    }


def _as_json(case: Case, violations: list[Violation]) -> str:
    found = _counts(case, violations) | {"violations": [asdict(v) for v in violations]}
    return json.dumps(found) + "\n"


def _as_text(case: Case, violations: list[Violation]) -> str:
    counts = _counts(case, violations)
    lines = [f"{counts['effects']} effects, {counts['intents']} intents: {counts['states']}"]
    lines += [f"  {rule.__name__:15} {counts['broken'].get(rule.__name__, 0):6}" for rule in RULES]
    lines += [f"{v.rule}: automation {v.automation}: {v.text}" for v in violations]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
