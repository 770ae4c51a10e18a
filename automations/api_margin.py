"""The API for what is in danger: margin alerts, and positions that lost their guards."""

from typing import Any

from django.db.models import F
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OwnedRequest
from accounts.api_queries import ListQuery
from accounts.strict import NoInput
from automations.margin import unguarded
from automations.models import MarginAlert, UnguardedPosition


class MarginAlertOut(serializers.ModelSerializer[MarginAlert]):
    """A position in danger: `margin_used` and `price` are those of the moment it crossed the level.

    `trade_id` is `cross` for the cross-margin position, and empty with `blind`: the account.
    """

    class Meta:
        model = MarginAlert
        fields = ("account", "trade_id", "level", "margin_used", "price", "crossed_at")


class AccountQuery(ListQuery):
    """The query of a list that can be narrowed to an account."""

    account = serializers.UUIDField(required=False)


class MarginViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[MarginAlert]):
    """The user's positions in danger now; what is well is not listed."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = MarginAlertOut
    queryset = MarginAlert.objects.none()

    def get_queryset(self) -> Any:
        own = MarginAlert.objects.filter(account__user_id=self.request.user.pk)
        return own.filter(**AccountQuery.filters_of(self.request))

    @extend_schema(parameters=[AccountQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Positions in danger, the latest crossing first."""
        return super().list(request, *args, **kwargs)


class UnguardedOut(serializers.ModelSerializer[UnguardedPosition]):
    """A position that lost its `guards` by a switch; `seen` is the position as it was then.

    An empty `trade_id` stands for positions that are still to be listed.
    """

    class Meta:
        model = UnguardedPosition
        fields = (
            "id", "account", "trade_id", "guards", "seen", "lost_at", "acknowledged_at", "ended",
            "ended_at",
        )  # fmt: skip


class UnguardedViewSet(viewsets.ReadOnlyModelViewSet[UnguardedPosition]):
    """The user's positions that lost their guards when another account was activated."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = UnguardedOut
    queryset = UnguardedPosition.objects.none()

    def get_queryset(self) -> Any:
        own = UnguardedPosition.objects.filter(account__user_id=self.request.user.pk)
        own = own.select_related("account__user")
        if self.action == "list":
            own = own.exclude(ended=UnguardedPosition.End.LISTED)
            own = own.filter(**AccountQuery.filters_of(self.request))
        return own.order_by(F("ended_at").desc(nulls_first=True), "-lost_at", "trade_id")

    @extend_schema(parameters=[AccountQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What is unguarded still comes first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=UnguardedOut)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you know: no more reminders. Alerts go on; doing it twice changes nothing."""
        NoInput(data=request.data).is_valid(raise_exception=True)
        unguarded.acknowledge(self.get_object(), by=self.request.user)
        return Response(UnguardedOut(self.get_object()).data)
