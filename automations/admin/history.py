"""What happened, to be read: executions, orders, quiet times, and who works on what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline
from unfold.decorators import display

from automations.admin.intents import IntentColumns
from automations.admin.shown import COLOURS, ReadOnlyAdmin
from automations.models import Errand, Execution, Intent, QuietSpan, TradeLog, Turn
from automations.presentation import positions_of, seen_by


class IntentInline(IntentColumns, TabularInline):
    """The effects of an execution."""

    model = Intent
    verbose_name_plural = "What was sent"
    fields = ("does", "amount", "state", "error", "signed_at", "settled_at")
    readonly_fields = fields
    ordering = ("leg",)
    extra = 0
    can_delete = False
    hide_title = True
    show_change_link = True


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    """What runs did and why."""

    list_display = (
        "started_at", "outcome", "reason_text", "action", "automation_name", "account_name",
        "cause", "mode", "duration",
    )  # fmt: skip
    list_filter = ("status", "event", "reason_code", "cause", "mode")
    list_select_related = ("automation",)
    search_fields = ("id", "slot", "trade_id", "automation__name", "account_name")
    date_hierarchy = "started_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status", "duration"), "reason_text", "seen", ("action", "trade_id"), "error",
                )
            },
        ),
        (
            "Run",
            {
                "fields": (
                    ("automation", "account"),
                    ("started_at", "slot"),
                    ("cause", "mode", "requested_by"),
                )
            },
        ),
        (
            "Everything it saw and found",
            {"fields": ("event", "reason_code", "inputs", "findings"),
             "classes": ("collapse",)},
        ),
    )  # fmt: skip
    readonly_fields = ("seen", "duration")
    inlines = (IntentInline,)
    change_form_after_template = "automations/positions.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Add the table of positions."""
        context["positions"] = positions_of(context["original"])
        shown: HttpResponse = super().render_change_form(request, context, *args, **options)
        return shown

    @display(description="status", ordering="status", label=COLOURS)
    def outcome(self, execution: Execution) -> str:
        return execution.status

    @display(description="automation", ordering="automation__name")
    def automation_name(self, execution: Execution) -> str:
        return execution.automation.name

    @display(description="took")
    def duration(self, execution: Execution) -> str:
        took = execution.duration_ms
        return "not over" if took is None else f"{took:,}\N{NO-BREAK SPACE}ms"

    @display(description="it saw")
    def seen(self, execution: Execution) -> str:
        return seen_by(execution)


@admin.register(TradeLog)
class TradeLogAdmin(ReadOnlyAdmin):
    """Every order that was sent."""

    list_display = ("sent_at", "came_back", "action", "amount", "trade_id", "account_name", "error")
    list_filter = ("outcome", "action")
    search_fields = ("trade_id", "account_name")
    date_hierarchy = "sent_at"

    @display(description="outcome", ordering="outcome", label=COLOURS)
    def came_back(self, log: TradeLog) -> str:
        return log.outcome

    @display(description="sats", ordering="sats")
    def amount(self, log: TradeLog) -> str:
        return f"{log.sats:,}"


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Who may act on which account now."""

    list_display = ("account", "fence", "until")
    list_select_related = ("account",)


@admin.register(QuietSpan)
class QuietSpanAdmin(ReadOnlyAdmin):
    """Since when, how often and why an automation had nothing to do."""

    list_display = ("automation", "reason_text", "count", "first_seen_at", "last_seen_at")
    list_filter = ("reason_code",)
    list_select_related = ("automation",)
    search_fields = ("automation__name", "automation__id")


@admin.register(Errand)
class ErrandAdmin(ReadOnlyAdmin):
    """What is to be executed and has not been yet."""

    list_display = ("automation", "slot", "cause", "is_protective", "attempts", "not_before")
    list_select_related = ("automation",)
