"""Effects: how each stands, and the page on which a person says what became of one."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.generic import FormView
from unfold.decorators import display
from unfold.views import UnfoldModelAdminViewMixin

from accounts.admin_audit import operator_of
from automations import settlement
from automations.admin.shown import COLOURS, ReadOnlyAdmin
from automations.forms import ResolveForm
from automations.models import Intent


class IntentColumns:
    """What an intent does, in two columns."""

    @display(description="action")
    def does(self, intent: Intent) -> str:
        return str(intent.action["kind"])

    @display(description="sats", ordering="sats")
    def amount(self, intent: Intent) -> str:
        return f"{intent.sats:,}"


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
        was_done = form.cleaned_data["found"] == "done"
        if settlement.resolve(intent, was_done=was_done, by=operator_of(self.request)):
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
