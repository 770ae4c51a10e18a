from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from exchanges.models import Exchange


@admin.register(Exchange)
class ExchangeAdmin(ModelAdmin):
    """Where an exchange is stays as it was: its accounts' keys are sent there.

    For another address add another exchange, and disable the old one.
    """

    list_display = ("name", "slug", "adapter", "base_url", "is_enabled")
    list_filter = ("is_enabled",)
    search_fields = ("name", "slug")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Exchange | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("slug", "adapter", "api_url")
