"""How these tests read: a config as a person writes it, in; a decision, out."""

from datetime import timedelta
from typing import Any

from automations.rules.base import Decision, RuleConfig, RuleMemory
from automations.rules.registry import KINDS
from automations.snapshots import PastAction, Snapshot
from tests.builders import NOW


def parsed(kind: str, config: dict[str, Any]) -> RuleConfig:
    """The typed config; raises `pydantic.ValidationError`."""
    return KINDS[kind].parse(config)


def decided(
    kind: str, snapshot: Snapshot, config: dict[str, Any], memory: RuleMemory | None = None
) -> Decision:
    """What the kind decides; `memory` is as it is stored."""
    stored = {} if memory is None else memory.model_dump(mode="json")
    return KINDS[kind].evaluate(snapshot, config, stored)


def codes(decision: Decision) -> dict[str, str]:
    """The reason's code of each position."""
    return {found.trade_id: found.reason.code for found in decision.findings}


def past(sats: int = 0, *, ago: int = 3600, on: str = "t1", kind: str = "add_margin") -> PastAction:
    """Something the automation did to a position `ago` seconds ago."""
    return PastAction(on, sats, NOW - timedelta(seconds=ago), kind)
