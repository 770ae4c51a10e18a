"""Of what a rule wants, only what a person asked for: never more, and nothing else.

A person asks for a kind of action, for one trade, or for what was proposed. Steps that belong
together are asked for together: a close that is to be followed by a reopening is a
`reduce_position`, and never becomes a close alone.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, get_args

from automations import risk
from automations.models import Errand
from automations.perform import needs_the_one_before, target_of
from automations.rules.actions import Action
from automations.rules.base import Decision, Reason

REDUCE = "reduce_position"
ACTIONS = sorted({REDUCE, *(
    str(field.default)
    for member in get_args(Action)
    for field in fields(member)
    if field.name == "kind"
)} - {"reopen_position"})  # fmt: skip
"""What may be asked for."""

LARGER_BY = Decimal("1.1")
"""Prices move until a proposal is confirmed, and amounts with them: so much, and no more."""

SIZES = ("amount", "quantity")
DIRECTIONS = ("side", "asset")


def narrowed(decision: Decision, errand: Errand) -> Decision:
    """The decision without what was not asked for; its reason says that something was left out."""
    kept = tuple(
        action
        for steps in risk.sagas(decision.actions)
        if _is_asked_for(steps, errand)
        for action in steps
    )
    if len(kept) == len(decision.actions):
        return decision
    text = f"{decision.reason.text} Left out: what was not asked for."
    return replace(decision, actions=kept, reason=Reason("narrowed", text))


def _is_asked_for(steps: Sequence[Action], errand: Errand) -> bool:
    if errand.only_action and errand.only_action != _name(steps):
        return False
    if errand.only_trade and errand.only_trade != getattr(steps[0], "trade_id", ""):
        return False
    return errand.proposal is None or _is_proposed(steps, errand)


def _name(steps: Sequence[Action]) -> str:
    return REDUCE if any(map(needs_the_one_before, steps)) else steps[0].kind


def _is_proposed(steps: Sequence[Action], errand: Errand) -> bool:
    """Whether the same was proposed on the same target: all of its steps, none much larger."""
    target = target_of(steps[0], errand.automation_id)
    proposed = [each for each in _actions_of(errand) if each["target"] == target]
    return len(proposed) == len(steps) and all(map(_is_as_proposed, steps, proposed))


def _actions_of(errand: Errand) -> list[dict[str, Any]]:
    return list(errand.proposal.actions) if errand.proposal else []


def _is_as_proposed(step: Action, proposed: dict[str, Any]) -> bool:
    if step.kind != proposed["kind"]:
        return False
    if any(getattr(step, name, None) != proposed.get(name) for name in DIRECTIONS):
        return False
    return all(
        Decimal(getattr(step, name)) <= Decimal(proposed[name]) * LARGER_BY
        for name in SIZES
        if name in proposed
    )
