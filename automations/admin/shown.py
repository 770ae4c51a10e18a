"""What the pages share: colours of outcomes, who is signed in, what is read and never written."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.models import User

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


def operator_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return User.objects.get(username=request.user.get_username())


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
