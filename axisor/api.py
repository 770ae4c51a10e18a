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
from accounts.api_cache import CredentialCacheView
from accounts.api_events import EventViewSet
from accounts.api_me import MeView
from automations.api import AutomationViewSet
from automations.api_executions import ExecutionViewSet
from automations.api_margin import MarginViewSet, UnguardedViewSet
from automations.api_old_paths import ExecuteView, ExecutionLogsView, SchedulerExecuteView
from automations.api_old_status import OldSchedulerStatusView, OldUserStatusView
from automations.api_schedule import (
    AccountPauseView,
    AccountResumeView,
    AccountScheduleView,
    AutomationPauseView,
    AutomationResumeView,
    AutomationScheduleView,
    SchedulerStartView,
    SchedulerStopView,
    SchedulerView,
    ScheduleStartView,
    ScheduleStopView,
    ScheduleView,
)
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
router.register("margin", MarginViewSet, basename="margin")
router.register("unguarded", UnguardedViewSet, basename="unguarded")


class Nowhere(APIView):
    """What is not an address of the API is a 404 for programs, to everybody and every method."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse before anybody is asked for a token."""
        raise NotFound("There is no such address. All of them stand at /api/docs/.")


urlpatterns = [
    path("", include(router.urls)),
    path("me/", MeView.as_view(), name="me"),
    path("kinds/", KindsView.as_view(), name="kinds"),
    path("accounts/<uuid:account>/limits/", LimitsView.as_view(), name="account-limits"),
    path("automations/<uuid:automation>/pause/", AutomationPauseView.as_view()),
    path("automations/<uuid:automation>/resume/", AutomationResumeView.as_view()),
    path("automations/<uuid:automation>/schedule/", AutomationScheduleView.as_view()),
    path("accounts/<uuid:account>/pause/", AccountPauseView.as_view()),
    path("accounts/<uuid:account>/resume/", AccountResumeView.as_view()),
    path("accounts/<uuid:account>/schedule/", AccountScheduleView.as_view()),
    path("schedule/", ScheduleView.as_view()),
    path("schedule/start/", ScheduleStartView.as_view()),
    path("schedule/stop/", ScheduleStopView.as_view()),
    path("scheduler/", SchedulerView.as_view()),
    path("scheduler/start/", SchedulerStartView.as_view()),
    path("scheduler/stop/", SchedulerStopView.as_view()),
    path("credential-cache/", CredentialCacheView.as_view(), name="credential-cache"),
    # The old system's addresses end without a slash.
    path("automation/execute", ExecuteView.as_view()),
    path("automation/scheduler/execute", SchedulerExecuteView.as_view()),
    path("automation/scheduler/status", OldSchedulerStatusView.as_view()),
    path("automation-scheduler/status", OldUserStatusView.as_view()),
    path("automation/execution-logs", ExecutionLogsView.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # An address without its last slash is left to Django, which adds it.
    re_path(r".*/$", Nowhere.as_view()),
]
