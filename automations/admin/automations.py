"""What runs on whose account: made, changed, paused, run at once, copied."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from pydantic import ValidationError as ConfigError
from unfold.admin import ModelAdmin

from accounts.admin_audit import operator_of
from accounts.errors import AccountInactive, InvalidField
from automations import manual, pausing, services, status
from automations.forms import AutomationForm, PauseForm
from automations.models import Automation
from automations.presentation import NONE
from automations.templates import TEMPLATES
from automations.validation import config_errors

SCHEDULE = ("next_due", "late_by", "left_out", "rests")
REFUSALS = (AccountInactive, ConfigError, InvalidField, manual.TooManyRuns)


@admin.register(Automation)
class AutomationAdmin(ModelAdmin):
    """What runs on whose account, and what it last saw."""

    form = AutomationForm
    list_display = (
        "name", "user", "account", "kind", "mode", "is_active", "next_due", "late_by",
        "checked_at", "reason_text",
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
            ("Schedule", {"fields": SCHEDULE}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Automation | None = None) -> Any:
        """Owner, account and kind stay what they were; whether it is active changes by actions,
        which ask why; the rest is written by runs."""
        chosen = ("user", "account", "kind", "is_active")
        fixed = (*chosen, "checked_at", "reason_text", "reason_code", "id")
        return (*fixed, *SCHEDULE) if obj else ()

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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Ask when they are due, for the whole page at once."""
        page = super().get_changelist_instance(request)
        shown = list(page.result_list)
        due = status.due(shown)
        for each in shown:
            each.due_at = due.get(each.id)
        return page

    @admin.display(description="next due")
    def next_due(self, automation: Automation) -> datetime | None:
        """When it is looked at next; nothing for one that is not scheduled."""
        if not hasattr(automation, "due_at"):
            return status.due([automation]).get(automation.id)
        due_at: datetime | None = automation.due_at
        return due_at

    @admin.display(description="late by", ordering="lateness_ms")
    def late_by(self, automation: Automation) -> str:
        """How long after its time the last tick was looked at."""
        late = automation.lateness_ms
        return NONE if late is None else f"{late:,} ms"

    @admin.display(description="left out")
    def left_out(self, automation: Automation) -> str:
        """How many ticks were not looked at, and why."""
        found = automation.skips.all()
        listed = (f"{each.count:,} times {each.get_why_display()}" for each in found)
        return "; ".join(listed) or "nothing"

    @admin.display(description="rests")
    def rests(self, automation: Automation) -> str:
        """Whether it is paused, by whom and why."""
        return pausing.said(pausing.pauses_of([automation])[automation.id]) or "no"

    def save_model(self, request: HttpRequest, obj: Automation, form: Any, change: bool) -> None:
        """Save through the service, so that the schedule follows."""
        by = operator_of(request)
        if not change:
            services.add_automation(automation=obj, by=by)
            return
        changed = {name: getattr(obj, name) for name in form.changed_data}
        services.update_automation(automation=obj, by=by, **changed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History refers to it: pause it here, or delete it by the API, which keeps the row."""
        return False

    @admin.action(description="Pause…", permissions=["change"])
    def pause(
        self, request: HttpRequest, queryset: QuerySet[Automation]
    ) -> HttpResponseBase | None:
        """Stop the chosen automations, once it is said why."""
        form = PauseForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            title = "Pause automations"
            context = {**self.admin_site.each_context(request), "title": title, "form": form}
            page = {**context, "chosen": queryset.select_related("user", "account")}
            return TemplateResponse(request, "automations/pause.html", page)
        reason = form.cleaned_data["reason"]
        self._each(request, queryset, "Paused", partial(pausing.pause, reason=reason))
        return None

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Start the chosen automations again."""
        self._each(request, queryset, "Resumed", pausing.resume)

    @admin.action(description="Run now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Run each once, as it would run by itself."""
        self._each(request, queryset, "Called", manual.run_now)

    @admin.action(description="Copy", permissions=["add"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Automation]) -> None:
        """Make another one of each, paused."""
        self._each(request, queryset, "Copied", services.copy_automation)

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Automation],
        done: str,
        change: Callable[..., object],
    ) -> None:
        operator = operator_of(request)
        for automation in queryset.select_related("account__exchange", "user"):
            try:
                change(automation, by=operator)
            except REFUSALS as error:
                messages.error(request, f"{automation.name}: {_words(automation, error)}")
            else:
                self.log_change(request, automation, f"{done}.")
                messages.success(request, f"{done}: {automation.name}.")


def _words(automation: Automation, error: Exception) -> str:
    if isinstance(error, InvalidField):
        return error.message
    if isinstance(error, ConfigError):
        problems = config_errors(error, kind=automation.kind).items()
        return " ".join(f"{field}: {' '.join(found)}" for field, found in problems)
    return str(error)
