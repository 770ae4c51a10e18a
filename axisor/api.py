"""The API's addresses: every package's resources under one roof, and their OpenAPI document."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import DefaultRouter

from accounts.api import AccountViewSet
from automations.api import AutomationViewSet, ExecutionViewSet

router = DefaultRouter()
router.register("accounts", AccountViewSet, basename="account")
router.register("automations", AutomationViewSet, basename="automation")
router.register("executions", ExecutionViewSet, basename="execution")

urlpatterns = [
    path("", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
