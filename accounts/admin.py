"""The operator's view: users, accounts without their credentials, events, API tokens."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import FormView
from knox.admin import AuthTokenCreateForm
from knox.models import AuthToken
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import services
from accounts.admin_audit import AuditedAdmin, ReadOnlyAdmin, operator_of
from accounts.admin_cache import ClearsAccounts, ClearsUsers
from accounts.errors import AccountError, InvalidField
from accounts.forms import ConnectForm, RenameForm
from accounts.models import Event, ExchangeAccount, User
from accounts.standing import PASSING, State, meanwhile
from accounts.tokens import token_subject
from accounts.zones import known_zones
from exchanges.errors import ExchangeError
from exchanges.types import Credentials

COLOURS = {state.value: "warning" if state in PASSING else "danger" for state in State} | {
    State.OK.value: "success"
}

admin.site.unregister(AuthToken)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):
    """What operators of a kind may do."""

    noun = "group"


@admin.register(User)
class UserAdmin(ClearsUsers, DjangoUserAdmin[User], AuditedAdmin):
    """Users; an operator is one with staff status. One is blocked, never deleted."""

    noun = "user"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "time_zone", "is_active", "is_staff", "last_login")
    actions = ("clear_cache",)
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Calendars", {"fields": ("time_zone",)}))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer the zones that there are."""
        if db_field.name == "time_zone":
            zones = [(zone, zone) for zone in sorted(known_zones())]
            return forms.ChoiceField(choices=zones, initial="UTC", widget=UnfoldAdminSelectWidget)
        return super().formfield_for_dbfield(db_field, request, **options)

    def owner_of(self, obj: User) -> User:
        """Themselves."""
        return obj

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: what they did and what was done for them refers to them."""
        return False

    @method_decorator(sensitive_post_parameters())
    @transaction.atomic
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        """Set somebody's password, and write down who did."""
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before and after and before.password != after.password:
            self.audit(request, "password_set", after, {})
        return response


