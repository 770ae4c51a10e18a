"""How an automation runs, as clients write it and see it."""

from typing import Any, Final

from rest_framework import serializers

from accounts.strict import StrictSerializer
from automations.models import (
    MAX_BACKOFF,
    MAX_PERIOD,
    MAX_RETRIES,
    MAX_TIMEOUT,
    MIN_BACKOFF,
    MIN_PERIOD,
    MIN_TIMEOUT,
)

REFUSALS: Final = ("invalid", "min_value", "max_value", "max_string_length")


def _bounded(name: str, lowest: int, highest: int, meaning: str) -> serializers.IntegerField:
    allowed = f"a whole number from {lowest} to {highest}, or null for the kind's default"
    return serializers.IntegerField(
        min_value=lowest,
        max_value=highest,
        allow_null=True,
        required=False,
        help_text=f"{meaning}; null for the kind's default.",
        error_messages=dict.fromkeys(REFUSALS, f"{name} must be {allowed}."),
    )


class PolicyIn(StrictSerializer):
    """What an automation has of its own; null is its kind's default."""

    every = _bounded("every", MIN_PERIOD, MAX_PERIOD, "Seconds between two checks")
    timeout = _bounded("timeout", MIN_TIMEOUT, MAX_TIMEOUT, "Seconds after which a run is stopped")
    retries = _bounded("retries", 0, MAX_RETRIES, "How often a run that failed is tried again")
    backoff = _bounded("backoff", MIN_BACKOFF, MAX_BACKOFF, "Seconds before that, doubling")


class PolicyOut(serializers.Serializer[Any]):
    """How it runs, with its kind's defaults filled in; times in seconds."""

    every = serializers.IntegerField()
    timeout = serializers.IntegerField()
    retries = serializers.IntegerField()
    backoff = serializers.IntegerField()
