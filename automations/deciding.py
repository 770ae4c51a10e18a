"""What an automation decides, with everything that stands between its rule and an order.

rule.decide      what the rule wants                            pure
narrowed         to what a person asked for, never more         pure
risk.vet         to what limits and restrictions allow          pure
asks             whether a person has to say yes first
"""

from dataclasses import replace

from automations import proposals, restrictions, risk
from automations.models import AccountLimits, Automation, Errand, Execution
from automations.narrowing import narrowed
from automations.rules.base import Decision
from automations.rules.registry import kind_of
from automations.snapshots import Snapshot


def look(automation: Automation, snapshot: Snapshot) -> Decision:
    """What would be done at a tick; without actions while a person is being asked for their yes."""
    decision = _vetted(_wanted(automation, snapshot), automation, snapshot)
    answer = proposals.answer_to(automation, decision) if decision.asks else None
    if answer is None:
        return decision
    reason = replace(answer, text=f"{decision.reason.text} {answer.text}")
    return replace(decision, actions=(), reason=reason, waits=True)


def decide(automation: Automation, snapshot: Snapshot, errand: Errand) -> Decision:
    """What is to be done for an errand; its reason says what was held back."""
    wanted = narrowed(_wanted(automation, snapshot), errand)
    decision = _vetted(wanted, automation, snapshot)
    return replace(decision, asks=decision.asks and errand.cause != Execution.Cause.CONFIRMED)


def _wanted(automation: Automation, snapshot: Snapshot) -> Decision:
    kind = kind_of(automation.kind)
    return kind.evaluate(snapshot, automation.config, automation.memory)


def _vetted(decision: Decision, automation: Automation, snapshot: Snapshot) -> Decision:
    """Within limits and restrictions, and whether a person has to be asked; on paper nobody is."""
    if not decision.actions:
        return decision
    in_force = restrictions.in_force(automation.account)
    decision = risk.vet(decision, snapshot, limits_of(automation), in_force)
    if automation.mode == Automation.Mode.SHADOW:
        return replace(decision, asks=False)
    asks = decision.asks or in_force.unconfirmed or automation.mode == Automation.Mode.CONFIRM
    return replace(decision, asks=asks and bool(decision.actions))


def limits_of(automation: Automation) -> risk.Limits:
    """The limits of the automation's account; none where nobody set any."""
    row = AccountLimits.objects.filter(account_id=automation.account_id).first()
    if row is None:
        return risk.Limits()
    return risk.Limits(
        sats_per_position=row.sats_per_position,
        sats_per_day=row.sats_per_day,
        orders_per_day=row.orders_per_day,
        leverage=row.leverage,
        exposure=row.exposure,
    )
