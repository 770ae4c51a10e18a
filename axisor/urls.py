"""Every address of the web process."""

from django.contrib import admin
from django.urls import include, path

from axisor import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("api/", include("axisor.api")),
]
