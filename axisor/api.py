"""The API's addresses: every package's resources under one roof, and their OpenAPI document."""

from typing import Any, NoReturn

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView

from accounts.api import AccountViewSet
from accounts.api_audit import AuditViewSet
from accounts.api_events import EventViewSet
from automations.api import AutomationViewSet, ExecutionViewSet
from automations.api_old_paths import ExecuteView, ExecutionLogsView, SchedulerExecuteView
from automations.api_steering import (
    KindsView,
    LimitsView,
    ProposalViewSet,
    RestrictionViewSet,
)

router = DefaultRouter()
router.register("accounts", AccountViewSet, basename="account")
router.register("automations", AutomationViewSet, basename="automation")
router.register("executions", ExecutionViewSet, basename="execution")
router.register("audit", AuditViewSet, basename="audit")
router.register("events", EventViewSet, basename="event")
router.register("proposals", ProposalViewSet, basename="proposal")
router.register("restrictions", RestrictionViewSet, basename="restriction")


class Nowhere(APIView):
    """What is not an address of the API is a 404 for programs, to everybody and every method."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse before anybody is asked for a token."""
        raise NotFound("There is no such address. All of them stand at /api/docs/.")


urlpatterns = [
    path("", include(router.urls)),
    path("kinds/", KindsView.as_view(), name="kinds"),
    path("accounts/<uuid:account>/limits/", LimitsView.as_view(), name="account-limits"),
    # The old system's addresses end without a slash.
    path("automation/execute", ExecuteView.as_view()),
    path("automation/scheduler/execute", SchedulerExecuteView.as_view()),
    path("automation/execution-logs", ExecutionLogsView.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # An address without its last slash is left to Django, which adds it.
    re_path(r".*/$", Nowhere.as_view()),
]
