"""What was begun and must not be done twice: what comes after it waits."""

from automations.rules.base import Reason, Severity
from automations.snapshots import Snapshot

OWN_ORDER = "open"
"""What stands for an order of the automation's own in a snapshot's `under_way` and `unsettled`."""


def unfinished(snapshot: Snapshot, *targets: str) -> Reason | None:
    """Why nothing may be sent to any of `targets` that is not the same when it is sent twice."""
    if snapshot.under_way.intersection(targets):
        return Reason("under_way", "an earlier order there is just being sent.")
    if snapshot.unsettled.intersection(targets):
        text = "the outcome of an earlier order there is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    return None
