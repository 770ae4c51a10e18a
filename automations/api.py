"""The API for automations and their executions. What belongs to another user is a 404."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from pydantic import ValidationError as ConfigError
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OwnedRequest
from accounts.api_queries import ListQuery
from accounts.models import ExchangeAccount
from accounts.selectors import accounts_of, active_account
from accounts.strict import StrictSerializer
from automations import manual, narrowing, pausing, selectors, services
from automations.api_policy import PolicyIn, PolicyOut
from automations.api_schedule import PauseOut
from automations.models import Automation
from automations.rules.base import RuleConfig
from automations.rules.registry import KINDS, UnknownKind, kind_of
from automations.validation import config_errors


@extend_schema_field(OpenApiTypes.UUID)
class OwnAccount(serializers.PrimaryKeyRelatedField[ExchangeAccount]):
    """An account of the user who asks."""

    def get_queryset(self) -> Any:
        return accounts_of(self.context["request"].user.pk).filter(disconnected_at=None)


class AutomationIn(PolicyIn):
    """What a client may write. `account` is the active one unless given, and then fixed."""

    name = serializers.CharField(max_length=100)
    kind = serializers.CharField(help_text=f"One of: {', '.join(KINDS)}.")
    account = OwnAccount(required=False)
    config = serializers.DictField(help_text="The kind's own settings.")
    is_active = serializers.BooleanField(required=False)
    mode = serializers.ChoiceField(
        choices=Automation.Mode.choices,
        required=False,
        help_text="live acts, confirm asks first, shadow only records what it would do.",
    )

    def validate_kind(self, value: str) -> str:
        try:
            kind_of(value)
        except UnknownKind as error:
            raise serializers.ValidationError(str(error)) from None
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self._refuse_changes_of_what_is_fixed(attrs)
        if "config" in attrs:
            kind = self.instance.kind if self.instance else attrs["kind"]
            try:
                services.normalized(
                    kind, attrs["config"], zone=self.context["request"].user.time_zone
                )
            except ConfigError as error:
                raise serializers.ValidationError(config_errors(error, kind=kind)) from None
        return attrs

    def _refuse_changes_of_what_is_fixed(self, attrs: dict[str, Any]) -> None:
        for field in ("kind", "account"):
            if self.instance and field in attrs and attrs[field] != getattr(self.instance, field):
                raise serializers.ValidationError(
                    {field: "cannot be changed: make a new automation instead."}
                )


class AutomationOut(serializers.ModelSerializer[Automation]):
    """An automation as clients see it; `period` is in seconds, and the same as `policy.every`."""

    account_name = serializers.CharField(source="account.name")
    period = serializers.IntegerField()
    policy = PolicyOut()
    paused = serializers.SerializerMethodField(help_text="What it rests for, the nearest first.")
    next_execution_date = serializers.SerializerMethodField(
        help_text="The next date of its calendar; null where it has none."
    )

    class Meta:
        model = Automation
        fields = (
            "id", "name", "kind", "account", "account_name", "config", "every", "timeout",
            "retries", "backoff", "period", "policy", "is_active", "paused", "mode",
            "next_execution_date", "checked_at", "reason_code", "reason_text", "created_at",
            "updated_at",
        )  # fmt: skip

    @extend_schema_field(PauseOut(many=True))
    def get_paused(self, automation: Automation) -> Any:
        found = self.context.get("pauses") or pausing.pauses_of([automation])
        return PauseOut(found[automation.id], many=True).data

    def get_next_execution_date(self, automation: Automation) -> datetime | None:
        with suppress(ConfigError):  # of one that no longer parses, its reason says so
            config: RuleConfig = kind_of(automation.kind).parse(automation.config)
            return config.next_date(timezone.now())
        return None


class RunIn(StrictSerializer):
    """What of its actions a run by hand may take; empty for whatever it decides."""

    action = serializers.ChoiceField(narrowing.ACTIONS, default="", source="only_action")
    trade_id = serializers.CharField(max_length=64, default="", source="only_trade")


class RunOut(serializers.Serializer[Any]):
    """Where to look for what became of it."""

    slot = serializers.CharField()


@contextmanager
def patience() -> Iterator[None]:
    """Answer 429 to who asks for too many runs."""
    try:
        yield
    except manual.TooManyRuns as error:
        raise Throttled(wait=60, detail=str(error)) from None


class CloneIn(StrictSerializer):
    """The new one's name, and its account if it is to be another one."""

    name = serializers.CharField(max_length=100)
    account = OwnAccount(required=False)


@extend_schema_view(
    create=extend_schema(request=AutomationIn, responses={201: AutomationOut}),
    partial_update=extend_schema(request=AutomationIn, responses=AutomationOut),
)
class AutomationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Automation]
):
    """The user's automations."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = AutomationOut
    queryset = Automation.objects.none()

    def get_queryset(self) -> Any:
        return selectors.automations_of(self.request.user.pk)

    @extend_schema(parameters=[ListQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Automations, newest first."""
        ListQuery.filters_of(request)
        page = self.paginate_queryset(self.get_queryset())
        context = {**self.get_serializer_context(), "pauses": pausing.pauses_of(page or ())}
        return self.get_paginated_response(AutomationOut(page, many=True, context=context).data)

    def create(self, request: Request) -> Response:
        """Create an automation; it is checked for the first time at once."""
        fields = self._checked(request)
        if "account" not in fields:
            fields["account"] = self._active_account()
        automation = services.create_automation(
            user=self.request.user, by=self.request.user, **fields
        )
        return Response(AutomationOut(automation).data, status=201)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, config, policy, or pause and resume it (`is_active`)."""
        automation = self.get_object()
        changes = self._checked(request, instance=automation, partial=True)
        is_active, by = changes.pop("is_active", None), self.request.user
        with transaction.atomic():
            if changes:
                automation = services.update_automation(automation=automation, by=by, **changes)
            if is_active is True:
                pausing.resume(automation, by=by)
            elif is_active is False:
                pausing.pause(automation, by=by, reason="is_active was set to false")
        return Response(AutomationOut(automation).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Stop it for good; its executions stay."""
        services.delete_automation(automation=self.get_object(), by=self.request.user)
        return Response(status=204)

    @extend_schema(request=RunIn, responses={202: RunOut})
    @action(detail=True, methods=["post"])
    def execute(self, request: Request, pk: str) -> Response:
        """Run it once, now, as it would run by itself; the execution has the slot answered here.

        `action` and `trade_id` narrow what it may do, and never widen it.
        """
        automation, given = self.get_object(), RunIn(data=request.data)
        given.is_valid(raise_exception=True)
        with patience():
            slot = manual.run_now(automation, by=self.request.user, **given.validated_data)
        return Response({"slot": slot}, status=202)

    @extend_schema(request=CloneIn, responses={201: AutomationOut})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """Make another one with the same config, paused, on the same account or another one."""
        original = self.get_object()
        given = CloneIn(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        try:
            clone = services.clone_automation(
                automation=original, by=self.request.user, **given.validated_data
            )
        except ConfigError as error:
            raise serializers.ValidationError(config_errors(error, kind=original.kind)) from None
        return Response(AutomationOut(clone).data, status=201)

    def _checked(self, request: Request, **options: Any) -> dict[str, Any]:
        serializer = AutomationIn(
            data=request.data, context=self.get_serializer_context(), **options
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _active_account(self) -> ExchangeAccount:
        account = active_account(self.request.user.pk)
        if account is None:
            raise serializers.ValidationError(
                {"account": ["No account is active: connect or activate one, or name one."]}
            )
        return account
