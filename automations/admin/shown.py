"""What the pages share: colours of outcomes, and what can be read and never written."""

from accounts.admin_audit import ReadOnlyAdmin

__all__ = ["COLOURS", "ReadOnlyAdmin"]

COLOURS = {
    "success": "success",
    "confirmed": "success",
    "pending": "warning",
    "sending": "warning",
    "satisfied": "success",
    "unknown": "warning",
    "shadow": "info",
    "needs_operator": "danger",
    "error": "danger",
    "rejected": "danger",
    "warning": "warning",
    "critical": "danger",
    "blind": "danger",
}
