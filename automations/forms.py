"""What an operator fills in; the rules themselves stand in `automations.services`."""

import json
from typing import Any

from django import forms
from pydantic import ValidationError as ConfigError
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.errors import InvalidField
from accounts.models import ExchangeAccount, User
from automations import services
from automations.models import AccountLimits, Automation, Restriction
from automations.rules.registry import KINDS
from automations.validation import config_errors


class IndentedJSON(json.JSONEncoder):
    """One key per line, as people write it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2})


class AccountField(forms.ModelChoiceField[ExchangeAccount]):
    """A choice of connected accounts, each with its owner."""

    def label_from_instance(self, obj: ExchangeAccount) -> str:
        """Names are unique per user only."""
        return f"{obj.user}: {obj.name}"


class AutomationForm(forms.ModelForm[Automation]):
    """The fields an operator may change, checked as the API checks them."""

    account = AccountField(
        ExchangeAccount.objects.filter(disconnected_at=None).select_related("user"),
        widget=UnfoldAdminSelectWidget,
    )
    kind = forms.ChoiceField(choices=[(k, k) for k in KINDS], widget=UnfoldAdminSelectWidget)
    config = forms.JSONField(
        encoder=IndentedJSON,
        widget=UnfoldAdminTextareaWidget({"rows": 16}),
        help_text="The kind's own settings, as in the API.",
    )

    class Meta:
        model = Automation
        fields = (
            "account", "kind", "name", "config", "every", "timeout", "retries", "backoff", "mode",
            "is_active",
        )  # fmt: skip
        help_texts = {  # noqa: RUF012
            "every": "Seconds between two checks; empty for the kind's default.",
            "timeout": "Seconds after which a run is stopped; empty for the kind's default.",
            "retries": "How often a run that failed is tried again; empty for the kind's default.",
            "backoff": "Seconds before that, doubling; empty for the kind's default.",
            "mode": "Live acts, confirm asks first, shadow only records what it would do.",
        }

    def clean(self) -> dict[str, Any]:
        """Take the owner from the account, and refuse a config that the kind does not allow."""
        given = super().clean() or {}
        if "account" in given:
            self.instance.user = given["account"].user
        kind = given.get("kind") or self.instance.kind
        if kind and "config" in given and self._is_allowed(kind, given["config"]):
            self._check_exchange(kind, given)
        return given

    def _is_allowed(self, kind: str, config: Any) -> bool:
        if config == self.initial.get("config") and self.instance.pk:
            return True  # it was checked when it was written: its dates may be past by now
        try:
            owner = getattr(self.instance, "user", None)
            services.normalized(kind, config, zone=owner.time_zone if owner else "UTC")
        except ConfigError as error:
            for field, problems in config_errors(error, kind=kind).items():
                self.add_error("config", f"{field}: {' '.join(problems)}")
            return False
        return True

    def _check_exchange(self, kind: str, given: dict[str, Any]) -> None:
        account = given.get("account") or getattr(self.instance, "account", None)
        if account and (given.get("is_active") or self.instance.created_at is None):
            try:
                services.require_capabilities(kind, given["config"], account)
            except InvalidField as error:
                self.add_error("config", error.message)


class ResolveForm(forms.Form):
    """What an operator found at the exchange."""

    found = forms.ChoiceField(
        choices=[("done", "It was executed"), ("not_done", "It was not executed")],
        widget=UnfoldAdminRadioSelectWidget,
    )


class PauseForm(forms.Form):
    """Why something is to rest."""

    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


class ProposalForm(forms.Form):
    """Whether what was proposed is to be done."""

    answer = forms.ChoiceField(
        choices=[("confirm", "Yes, if it is still wanted now"), ("decline", "No")],
        widget=UnfoldAdminRadioSelectWidget,
    )


class LimitsForm(forms.ModelForm[AccountLimits]):
    """What all automations on an account together may do; empty is no limit."""

    account = AccountField(
        ExchangeAccount.objects.filter(disconnected_at=None).select_related("user"),
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = AccountLimits
        fields = (
            "account",
            "sats_per_position",
            "sats_per_day",
            "orders_per_day",
            "leverage",
            "exposure",
        )
        help_texts = {  # noqa: RUF012
            "sats_per_position": "Sats moved into one position.",
            "sats_per_day": "Sats moved into positions in 24 hours.",
            "orders_per_day": "Everything that is sent in 24 hours.",
            "leverage": "Of each new trade.",
            "exposure": "USD of all positions together.",
        }


class ScopeForm(forms.Form):
    """Where something is stopped, and why."""

    user = forms.ModelChoiceField(
        User.objects.order_by("username"), required=False, widget=UnfoldAdminSelectWidget
    )
    account = AccountField(
        ExchangeAccount.objects.filter(disconnected_at=None).select_related("user"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Of one user, or on one account; with neither it is stopped for everybody.",
    )
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        """Refuse two scopes at once."""
        given = super().clean() or {}
        if given.get("user") and given.get("account"):
            self.add_error("account", "Choose a user or an account, not both.")
        return given


class RestrictionForm(ScopeForm):
    """What an operator stops at once; to stop protection is a page of its own."""

    what = forms.ChoiceField(
        choices=[
            (Restriction.What.OPENING, "Opening and buying; what protects goes on"),
            (Restriction.What.UNCONFIRMED, "Whatever nobody has confirmed: everything asks first"),
        ],
        widget=UnfoldAdminRadioSelectWidget,
        initial=Restriction.What.OPENING,
    )
    field_order = ("what",)


class StopProtectionForm(ScopeForm):
    """The other choice, which leaves positions unprotected."""

    understood = forms.BooleanField(
        label="I know that nothing guards these positions until this is lifted",
        widget=UnfoldBooleanWidget,
    )
