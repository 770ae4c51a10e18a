"""The API for what people decide: proposals, stops and limits; kinds and templates."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import OwnedRequest
from accounts.selectors import get_account
from accounts.strict import NoInput, StrictSerializer
from automations import proposals, restrictions, tasks
from automations.api import OwnAccount
from automations.models import AccountLimits, Execution, Proposal, Restriction
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
        "every": kind.every,
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


class ProposalViewSet(viewsets.ReadOnlyModelViewSet[Proposal]):
    """Actions that wait for the user's yes, newest first."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = ProposalOut
    queryset = Proposal.objects.none()

    def get_queryset(self) -> Any:
        proposals.expire()
        return Proposal.objects.filter(automation__user_id=self.request.user.pk)

    @extend_schema(request=None, responses=ProposalOut)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Say yes: prices are looked at again, and what is still wanted of it is done."""
        proposal = self._asked(request)
        try:
            slot = proposals.confirm(proposal, by=self.request.user)
        except proposals.AlreadyDecided as error:
            raise Decided(str(error)) from None
        tasks.call_a_worker(proposal.automation, slot=slot, cause=Execution.Cause.CONFIRMED)
        return Response(ProposalOut(proposal).data)

    @extend_schema(request=None, responses=ProposalOut)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Say no: it is not done, and proposed again when it is still wanted later."""
        proposal = self._asked(request)
        try:
            proposals.decline(proposal, by=self.request.user)
        except proposals.AlreadyDecided as error:
            raise Decided(str(error)) from None
        return Response(ProposalOut(proposal).data)

    def _asked(self, request: Request) -> Proposal:
        NoInput(data=request.data).is_valid(raise_exception=True)
        return self.get_object()


class RestrictionIn(StrictSerializer):
    """What to stop, and why; on one account, or everywhere where it is left out."""

    what = serializers.ChoiceField(choices=Restriction.What.choices)
    reason = serializers.CharField(max_length=200)
    account = OwnAccount(required=False)


class RestrictionOut(serializers.ModelSerializer[Restriction]):
    """A stop that holds."""

    class Meta:
        model = Restriction
        fields = ("id", "what", "account", "reason", "imposed_at")


class RestrictionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Restriction]
):
    """The user's own stops that hold now; what operators have stopped is not theirs to lift."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = RestrictionOut
    queryset = Restriction.objects.none()

    def get_queryset(self) -> Any:
        user = self.request.user
        own = Q(user=user) | Q(account__user=user)
        return Restriction.objects.filter(own, lifted_at=None, imposed_by=user)

    @extend_schema(request=RestrictionIn, responses={201: RestrictionOut})
    def create(self, request: Request) -> Response:
        """Stop something at once."""
        serializer = RestrictionIn(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        given, user = serializer.validated_data, self.request.user
        account = given.get("account")
        restriction = restrictions.impose(
            given["what"],
            by=user,
            reason=given["reason"],
            user=None if account else user,
            account=account,
        )
        return Response(RestrictionOut(restriction).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        """Let it go on."""
        restrictions.lift(self.get_object(), by=self.request.user)
        return Response(status=204)


class LimitsSerializer(serializers.ModelSerializer[AccountLimits]):
    """What all automations on an account together may do; null is no limit."""

    class Meta:
        model = AccountLimits
        fields = ("sats_per_position", "sats_per_day", "orders_per_day", "leverage", "exposure")


class LimitsView(APIView):
    """The limits of one of the user's accounts."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=LimitsSerializer)
    def get(self, request: Request, account: str) -> Response:
        """As they are now."""
        return Response(LimitsSerializer(self._limits(account)).data)

    @extend_schema(request=LimitsSerializer, responses=LimitsSerializer)
    def put(self, request: Request, account: str) -> Response:
        """Set them; what is left out or null is no limit."""
        limits = self._limits(account)
        given = dict.fromkeys(LimitsSerializer.Meta.fields) | request.data
        serializer = LimitsSerializer(limits, data=given)
        serializer.is_valid(raise_exception=True)
        return Response(LimitsSerializer(serializer.save()).data)

    def _limits(self, account: str) -> AccountLimits:
        owned = get_account(user_id=self.request.user.pk, account_id=account)
        return AccountLimits.objects.filter(account=owned).first() or AccountLimits(account=owned)
