"""What is in danger, and what lost its guard: read, and acknowledged."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin_audit import operator_of
from automations.admin.shown import COLOURS, ReadOnlyAdmin
from automations.margin import unguarded
from automations.models import MarginAlert, UnguardedPosition


@admin.register(MarginAlert)
class MarginAlertAdmin(ReadOnlyAdmin):
    """Positions in danger now, and accounts that cannot be read."""

    list_display = ("crossed_at", "danger", "what", "account", "owner", "margin_used", "price")
    list_filter = ("level",)
    list_select_related = ("account__user",)
    search_fields = ("trade_id", "account__name", "account__user__username")

    @display(description="level", ordering="level", label=COLOURS)
    def danger(self, alert: MarginAlert) -> str:
        return alert.level

    @display(description="position", ordering="trade_id")
    def what(self, alert: MarginAlert) -> str:
        return alert.trade_id or "the account"

    @display(description="user", ordering="account__user")
    def owner(self, alert: MarginAlert) -> str:
        return alert.account.user.get_username()


@admin.register(UnguardedPosition)
class UnguardedPositionAdmin(ReadOnlyAdmin):
    """Positions that lost their guards by a switch, until they are closed or guarded again."""

    list_display = (
        "lost_at", "what", "account", "owner", "guards", "acknowledged_at", "acknowledged_by",
        "ended", "ended_at",
    )  # fmt: skip
    list_filter = (
        ("ended_at", admin.EmptyFieldListFilter),
        ("acknowledged_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("account__user", "acknowledged_by")
    search_fields = ("trade_id", "account__name", "account__user__username")
    actions = ("acknowledge",)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Who may change one may say that its owner knows."""
        return bool(request.user.has_perm("automations.change_unguardedposition"))

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[UnguardedPosition]) -> None:
        """Note that it is known; the owner is not reminded any more."""
        operator = operator_of(request)
        for row in queryset.select_related("account__user"):
            if unguarded.acknowledge(row, by=operator):
                self.log_change(request, row, "Acknowledged.")
                messages.success(request, f"Acknowledged: {row}.")
            else:
                messages.error(request, f"It is acknowledged or over already: {row}.")

    @display(description="position", ordering="trade_id")
    def what(self, row: UnguardedPosition) -> str:
        return row.trade_id or "still to be listed"

    @display(description="user", ordering="account__user")
    def owner(self, row: UnguardedPosition) -> str:
        return row.account.user.get_username()
