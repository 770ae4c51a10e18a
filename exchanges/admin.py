from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from exchanges import feed
from exchanges.models import Exchange

SOURCES = {"stream": "its stream", "rest": "HTTP"}


@admin.register(Exchange)
class ExchangeAdmin(ModelAdmin):
    """Where an exchange is stays as it was: its accounts' keys are sent there.

    For another address add another exchange, and disable the old one.
    """

    list_display = ("name", "slug", "adapter", "base_url", "is_enabled", "market", "announced")
    list_filter = ("is_enabled",)
    search_fields = ("name", "slug")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Exchange | None = None
    ) -> tuple[str, ...]:
        watched = ("market", "stream", "announced")
        return watched if obj is None else ("slug", "adapter", "api_url", *watched)

    @admin.display(description="market")
    def market(self, obj: Exchange) -> str:
        """The last price that is known, how old it is, and where from."""
        ticker = feed.ticker(obj.slug)
        if ticker is None:
            return "not known"
        age = (timezone.now() - ticker.at).total_seconds()
        return f"{ticker.value.last_price:,} USD, {age:.1f} s ago, by {SOURCES[ticker.source]}"

    @admin.display(description="stream")
    def stream(self, obj: Exchange) -> str:
        """How it stands with the stream, since when, and why."""
        health = feed.health(obj.slug)
        if health is None:
            return "not watched: no automation is active there, or no watch runs"
        state = "up" if health.is_up else "down"
        return f"{state} since {health.since:%Y-%m-%d %H:%M:%S} UTC. {health.reason}".strip()

    @admin.display(description="announcement")
    def announced(self, obj: Exchange) -> str:
        """The last thing it said to everybody, and when."""
        if obj.announced_at is None:
            return "none"
        return f"{obj.announced_at:%Y-%m-%d %H:%M} UTC: {obj.announcement}"
