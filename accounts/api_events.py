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
from accounts.api_queries import ListQuery
from accounts.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event: `kind` and `data` are for programs, `message` is for people."""

    class Meta:
        model = Event
        fields = ("id", "kind", "severity", "account", "message", "data", "created_at")
        read_only_fields = fields


class EventQuery(ListQuery):
    """The query of the list."""

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
        if self.action == "list":
            return events.filter(**EventQuery.filters_of(self.request))
        return events

    @extend_schema(parameters=[EventQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Events, newest first."""
        return super().list(request, *args, **kwargs)
