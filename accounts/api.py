"""A user's own exchange accounts over HTTP; somebody else's do not exist here, even for staff."""

from typing import Any

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts import selectors, services
from accounts.models import NAME_LENGTH, ExchangeAccount, User
from accounts.standing import meanwhile
from accounts.strict import NoInput, StrictSerializer
from exchanges.models import Exchange
from exchanges.types import Credentials


class OwnedRequest(Request):
    """A request that has passed authentication."""

    user: User


class AccountSerializer(serializers.ModelSerializer[ExchangeAccount]):
    """An account as its owner sees it: without credentials."""

    exchange = serializers.SlugRelatedField[Exchange](slug_field="slug", read_only=True)
    is_connected = serializers.BooleanField(read_only=True)
    meanwhile = serializers.SerializerMethodField(
        help_text="What the account's automations do in this state."
    )

    class Meta:
        model = ExchangeAccount
        fields = (
            "id",
            "name",
            "exchange",
            "is_active",
            "is_connected",
            "state",
            "state_at",
            "state_message",
            "meanwhile",
            "created_at",
            "updated_at",
            "verified_at",
            "disconnected_at",
        )
        read_only_fields = fields

    def get_meanwhile(self, account: ExchangeAccount) -> str:
        return meanwhile(account)


class RenameInput(StrictSerializer):
    """What can be changed of an account."""

    name = serializers.CharField(max_length=NAME_LENGTH)


class CredentialsInput(StrictSerializer):
    """The credentials of an account, which are never shown again."""

    key = serializers.CharField(write_only=True)
    secret = serializers.CharField(write_only=True)
    passphrase = serializers.CharField(
        write_only=True, allow_blank=True, help_text="Blank where the exchange's keys have none."
    )
    accept_withdrawals = serializers.BooleanField(
        default=False, help_text="A key that may withdraw is refused unless this is true."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make one value of key, secret and passphrase."""
        parts = (attrs.pop(name) for name in ("key", "secret", "passphrase"))
        return attrs | {"credentials": Credentials(*parts)}


class ConnectInput(CredentialsInput, RenameInput):
    """A new account and its credentials, which are never shown again."""

    exchange = serializers.CharField(help_text="The exchange's slug, as `lnmarkets`.")

    def validate_exchange(self, slug: str) -> Exchange:
        """Return the exchange itself; the error lists those that can be connected."""
        enabled = {exchange.slug: exchange for exchange in Exchange.objects.filter(is_enabled=True)}
        if slug not in enabled:
            allowed = ", ".join(sorted(enabled))
            raise serializers.ValidationError(f"There is no such exchange. Allowed: {allowed}.")
        return enabled[slug]


class AccountViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[ExchangeAccount]):
    """Exchange accounts: connect, replace the key, rename, activate, disconnect."""

    request: OwnedRequest
    queryset = ExchangeAccount.objects.none()
    serializer_class = AccountSerializer

    def get_queryset(self) -> QuerySet[ExchangeAccount]:
        return selectors.accounts_of(self.request.user.pk)

    @extend_schema(request=ConnectInput, responses={201: AccountSerializer})
    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Connect an account, verified at the exchange; the first one becomes active."""
        given = self._input(ConnectInput)
        account = services.connect_account(user=self.request.user, by=self.request.user, **given)
        return self._show(account, status.HTTP_201_CREATED)

    @extend_schema(request=RenameInput, responses=AccountSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename an account."""
        account, given = self.get_object(), self._input(RenameInput)
        renamed = services.rename_account(account=account, name=given["name"], by=self.request.user)
        return self._show(renamed)

    def destroy(self, request: Request, pk: str) -> Response:
        """Disconnect an account: its credentials are forgotten, its history stays."""
        services.disconnect_account(account=self.get_object(), by=self.request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        """Make an account the active one: its automations run from now on, no others."""
        account = self.get_object()
        self._input(NoInput)
        return self._show(services.activate_account(account=account, by=self.request.user))

    @extend_schema(request=CredentialsInput, responses=AccountSerializer)
    @action(detail=True, methods=["put"])
    @sensitive_variables()
    def credentials(self, request: Request, pk: str) -> Response:
        """Replace the key of an account by another one of the same account of the exchange.

        It is verified there. A disconnected account is connected again, and inactive.
        """
        account, given = self.get_object(), self._input(CredentialsInput)
        return self._show(
            services.replace_credentials(account=account, by=self.request.user, **given)
        )

    def _input(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _show(self, account: ExchangeAccount, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(AccountSerializer(account).data, status=status_code)
