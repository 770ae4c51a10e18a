"""What people allow, forbid, and are asked: limits, stops, proposals."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.generic import FormView
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.views import UnfoldModelAdminViewMixin

from accounts.admin_audit import operator_of
from accounts.errors import AccountInactive
from automations import manual, proposals, restrictions
from automations.admin.shown import COLOURS, ReadOnlyAdmin
from automations.forms import (
    LimitsForm,
    ProposalForm,
    RestrictionForm,
    ScopeForm,
    StopProtectionForm,
)
from automations.limits import set_limits
from automations.models import AccountLimits, Proposal, Restriction
from automations.presentation import said_of

RESTRICTIONS = "admin:automations_restriction_changelist"


class ProposalView(UnfoldModelAdminViewMixin, FormView[ProposalForm]):
    """Where a person says yes or no to what an automation would do."""

    title = "Shall it be done?"
    permission_required = "automations.change_proposal"
    raise_exception = True
    form_class = ProposalForm
    template_name = "automations/proposal.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Show what is proposed, and why."""
        proposal = self._proposal()
        actions = [said_of(each) for each in proposal.actions]
        return super().get_context_data(proposal=proposal, actions=actions, **context)

    def form_valid(self, form: ProposalForm) -> HttpResponse:
        """Decide, once; a second answer changes nothing."""
        proposal, operator = self._proposal(), operator_of(self.request)
        decide = manual.confirm if form.cleaned_data["answer"] == "confirm" else proposals.decline
        try:
            decide(proposal, by=operator)
        except (proposals.AlreadyDecided, AccountInactive) as error:
            messages.error(self.request, str(error))
        else:
            self.model_admin.log_change(self.request, proposal, f"It is {proposal.state}.")
            messages.success(self.request, f"It is {proposal.state}.")
        address = reverse("admin:automations_proposal_change", args=[proposal.pk])
        return HttpResponseRedirect(address)

    def _proposal(self) -> Proposal:
        found = Proposal.objects.select_related("automation__account__exchange", "account")
        return get_object_or_404(found, pk=self.kwargs["pk"])


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    """What automations would do, and what people said."""

    list_display = ("created_at", "stands", "automation", "reason_text", "expires_at", "decided_by")
    list_filter = ("state", "reason_code")
    list_select_related = ("automation", "decided_by")
    search_fields = ("automation__name", "id")
    readonly_fields = ("decide",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        """As they are now: those that waited too long are over."""
        proposals.expire()
        found: QuerySet[Proposal] = super().get_queryset(request)
        return found

    def get_urls(self) -> list[URLPattern]:
        """Beside Django's own: the page on which a person decides."""
        view = self.admin_site.admin_view(ProposalView.as_view(model_admin=self))
        own: list[URLPattern] = [
            path("<uuid:pk>/decide/", view, name="automations_proposal_decide"),
            *super().get_urls(),
        ]
        return own

    @display(description="state", ordering="state", label=COLOURS)
    def stands(self, proposal: Proposal) -> str:
        return proposal.state

    @display(description="waits for a yes")
    def decide(self, proposal: Proposal) -> str:
        if proposal.state != Proposal.State.OPEN:
            return "no"
        address = reverse("admin:automations_proposal_decide", args=[proposal.pk])
        return format_html('<a href="{}">Yes: look at it and decide</a>', address)


class ImposeView(UnfoldModelAdminViewMixin, FormView[ScopeForm]):
    """Where an operator stops something at once."""

    title = "Stop something at once"
    permission_required = "automations.add_restriction"
    raise_exception = True
    form_class: type[ScopeForm] = RestrictionForm
    template_name = "automations/impose.html"
    what: Restriction.What | None = None

    def form_valid(self, form: ScopeForm) -> HttpResponse:
        """Impose it; what is stopped already stays so."""
        given = form.cleaned_data
        restriction = restrictions.impose(
            self.what or given["what"],
            by=operator_of(self.request),
            reason=given["reason"],
            user=given["user"],
            account=given["account"],
        )
        self.model_admin.log_addition(self.request, restriction, [{"added": {}}])
        messages.success(self.request, f"Stopped: {restriction}.")
        return HttpResponseRedirect(reverse(RESTRICTIONS))


class StopProtectionView(ImposeView):
    """The separate choice to stop what protects as well, which has to be confirmed."""

    title = "Stop everything, protection too"
    form_class = StopProtectionForm
    what = Restriction.What.PROTECTION


class PauseView(StopProtectionView):
    """Where an operator lets an account, a user, or everybody rest."""

    title = "Pause: nothing is looked at, nothing runs"
    what = Restriction.What.PAUSED


@admin.register(Restriction)
class RestrictionAdmin(ReadOnlyAdmin):
    """What is stopped, by whom and why; the kill switch is to stop opening for everybody."""

    list_display = ("imposed_at", "what", "where", "reason", "imposed_by", "lifted_at", "lifted_by")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "what")
    list_select_related = ("user", "account__user", "imposed_by", "lifted_by")
    actions = ("lift",)
    actions_list = ("pause", "stop_protection")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By its own form."""
        return bool(request.user.has_perm("automations.add_restriction"))

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Who may stop something may let it go on, too."""
        return self.has_add_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show and take the form that stops something."""
        return ImposeView.as_view(model_admin=self)(request)

    @action(description="Pause…", permissions=["add"])
    def pause(self, request: HttpRequest) -> HttpResponseBase:
        """Show and take the form that takes an account, a user, or all out of the schedule."""
        return PauseView.as_view(model_admin=self)(request)

    @action(description="Stop everything, protection too…", permissions=["add"])
    def stop_protection(self, request: HttpRequest) -> HttpResponseBase:
        """Show and take the form of the separate choice."""
        return StopProtectionView.as_view(model_admin=self)(request)

    @admin.action(description="Lift", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Restriction]) -> None:
        """Let what was stopped go on."""
        operator = operator_of(request)
        for restriction in queryset:
            if restrictions.lift(restriction, by=operator):
                self.log_change(request, restriction, "Lifted.")
                messages.success(request, f"Lifted: {restriction}.")
            else:
                messages.error(request, f"It was lifted already: {restriction}.")

    @display(description="where")
    def where(self, restriction: Restriction) -> str:
        if restriction.account:
            return f"{restriction.account.user}: {restriction.account}"
        return f"all accounts of {restriction.user}" if restriction.user else "everywhere"


@admin.register(AccountLimits)
class AccountLimitsAdmin(ModelAdmin):
    """What all automations of an account together may do; empty is no limit."""

    form = LimitsForm
    list_display = (
        "account", "sats_per_position", "sats_per_day", "orders_per_day", "leverage", "exposure",
    )  # fmt: skip
    list_select_related = ("account",)
    search_fields = ("account__name", "account__user__username")

    def get_readonly_fields(self, request: HttpRequest, obj: AccountLimits | None = None) -> Any:
        """The account is chosen once."""
        return ("account",) if obj else ()

    def save_model(
        self, request: HttpRequest, obj: AccountLimits, form: LimitsForm, change: bool
    ) -> None:
        """Set them through the service, which records it."""
        set_limits(obj, by=operator_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Empty them: what was allowed before stays in the audit."""
        return False