class ConnectView(UnfoldModelAdminViewMixin, FormView[ConnectForm]):
    """The form in place of Django's own, which would ask the exchange inside a transaction."""

    title = "Connect an exchange account"
    permission_required = "accounts.add_exchangeaccount"
    raise_exception = True
    form_class = ConnectForm
    template_name = "accounts/connect.html"

    @sensitive_variables()
    def form_valid(self, form: ConnectForm) -> HttpResponse:
        """Connect the account, or show the form again with what stands against it."""
        given = form.cleaned_data
        credentials = Credentials(given["key"], given["secret"], given["passphrase"])
        try:
            account = services.connect_account(
                user=given["user"],
                exchange=given["exchange"],
                name=given["name"],
                credentials=credentials,
                by=operator_of(self.request),
                accept_withdrawals=given["accept_withdrawals"],
            )
        except InvalidField as error:
            form.add_error(error.field, error.message)
        except (AccountError, ExchangeError) as error:
            form.add_error(None, str(error))
        else:
            return self._connected(account)
        return self.form_invalid(form)

    def _connected(self, account: ExchangeAccount) -> HttpResponse:
        self.model_admin.log_addition(self.request, account, [{"added": {}}])
        messages.success(self.request, f"{account.name} is connected.")
        return HttpResponseRedirect(reverse("admin:accounts_exchangeaccount_changelist"))


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ClearsAccounts, ModelAdmin):
    """Connect, rename, activate, disconnect. Rows stay, since the history refers to them."""

    form = RenameForm
    list_display = ("name", "user", "exchange", "is_active", "is_connected", "stands", "state_at")
    list_filter = ("is_active", "state", "exchange")
    list_select_related = ("user", "exchange")
    search_fields = ("name", "user__username", "id")
    readonly_fields = (
        "id",
        "user",
        "exchange",
        "is_active",
        "stands",
        "state_at",
        "state_message",
        "meanwhile",
        "created_at",
        "updated_at",
        "verified_at",
        "disconnected_at",
    )
    fields = ("name", *readonly_fields)
    actions = ("activate", "disconnect", "clear_cache")
    actions_list = ("credential_cache",)

    @method_decorator(sensitive_post_parameters("key", "secret", "passphrase"))
    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """Show and take the form that connects an account."""
        return ConnectView.as_view(model_admin=self)(request)

    def save_model(
        self,
        request: HttpRequest,
        obj: ExchangeAccount,
        form: RenameForm,
        change: bool,
    ) -> None:
        """Rename through the service, which records it."""
        services.rename_account(
            account=obj, name=form.cleaned_data["name"], by=operator_of(request)
        )

    def has_delete_permission(
        self, request: HttpRequest, obj: ExchangeAccount | None = None
    ) -> bool:
        """Return False: an account is disconnected, never deleted."""
        return False

    @admin.display(boolean=True, description="connected")
    def is_connected(self, account: ExchangeAccount) -> bool:
        """Whether the platform holds credentials for it."""
        return account.is_connected

    @display(description="state", ordering="state", label=COLOURS)
    def stands(self, account: ExchangeAccount) -> tuple[str, str]:
        """How it stands with its exchange."""
        return account.state, account.get_state_display().lower()

    @admin.display(description="meanwhile")
    def meanwhile(self, account: ExchangeAccount) -> str:
        """What its automations do in this state."""
        return meanwhile(account)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ExchangeAccount]) -> None:
        """Make each the active account of its user."""
        self._each(request, queryset, services.activate_account, "activated")

    @admin.action(description="Disconnect: forget the credentials", permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[ExchangeAccount]) -> None:
        """Forget their credentials for good."""
        self._each(request, queryset, services.disconnect_account, "disconnected")

    def _each(
        self,
        request: HttpRequest,
        accounts: QuerySet[ExchangeAccount],
        change: Callable[..., ExchangeAccount],
        done: str,
    ) -> None:
        operator = operator_of(request)
        for account in accounts:
            try:
                change(account=account, by=operator)
            except AccountError as error:
                messages.error(request, str(error))
            else:
                self.log_change(request, account, f"{done.capitalize()}.")
                messages.success(request, f"{account.name} is {done}.")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened to whom, to be read."""

    list_display = ("created_at", "severity", "kind", "user", "account", "message")
    list_filter = ("severity", "kind")
    list_select_related = ("user", "account")
    search_fields = ("message", "user__username")


@admin.register(AuthToken)
class TokenAdmin(AuditedAdmin):
    """API tokens: made here, shown once, revoked by deleting them."""

    noun = "token"
    form = AuthTokenCreateForm
    list_display = ("user", "token_key", "created", "expiry")
    list_display_links = None
    search_fields = ("user__username",)

    def subject_of(self, obj: AuthToken) -> str:
        """By the beginning that the list shows."""
        return token_subject(obj)

    def owner_of(self, obj: AuthToken) -> User:
        """Who is let in by it."""
        return User.objects.get(pk=obj.user_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow superusers alone: a token is as good as its user's password."""
        return bool(request.user.is_superuser)

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: AuthToken | None = None,
    ) -> bool:
        """Return False: a token is made or revoked."""
        return False

    def save_model(
        self, request: HttpRequest, obj: AuthToken, form: AuthTokenCreateForm, change: bool
    ) -> None:
        """Keep the hash; the token itself goes to the answer alone."""
        super().save_model(request, obj, form, change)
        obj.shown_once = form.token

    def response_add(
        self,
        request: HttpRequest,
        obj: AuthToken,
        post_url_continue: str | None = None,
    ) -> HttpResponse:
        """Show the token in the answer itself: a message would lie in a cookie or a session."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API token",
            "owner": obj.user,
            "token": obj.shown_once,
        }
        return TemplateResponse(request, "accounts/token.html", context)
