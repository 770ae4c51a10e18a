"""The operator's view: automations can be steered, what happened can only be read."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.generic import FormView
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.views import UnfoldModelAdminViewMixin

from accounts.errors import InvalidField
from accounts.models import User
from automations import services, settlement
from automations.forms import AutomationForm, ResolveForm
from automations.models import Automation, Errand, Execution, Intent, QuietSpan, TradeLog, Turn
from automations.presentation import positions_of, seen_by

COLOURS = {
    "success": "success",
    "confirmed": "success",
    "pending": "warning",
    "sending": "warning",
    "satisfied": "success",
    "unknown": "warning",
    "needs_operator": "danger",
    "error": "danger",
    "rejected": "danger",
}


@admin.register(Automation)
class AutomationAdmin(ModelAdmin):
    """What runs on whose account, and what it last saw."""

    form = AutomationForm
    list_display = ("name", "user", "account", "kind", "is_active", "checked_at", "reason_text")
    list_filter = ("kind", "is_active", "reason_code")
    list_select_related = ("user", "account")
    search_fields = ("name", "user__username", "id")
    actions = ("pause", "resume")

    def get_fieldsets(self, request: HttpRequest, obj: Automation | None = None) -> Any:
        """Owner, account and kind are chosen once; what was last seen comes later."""
        written = ("name", "is_active", "every", "config")
        if obj is None:
            return ((None, {"fields": ("account", "kind", *written)}),)
        return (
            (None, {"fields": (*written, ("user", "account", "kind"))}),
            ("Last check", {"fields": ("checked_at", "reason_text", "reason_code", "id")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Automation | None = None) -> Any:
        """Owner, account and kind stay what they were; the rest is written by runs."""
        fixed = ("user", "account", "kind", "checked_at", "reason_text", "reason_code", "id")
        return fixed if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Automation]:
        """Deleted ones are history."""
        automations: QuerySet[Automation] = super().get_queryset(request)
        return automations.filter(deleted_at=None)

    def save_model(self, request: HttpRequest, obj: Automation, form: Any, change: bool) -> None:
        """Save through the service, so that the schedule follows."""
        services.save_automation(automation=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History refers to it: pause it here, or delete it by the API, which keeps the row."""
        return False

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Stop the chosen automations."""
        self._switch(request, queryset, is_active=False)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Start the chosen automations again."""
        self._switch(request, queryset, is_active=True)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Automation], *, is_active: bool
    ) -> None:
        done = "Resumed" if is_active else "Paused"
        for automation in queryset:
            try:
                services.update_automation(automation=automation, is_active=is_active)
            except InvalidField as error:
                messages.error(request, f"{automation.name}: {error.message}")
            else:
                self.log_change(request, automation, f"{done}.")
                messages.success(request, f"{done}: {automation.name}.")


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


class IntentColumns:
    """What an intent does, in two columns."""

    @display(description="action")
    def does(self, intent: Intent) -> str:
        return str(intent.action["kind"])

    @display(description="sats", ordering="sats")
    def amount(self, intent: Intent) -> str:
        return f"{intent.sats:,}"


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
        "cause", "duration",
    )  # fmt: skip
    list_filter = ("status", "event", "reason_code", "cause")
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
        ("Run", {"fields": (("automation", "account"), ("started_at", "slot"))}),
        (
            "Everything it saw and found",
            {"fields": ("event", "cause", "reason_code", "inputs", "findings"),
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


class ResolveView(UnfoldModelAdminViewMixin, FormView[ResolveForm]):
    """Where a person says what became of an intent that could not be told apart."""

    title = "What became of it?"
    permission_required = "automations.resolve_intent"
    raise_exception = True
    form_class = ResolveForm
    template_name = "automations/resolve.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Show what was sent and what the position was like."""
        return super().get_context_data(intent=self._intent(), **context)

    def form_valid(self, form: ResolveForm) -> HttpResponse:
        """Settle it, once; a second answer changes nothing."""
        intent = self._intent()
        operator = User.objects.get(username=self.request.user.get_username())
        was_done = form.cleaned_data["found"] == "done"
        if settlement.resolve(intent, was_done=was_done, by=operator):
            self.model_admin.log_change(self.request, intent, intent.error)
            messages.success(self.request, f"Settled. {intent.error}")
        else:
            messages.error(self.request, "It is settled already; nothing was changed.")
        return HttpResponseRedirect(reverse("admin:automations_intent_change", args=[intent.pk]))

    def _intent(self) -> Intent:
        waiting = Intent.objects.select_related("automation__user", "account", "execution")
        return get_object_or_404(waiting, pk=self.kwargs["pk"])


@admin.register(Intent)
class IntentAdmin(IntentColumns, ReadOnlyAdmin):
    """Effects, from the wish to what became of it."""

    list_display = ("created_at", "outcome", "does", "amount", "target", "automation", "error")
    list_filter = ("state",)
    list_select_related = ("automation",)
    search_fields = ("id", "target", "slot")
    readonly_fields = ("decide",)

    def get_urls(self) -> list[URLPattern]:
        """Beside Django's own: the page on which a person decides."""
        view = self.admin_site.admin_view(ResolveView.as_view(model_admin=self))
        own: list[URLPattern] = [
            path("<uuid:pk>/resolve/", view, name="automations_intent_resolve"),
            *super().get_urls(),
        ]
        return own

    @display(description="state", ordering="state", label=COLOURS)
    def outcome(self, intent: Intent) -> str:
        return intent.state

    @display(description="needs a person")
    def decide(self, intent: Intent) -> str:
        if intent.state != Intent.State.NEEDS_OPERATOR:
            return "no"
        address = reverse("admin:automations_intent_resolve", args=[intent.pk])
        return format_html('<a href="{}">Yes: look at the exchange and decide</a>', address)


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
