"""The operator's view: automations can be steered, what happened can only be read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from pydantic import ValidationError as ConfigError
from unfold.admin import ModelAdmin

from automations import services
from automations.models import Automation, Execution, Intent, TradeLog, Turn
from automations.validation import config_errors


class AutomationForm(forms.ModelForm[Automation]):
    """The fields an operator may change, checked as the API checks them."""

    class Meta:
        model = Automation
        fields = ("user", "account", "kind", "name", "config", "every", "is_active")

    def clean(self) -> dict[str, Any]:
        """Refuse an account of another user, and a config that its kind does not allow."""
        given = super().clean() or {}
        user, account = given.get("user"), given.get("account")
        if user and account and account.user_id != user.pk:
            self.add_error("account", "Choose an account of the automation's own user.")
        kind = given.get("kind") or self.instance.kind
        if kind and isinstance(given.get("config"), dict):
            self._check_config(kind, given["config"])
        return given

    def _check_config(self, kind: str, config: dict[str, Any]) -> None:
        try:
            services.normalized(kind, config)
        except ConfigError as error:
            for field, problems in config_errors(error).items():
                self.add_error("config", f"{field}: {' '.join(problems)}")
        except LookupError as error:
            self.add_error("kind", str(error))


@admin.register(Automation)
class AutomationAdmin(ModelAdmin):
    """What runs on whose account, and what it last saw."""

    form = AutomationForm
    list_display = ("name", "user", "account", "kind", "is_active", "checked_at", "reason_code")
    list_filter = ("kind", "is_active", "reason_code")
    list_select_related = ("user", "account")
    search_fields = ("name", "user__username", "id")
    readonly_fields = ("id", "checked_at", "reason_code", "reason_text", "deleted_at")
    actions = ("pause", "resume")

    def get_readonly_fields(self, request: HttpRequest, obj: Automation | None = None) -> Any:
        """Owner, account and kind stay what they were."""
        return self.readonly_fields + (("user", "account", "kind") if obj else ())

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

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Stop the chosen automations."""
        self._switch(request, queryset, is_active=False)

    @admin.action(description="Resume")
    def resume(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Start the chosen automations again."""
        self._switch(request, queryset, is_active=True)

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Automation], *, is_active: bool
    ) -> None:
        for automation in queryset:
            services.update_automation(automation=automation, is_active=is_active)
        verb = "resumed" if is_active else "paused"
        self.message_user(request, f"{len(queryset)} automations are {verb}.")


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


class IntentInline(admin.TabularInline[Intent, Execution]):
    """The effects of an execution."""

    model = Intent
    fields = ("leg", "target", "action", "sats", "state", "error", "signed_at", "settled_at")
    readonly_fields = fields
    extra = 0
    can_delete = False


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    """What runs did and why."""

    list_display = (
        "started_at", "event", "automation", "account_name", "status", "action", "reason_text",
        "cause", "duration_ms",
    )  # fmt: skip
    list_filter = ("status", "event", "reason_code", "cause")
    list_select_related = ("automation",)
    search_fields = ("id", "slot", "trade_id", "automation__name", "account_name")
    date_hierarchy = "started_at"
    inlines = (IntentInline,)


@admin.register(Intent)
class IntentAdmin(ReadOnlyAdmin):
    """Effects, from the wish to what became of it."""

    list_display = ("created_at", "automation", "target", "action", "sats", "state", "error")
    list_filter = ("state",)
    list_select_related = ("automation",)
    search_fields = ("id", "target", "slot")


@admin.register(TradeLog)
class TradeLogAdmin(ReadOnlyAdmin):
    """Every order that was sent."""

    list_display = ("sent_at", "account_name", "action", "trade_id", "sats", "outcome")
    list_filter = ("outcome", "action")
    search_fields = ("trade_id", "account_name")
    date_hierarchy = "sent_at"


@admin.register(Turn)
class TurnAdmin(ReadOnlyAdmin):
    """Who may act on which account now."""

    list_display = ("account", "fence", "until")
    list_select_related = ("account",)
