"""What an operator fills in; the rules themselves stand in `automations.services`."""

import json
from typing import Any

from django import forms
from pydantic import ValidationError as ConfigError
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts.errors import InvalidField
from accounts.models import ExchangeAccount
from automations import services
from automations.models import Automation
from automations.rules.registry import KINDS
from automations.validation import config_errors

EXAMPLE = {
    "threshold": "0.8",
    "action": {
        "type": "add_margin",
        "amount": 20_000,
        "max_per_position": 100_000,
        "max_per_day": 500_000,
    },
}


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
        initial=EXAMPLE,
        widget=UnfoldAdminTextareaWidget({"rows": 16}),
        help_text="The kind's own settings, as in the API.",
    )

    class Meta:
        model = Automation
        fields = ("account", "kind", "name", "config", "every", "is_active")
        help_texts = {"every": "Seconds between two checks; empty for the kind's default."}  # noqa: RUF012

    def clean(self) -> dict[str, Any]:
        """Take the owner from the account, and refuse a config that the kind does not allow."""
        given = super().clean() or {}
        if "account" in given:
            self.instance.user = given["account"].user
        kind = given.get("kind") or self.instance.kind
        if kind and "config" in given:
            self._check_config(kind, given["config"])
        self._check_exchange(kind, given)
        return given

    def _check_exchange(self, kind: str, given: dict[str, Any]) -> None:
        account = given.get("account") or getattr(self.instance, "account", None)
        if kind and account and (given.get("is_active") or self.instance.created_at is None):
            try:
                services.require_capabilities(kind, account)
            except InvalidField as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)

    def _check_config(self, kind: str, config: Any) -> None:
        try:
            services.normalized(kind, config)
        except ConfigError as error:
            for field, problems in config_errors(error, kind=kind).items():
                self.add_error("config", f"{field}: {' '.join(problems)}")


class ResolveForm(forms.Form):
    """What an operator found at the exchange."""

    found = forms.ChoiceField(
        choices=[("done", "It was executed"), ("not_done", "It was not executed")],
        widget=UnfoldAdminRadioSelectWidget,
    )
