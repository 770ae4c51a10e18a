"""The judge: what the exchange accepted against what the platform wrote down.

    python -m tests.crash.judge --ledger FILE --database URL [--sent FILE] [--json]

It shares no code with the platform and believes neither it nor the harness: the exchange's own
ledger says what was done, PostgreSQL what was meant. An effect and the request it came from are
the same when trade, action, amount and signature time are. Ends with 1 when anything is wrong.

    written_before   every effect has an intent, committed before it
    once             an intent, and a leg of a slot, has at most one effect
    not_lost         what had an effect is known to have it, or a person is asked
    not_guessed      what is called confirmed had its effect, or a person said so
    not_old          nothing is signed long after it was decided
    in_budget        the effects stay within the caps of the automation's config
    not_deleted      nothing is signed for a deleted automation
    slot_known       what acted was started by somebody: no slot is made up on the way
    not_stuck        nothing is under way for longer than is allowed
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash.evidence import (
    Automation,
    Effect,
    Errand,
    Intent,
    read_database,
    read_ledger,
    read_slots,
)

HAD_EFFECT = {"confirmed", "satisfied", "needs_operator"}
UNDER_WAY = {"planned", "sending", "unknown"}
DAY = timedelta(days=1)
CLOCK = timedelta(milliseconds=1)
"""The exchange's clock shows whole milliseconds."""

COMMIT = timedelta(milliseconds=500)
"""How long the transaction that deletes, or plans, may take from its time to its commit."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, by which automation, and in what way."""

    rule: str
    automation: str
    text: str


@dataclass
class Case:
    """Everything to be judged. `slots` are pairs of automation and slot, None when not known."""

    effects: list[Effect]
    intents: list[Intent]
    automations: dict[str, Automation]
    errands: list[Errand] = field(default_factory=list)
    slots: set[tuple[str, str]] | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    wish: timedelta = timedelta(seconds=2)
    patience: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        signatures = {_signature(i, at): i for i in self.intents for at in i.signed_at}
        self.cause = {effect.seq: signatures.get(_key(effect)) for effect in self.effects}
        self.effects_of: dict[str, list[Effect]] = defaultdict(list)
        for effect in self.effects:
            if intent := self.cause[effect.seq]:
                self.effects_of[intent.id].append(effect)


def judge(case: Case) -> list[Violation]:
    """Everything that is wrong with it."""
    return [violation for rule in RULES for violation in rule(case)]


def written_before(case: Case) -> Iterator[Violation]:
    """Every effect has an intent, committed before it."""
    for effect in case.effects:
        intent = case.cause[effect.seq]
        if intent is None:
            text = f"{_said(effect)}: no intent was signed at {effect.signed_at:%T.%f}"
            yield Violation("written_before", _owner(case, effect), text)
        elif intent.created_at > effect.at + CLOCK:
            text = f"{_said(effect)}: its intent was written later, {intent.created_at:%T.%f}"
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
    """What had an effect is known to have it, or a person is asked."""
    for intent in case.intents:
        if case.effects_of[intent.id] and intent.state not in HAD_EFFECT:
            text = f"intent {intent.id} had an effect and is {intent.state}"
            yield Violation("not_lost", intent.automation, text)


def not_guessed(case: Case) -> Iterator[Violation]:
    """What is called confirmed had its effect, or a person said so."""
    for intent in case.intents:
        is_claimed = intent.state == "confirmed" and not intent.is_resolved
        if is_claimed and not case.effects_of[intent.id]:
            text = f"intent {intent.id} is confirmed and the exchange did nothing"
            yield Violation("not_guessed", intent.automation, text)


def not_old(case: Case) -> Iterator[Violation]:
    """Nothing is signed long after it was decided."""
    for intent in case.intents:
        for at in intent.signed_at:
            if at > intent.created_at + case.wish + COMMIT:
                age = (at - intent.created_at).total_seconds()
                text = f"intent {intent.id} was signed {age:.1f} s after it was written"
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
    """Nothing is signed for a deleted automation."""
    for effect in case.effects:
        automation = case.automations.get(_owner(case, effect))
        deleted_at = automation and automation.deleted_at
        if deleted_at and effect.signed_at > deleted_at + COMMIT:
            text = f"{_said(effect)}: it was deleted at {deleted_at:%T.%f}"
            yield Violation("not_deleted", automation.id, text)


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
        if intent.state in UNDER_WAY and intent.created_at < since:
            text = f"intent {intent.id} is {intent.state} since {intent.created_at:%T}"
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


def _signature(intent: Intent, at: datetime) -> tuple[object, ...]:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return intent.trade, intent.action, intent.amount, at


def _owner(case: Case, effect: Effect) -> str:
    """The automation an effect counts for: of its intent, or of any on the same trade."""
    if intent := case.cause[effect.seq]:
        return intent.automation
    return next((i.automation for i in case.intents if i.trade == effect.trade), "")


def _in_the_day_before(effects: list[Effect], end: datetime) -> int:
    return sum(effect.amount or 0 for effect in effects if end - DAY < effect.at <= end)


def _said(effect: Effect) -> str:
    return f"{effect.action} on {effect.trade} at {effect.at:%T.%f}"


def main(arguments: list[str] | None = None) -> int:
    """Judge, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ledger", type=Path, required=True, help="the exchange's ledger")
    parser.add_argument("--database", required=True, help="postgres://… of the platform")
    parser.add_argument("--sent", type=Path, help="JSON lines of the slots that were made")
    parser.add_argument("--wish-seconds", type=float, default=20, help="age an intent may have")
    parser.add_argument("--stuck-seconds", type=float, default=600, help="how long it may take")
    parser.add_argument("--json", action="store_true", help="for programs")
    given = parser.parse_args(arguments)
    case = Case(
        read_ledger(given.ledger),
        *read_database(given.database),
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
