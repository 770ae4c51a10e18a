"""What runs on whose account: made, changed, paused, run at once, copied."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from pydantic import ValidationError as ConfigError
from unfold.admin import ModelAdmin

from accounts.errors import AccountInactive, InvalidField
from accounts.models import User
from automations import manual, services
from automations.forms import AutomationForm
from automations.models import Automation
from automations.templates import TEMPLATES
from automations.validation import config_errors

REFUSALS = (AccountInactive, ConfigError, InvalidField, manual.TooManyRuns)


@admin.register(Automation)
class AutomationAdmin(ModelAdmin):
    """What runs on whose account, and what it last saw."""

    form = AutomationForm
    list_display = (
        "name", "user", "account", "kind", "mode", "is_active", "checked_at", "reason_text",
    )  # fmt: skip
    list_filter = ("kind", "mode", "is_active", "reason_code")
    list_select_related = ("user", "account")
    search_fields = ("name", "user__username", "id")
    actions = ("pause", "resume", "run_now", "clone")

    def get_fieldsets(self, request: HttpRequest, obj: Automation | None = None) -> Any:
        """Owner, account and kind are chosen once; what was last seen comes later."""
        policy = ("every", "timeout", "retries", "backoff")
        written = ("name", "is_active", "mode", *policy, "config")
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

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with a template: the one that the address names, or the first."""
        given = super().get_changeform_initial_data(request)
        template = TEMPLATES.get(given.pop("template", ""), next(iter(TEMPLATES.values())))
        begun = {"kind": template.kind, "name": template.title, "config": dict(template.config)}
        return {**begun, **given}

    def get_form(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        """Offer the templates beside the config of a new one."""
        form = super().get_form(request, obj, **options)
        if obj is None:
            links = format_html_join(
                ", ", '<a href="?template={}">{}</a>', ((k, t.title) for k, t in TEMPLATES.items())
            )
            form.base_fields["config"].help_text = format_html("Begin with: {}.", links)
        return form

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
        self._each(request, queryset, "Paused", _switch_off)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Start the chosen automations again."""
        self._each(request, queryset, "Resumed", _switch_on)

    @admin.action(description="Run now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Run each once, as it would run by itself."""
        operator = User.objects.get(username=request.user.get_username())
        self._each(
            request, queryset, "Called", lambda automation: manual.run_now(automation, by=operator)
        )

    @admin.action(description="Copy", permissions=["add"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Make another one of each, paused."""
        self._each(request, queryset, "Copied", services.copy_automation)

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Automation],
        done: str,
        change: Callable[[Automation], object],
    ) -> None:
        for automation in queryset.select_related("account__exchange", "user"):
            try:
                change(automation)
            except REFUSALS as error:
                messages.error(request, f"{automation.name}: {_words(automation, error)}")
            else:
                self.log_change(request, automation, f"{done}.")
                messages.success(request, f"{done}: {automation.name}.")


def _switch_off(automation: Automation) -> None:
    services.update_automation(automation=automation, is_active=False)


def _switch_on(automation: Automation) -> None:
    services.update_automation(automation=automation, is_active=True)


def _words(automation: Automation, error: Exception) -> str:
    if isinstance(error, InvalidField):
        return error.message
    if isinstance(error, ConfigError):
        problems = config_errors(error, kind=automation.kind).items()
        return " ".join(f"{field}: {' '.join(found)}" for field, found in problems)
    return str(error)
