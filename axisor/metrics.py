"""What Prometheus reads: the counters of all processes, summed.

The processes collect in files, in the folder that PROMETHEUS_MULTIPROC_DIR names; without it there
is only what this process counted. Shown to staff, by session or API token, and on a site that
only this machine can reach to this machine. What is behind a proxy always seems to come from this
machine, hence the second condition.
"""

from typing import Any

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.cache_metrics import CredentialCacheMetrics
from accounts.tokens import TokenAuthentication
from axisor.env import LOOPBACK_HOSTS

# What Redis counts for all processes already.
CLUSTER = CollectorRegistry()
CLUSTER.register(CredentialCacheMetrics())


class TextRenderer(BaseRenderer):
    """Prometheus' text format 0.0.4."""

    media_type = "text/plain"
    format = "text"

    def render(self, data: Any, *args: object, **kwargs: object) -> str | bytes:
        """The metrics as they are; of a refusal its sentence."""
        return data if isinstance(data, bytes) else f"{data['detail']}\n"


class StaffOrThisMachine(BasePermission):
    """Allows staff; and anybody here, where nobody from elsewhere can come."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """See the class."""
        is_here = request.META.get("REMOTE_ADDR") in LOOPBACK_HOSTS
        return bool(request.user.is_staff or (settings.IS_LOCAL and is_here))


class MetricsView(APIView):
    """GET `/metrics`."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)
    permission_classes = (StaffOrThisMachine,)
    renderer_classes = (TextRenderer,)
    schema = None

    def get(self, request: Request) -> Response:
        """All metrics, in Prometheus' text format."""
        return Response(generate_latest(_registry()) + generate_latest(CLUSTER))


def _registry() -> CollectorRegistry:
    if not settings.PROMETHEUS_MULTIPROC_DIR:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, settings.PROMETHEUS_MULTIPROC_DIR)  # type: ignore[no-untyped-call]
    return registry
