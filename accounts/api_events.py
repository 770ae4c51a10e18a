"""What happened to a user, over HTTP: read, and never written."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts import selectors
from accounts.api import OwnedRequest
from accounts.models import Event
from accounts.strict import StrictSerializer

FILTERS = ("severity", "kind", "account")


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event: `kind` and `data` are for programs, `message` is for people."""

    class Meta:
        model = Event
        fields = ("id", "kind", "severity", "account", "message", "data", "created_at")
        read_only_fields = fields


class EventQuery(StrictSerializer):
    """The query of the list: which part of it is wanted, and what it is filtered by."""

    limit = serializers.IntegerField(min_value=1, required=False)
    offset = serializers.IntegerField(min_value=0, required=False)
    severity = serializers.ChoiceField(choices=Event.Severity.choices, required=False)
    kind = serializers.CharField(required=False, help_text="As `account_state_changed`.")
    account = serializers.UUIDField(required=False)


class EventViewSet(ReadOnlyModelViewSet[Event]):
    """What happened to the user and their accounts, newest first."""

    request: OwnedRequest
    queryset = Event.objects.none()
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Event]:
        events = selectors.events_of(self.request.user.pk)
        return events.filter(**self._filters()) if self.action == "list" else events

    @extend_schema(parameters=[EventQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Events, newest first."""
        return super().list(request, *args, **kwargs)

    def _filters(self) -> dict[str, Any]:
        query = EventQuery(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        return {
            name: query.validated_data[name] for name in FILTERS if name in query.validated_data
        }
