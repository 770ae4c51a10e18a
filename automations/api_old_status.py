"""The old system's addresses for how it stands with the schedule, with its names and shapes."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import OwnedRequest
from accounts.strict import StrictSerializer
from automations import status


class OldSchedulerStatusView(APIView):
    """`GET /api/automation/scheduler/status`, as the old system answered it."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        responses=inline_serializer(
            "OldSchedulerStatus",
            {"success": serializers.BooleanField(), "data": serializers.DictField()},
        )
    )
    def get(self, request: Request) -> Response:
        """Whether the scheduler runs, and how often it checks calendars, in milliseconds."""
        running = status.of_scheduler().is_running
        data = {"isRunning": running, "checkInterval": 1000 * settings.CALENDAR_CHECK_SECONDS}
        return Response({"success": True, "data": data})


class OldStatusQuery(StrictSerializer):
    """Whose schedule: one's own."""

    userId = serializers.CharField()  # noqa: N815


class OldUserStatusView(APIView):
    """`GET /api/automation-scheduler/status`, as the old system answered it."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        parameters=[OldStatusQuery],
        responses=inline_serializer(
            "OldUserStatus",
            {
                "isActive": serializers.BooleanField(),
                "activeSchedules": serializers.IntegerField(),
                "automations": serializers.ListField(child=serializers.DictField()),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """What is scheduled for the user; another user's id is a 404."""
        query = OldStatusQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        if query.validated_data["userId"] != str(self.request.user.pk):
            raise NotFound(f"There is no user {query.validated_data['userId']}.")
        found = status.of_user(self.request.user)
        running = [each for each in found.automations if each.is_running]
        return Response(
            {
                "isActive": found.is_active,
                "activeSchedules": len(running),
                "automations": [_as_before(each) for each in running],
            }
        )


def _as_before(found: status.OfAutomation) -> dict[str, Any]:
    automation = found.automation
    return {
        "id": automation.id,
        "name": automation.name,
        "type": automation.kind,
        "accountId": automation.account_id,
        "accountName": automation.account.name,
        "interval": 1000 * automation.period,
        "lastRun": automation.checked_at,
        "nextRun": found.next_due_at,
    }
