"""The API for what people decide: proposals, stops and limits; kinds and templates."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import OwnedRequest
from accounts.api_queries import ListQuery
from accounts.selectors import get_account
from accounts.strict import NoInput, StrictSerializer
from automations import manual, proposals, restrictions
from automations.api import OwnAccount
from automations.limits import SET, set_limits
from automations.models import AccountLimits, Proposal, Restriction
from automations.rules.registry import KINDS
from automations.templates import TEMPLATES


class KindsView(APIView):
    """The kinds of automation: what each does, and the JSON Schema of its config."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        """All kinds, by name."""
        return Response({name: _kind_json(name) for name in KINDS})


def _kind_json(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "title": kind.title,
        "summary": kind.summary,
        "every": kind.period(settings.CALENDAR_CHECK_SECONDS),
        "is_protective": kind.is_protective,
        "schema": kind.config.model_json_schema(),
        "templates": {
            slug: {"title": each.title, "summary": each.summary, "config": each.config}
            for slug, each in TEMPLATES.items()
            if each.kind == name
        },
    }


class Decided(APIException):
    """A proposal that was decided already, or has expired."""

    status_code = 409
    default_code = "decided"


class ProposalOut(serializers.ModelSerializer[Proposal]):
    """What an automation would do, and until when it waits for a yes."""

    class Meta:
        model = Proposal
        fields = (
            "id", "automation", "account", "state", "actions", "reason_code", "reason_text",
            "inputs", "created_at", "expires_at", "decided_at",
        )  # fmt: skip


class ProposalQuery(ListQuery):
    """The query of the list of proposals."""

    automation = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=Proposal.State.choices, required=False)


class ProposalViewSet(viewsets.ReadOnlyModelViewSet[Proposal]):
    """Actions that wait for the user's yes, or waited for it."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = ProposalOut
    queryset = Proposal.objects.none()

    def get_queryset(self) -> Any:
        proposals.expire()
        own = Proposal.objects.filter(automation__user_id=self.request.user.pk)
        own = own.select_related("automation")
        if self.action == "list":
            return own.filter(**ProposalQuery.filters_of(self.request))
        return own

    @extend_schema(parameters=[ProposalQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Proposals, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=ProposalOut)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Say yes: prices are looked at again, and what is still wanted of it is done."""
        return self._decide(request, manual.confirm)

    @extend_schema(request=None, responses=ProposalOut)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Say no: it is not done, and proposed again when it is still wanted later."""
        return self._decide(request, proposals.decline)

    def _decide(self, request: Request, decide: Callable[..., object]) -> Response:
        NoInput(data=request.data).is_valid(raise_exception=True)
        proposal = self.get_object()
        try:
            decide(proposal, by=self.request.user)
        except proposals.AlreadyDecided as error:
            raise Decided(str(error)) from None
        return Response(ProposalOut(proposal).data)


class RestrictionIn(StrictSerializer):
    """What to stop, and why; on one account, or on all of the user's where it is left out."""

    what = serializers.ChoiceField(
        choices=[each for each in Restriction.What.choices if each[0] != Restriction.What.PAUSED],
        help_text="opening: nothing is opened or bought; protection: nothing at all is done;"
        " unconfirmed: everything asks first.",
    )
    reason = serializers.CharField(max_length=200)
    account = OwnAccount(required=False)


class RestrictionOut(serializers.ModelSerializer[Restriction]):
    """A stop that holds; only the user who imposed it lifts it, or an operator."""

    is_own = serializers.SerializerMethodField()

    class Meta:
        model = Restriction
        fields = ("id", "what", "account", "reason", "is_own", "imposed_at")

    def get_is_own(self, restriction: Restriction) -> bool:
        return bool(restriction.imposed_by_id == self.context["request"].user.pk)


class RestrictionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Restriction]
):
    """What is stopped now of the user's automations, by the user or by an operator."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = RestrictionOut
    queryset = Restriction.objects.none()

    def get_queryset(self) -> Any:
        return restrictions.holding_for(self.request.user)

    @extend_schema(parameters=[ListQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stops that hold, newest first."""
        ListQuery.filters_of(request)
        return super().list(request, *args, **kwargs)

    @extend_schema(request=RestrictionIn, responses={201: RestrictionOut})
    def create(self, request: Request) -> Response:
        """Stop something at once; what is stopped already stays so."""
        context, user = self.get_serializer_context(), self.request.user
        serializer = RestrictionIn(data=request.data, context=context)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        account = given.get("account")
        restriction = restrictions.impose(
            given["what"],
            by=user,
            reason=given["reason"],
            user=None if account else user,
            account=account,
        )
        return Response(RestrictionOut(restriction, context=context).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        """Let it go on. What an operator has stopped, an operator lifts."""
        restriction = self.get_object()
        if restriction.what == Restriction.What.PAUSED:
            raise ValidationError({"what": ["Resume what is paused where it was paused."]})
        if restriction.imposed_by_id != self.request.user.pk:
            raise PermissionDenied("Somebody else stopped this: ask an operator to lift it.")
        restrictions.lift(restriction, by=self.request.user)
        return Response(status=204)


class LimitsSerializer(StrictSerializer, serializers.ModelSerializer[AccountLimits]):
    """What all automations on an account together may do; null is no limit."""

    class Meta:
        model = AccountLimits
        fields = SET
        extra_kwargs: ClassVar = {name: {"default": None} for name in fields}


class LimitsView(APIView):
    """The limits of one of the user's accounts."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=LimitsSerializer)
    def get(self, request: Request, account: UUID) -> Response:
        """As they are now: sats moved into positions, orders sent, leverage, USD of exposure."""
        return Response(LimitsSerializer(self._limits(account)).data)

    @extend_schema(request=LimitsSerializer, responses=LimitsSerializer)
    def put(self, request: Request, account: UUID) -> Response:
        """Set them; what is left out or null is no limit."""
        limits = self._limits(account)
        serializer = LimitsSerializer(limits, data=request.data)
        serializer.is_valid(raise_exception=True)
        for name, value in serializer.validated_data.items():
            setattr(limits, name, value)
        return Response(LimitsSerializer(set_limits(limits, by=self.request.user)).data)

    def _limits(self, account: UUID) -> AccountLimits:
        owned = get_account(user_id=self.request.user.pk, account_id=account)
        return AccountLimits.objects.filter(account=owned).first() or AccountLimits(account=owned)
