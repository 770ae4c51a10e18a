"""The exchanges an account can be at."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from exchanges.addresses import require_safe
from exchanges.lnmarkets.constants import MAINNET_URL, SIGNET_URL
from exchanges.registry import adapter_choices


def validate_api_url(url: str) -> None:
    """Raise `ValidationError` unless requests with credentials may go to `url`."""
    try:
        require_safe(url)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class Exchange(models.Model):
    """A place to trade at, and the adapter that speaks its language."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    adapter = models.CharField(max_length=50, choices=adapter_choices)
    api_url = models.CharField(
        "API address",
        max_length=200,
        blank=True,
        validators=[validate_api_url],
        help_text="Blank for the address in the settings.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    announcement = models.TextField(blank=True, editable=False)
    announced_at = models.DateTimeField(null=True, editable=False)
    keeps_window = models.BooleanField(default=False, editable=False)
    window_verified_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise `ValidationError` when neither the row nor the settings know the address."""
        if not self.base_url:
            raise ValidationError({"api_url": "Required: the settings have none for this slug."})

    @property
    def base_url(self) -> str:
        """The address of the API: of this row, or of the settings; blank if neither has one."""
        return self.api_url or _default_urls().get(self.slug, "")


def _default_urls() -> dict[str, str]:
    return {
        "lnmarkets": settings.LN_MARKETS_API_URL or MAINNET_URL,
        "lnmarkets-signet": SIGNET_URL,
        "paper": settings.PAPER_URL,
    }
