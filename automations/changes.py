"""What people change of automations, in words of the audit.

Pausing, resuming and another mode are acts of their own; the other fields are one update.
"""

from collections.abc import Mapping
from typing import Any

from accounts.audit import record_audit
from accounts.models import User
from automations.models import Automation

UPDATED = ("name", "config", "every")
GIVEN = ("kind", *UPDATED, "mode", "is_active")


def record(
    action: str,
    automation: Automation,
    *,
    by: User | None,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done to an automation, in the transaction that does it."""
    record_audit(
        action,
        by=by,
        subject=f"automation/{automation.pk}",
        user=automation.user,
        account=automation.account,
        reason=reason,
        data=data,
    )


def record_made(
    action: str, automation: Automation, *, by: User | None, reason: str = "", **origin: str
) -> None:
    """Write down that there is a new one, and all it was given."""
    given = {name: getattr(automation, name) for name in GIVEN}
    record(action, automation, by=by, reason=reason, data={**given, **origin})


def record_changed(before: Automation, after: Automation, *, by: User | None) -> None:
    """Write down each change between two states of one automation, as [old, new]."""
    if before.mode != after.mode:
        record("automation_mode_set", after, by=by, data={"mode": [before.mode, after.mode]})
    if changed := _differences(before, after):
        record("automation_updated", after, by=by, data=changed)


def _differences(before: Automation, after: Automation) -> dict[str, list[Any]]:
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in UPDATED}
    return {name: [old, new] for name, (old, new) in pairs.items() if old != new}
