"""The API for what automations did and why. What belongs to another user is a 404."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OwnedRequest
from accounts.api_queries import ListQuery
from automations import selectors
from automations.models import Execution, Intent


class IntentOut(serializers.ModelSerializer[Intent]):
    """One effect of an execution, and what became of it."""

    class Meta:
        model = Intent
        fields = (
            "id", "leg", "target", "action", "sats", "seen", "state", "error", "created_at",
            "signed_at", "settled_at",
        )  # fmt: skip


class ExecutionOut(serializers.ModelSerializer[Execution]):
    """What a run did and why; `duration_ms` in milliseconds."""

    intents = IntentOut(many=True)
    duration_ms = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Execution
        fields = (
            "id", "automation", "account", "account_name", "slot", "cause", "mode", "requested_by",
            "event", "action", "trade_id", "status", "reason_code", "reason_text", "error",
            "inputs", "findings", "intents", "started_at", "finished_at", "duration_ms",
        )  # fmt: skip


class ExecutionQuery(ListQuery):
    """The query of the list of executions."""

    automation = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Execution.Status.choices, required=False)
    slot = serializers.CharField(max_length=64, required=False)


class ExecutionViewSet(viewsets.ReadOnlyModelViewSet[Execution]):
    """What the user's automations did and why, newest first."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)
    serializer_class = ExecutionOut
    queryset = Execution.objects.none()

    def get_queryset(self) -> Any:
        executions = selectors.executions_of(self.request.user.pk).prefetch_related("intents")
        if self.action == "list":
            return executions.filter(**ExecutionQuery.filters_of(self.request))
        return executions

    @extend_schema(parameters=[ExecutionQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Executions, newest first."""
        return super().list(request, *args, **kwargs)
