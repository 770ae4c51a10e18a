"""What the pages share: the colours of outcomes, and what can be read and never written."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

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


class ReadOnlyAdmin(ModelAdmin):
    """History: it can be read, never written."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are written by runs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened, happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is evidence."""
        return False
