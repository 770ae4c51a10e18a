"""What an operator fills in; the rules themselves stand in `accounts.services`."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.errors import InvalidField
from accounts.models import NAME_LENGTH, ExchangeAccount, User
from accounts.services import check_name
from exchanges.models import Exchange


def _secret(*, required: bool = True, help_text: str = "") -> forms.CharField:
    widget = UnfoldAdminPasswordWidget({"autocomplete": "off"})
    return forms.CharField(required=required, help_text=help_text, widget=widget)


class ConnectForm(forms.Form):
    """A new account with its credentials, which are never rendered back."""

    user = forms.ModelChoiceField(User.objects.order_by("username"), widget=UnfoldAdminSelectWidget)
    exchange = forms.ModelChoiceField(
        Exchange.objects.filter(is_enabled=True), widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(max_length=NAME_LENGTH, widget=UnfoldAdminTextInputWidget)
    key = _secret()
    secret = _secret()
    passphrase = _secret(required=False, help_text="Blank where the exchange's keys have none.")
    accept_withdrawals = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="A key that may withdraw is refused unless this is set.",
    )


class RenameForm(forms.ModelForm[ExchangeAccount]):
    """The one thing that can be edited of an account."""

    class Meta:
        model = ExchangeAccount
        fields = ("name",)

    def clean_name(self) -> Any:
        """Return the name as the service would keep it."""
        name = self.cleaned_data["name"]
        try:
            return check_name(self.instance.user_id, name, renamed=self.instance)
        except InvalidField as error:
            raise forms.ValidationError(error.message) from error
