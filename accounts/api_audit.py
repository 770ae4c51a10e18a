"""Who did what to a user's own things, over HTTP: read, and never written."""

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
from accounts.models import Audit, User


class AuditSerializer(serializers.ModelSerializer[Audit]):
    """Something that was done: `by` is the username of who did it, null for the platform."""

    by = serializers.SlugRelatedField[User](slug_field="username", read_only=True)

    class Meta:
        model = Audit
        fields = ("id", "at", "by", "action", "subject", "account", "reason", "data")
        read_only_fields = fields


class AuditQuery(ListQuery):
    """The query of the list."""

    action = serializers.CharField(required=False, help_text="As `account_activated`.")
    subject = serializers.CharField(required=False, help_text="As `automation/<id>`.")
    account = serializers.UUIDField(required=False)


class AuditViewSet(ReadOnlyModelViewSet[Audit]):
    """What people did to what is the user's, newest first."""

    request: OwnedRequest
    queryset = Audit.objects.none()
    serializer_class = AuditSerializer

    def get_queryset(self) -> QuerySet[Audit]:
        audits = selectors.audits_of(self.request.user.pk)
        if self.action == "list":
            return audits.filter(**AuditQuery.filters_of(self.request))
        return audits

    @extend_schema(parameters=[AuditQuery])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was done, newest first."""
        return super().list(request, *args, **kwargs)
