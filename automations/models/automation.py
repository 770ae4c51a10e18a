"""What runs, and on which account."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import ExchangeAccount
from automations.rules.registry import KINDS

MIN_PERIOD = 1
MAX_PERIOD = 3600
MIN_TIMEOUT = 5
MAX_TIMEOUT = 90
"""Seconds: below the hard limit of a task, which is below the broker's visibility timeout."""
MAX_RETRIES = 5
MIN_BACKOFF = 1
MAX_BACKOFF = 30


@dataclass(frozen=True, slots=True)
class Policy:
    """How an automation runs. Times are in seconds.

    It is looked at every `every`. A run is stopped `timeout` after it began. One that failed, or
    was stopped, before it planned anything is tried again up to `retries` times, after `backoff`,
    doubling.
    """

    every: int
    timeout: int
    retries: int
    backoff: int


class Automation(models.Model):
    """One rule on one account.

    `every`, `timeout` and `backoff` are in seconds; these and `retries` are None for its kind's
    defaults, which `policy` fills in. One that is not active says who paused it, when and why.
    `last_slot` is the last tick at which it was looked at, `lateness_ms` how long after its time
    that was. `reason_code` and `reason_text` are of the last check; its `verdict` changes when any
    position is judged in another way. `told` names the hindrances that stand and that the owner
    was told. `memory` is what its rule remembers of what it saw.
    """

    class Mode(models.TextChoices):
        """Whether it acts: at once, only with a person's yes, or not at all but on paper."""

        LIVE = "live"
        CONFIRM = "confirm"
        SHADOW = "shadow"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.PROTECT, related_name="automations"
    )
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=100)
    config = models.JSONField()
    every = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_PERIOD), MaxValueValidator(MAX_PERIOD)],
    )
    timeout = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_TIMEOUT), MaxValueValidator(MAX_TIMEOUT)],
    )
    retries = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MAX_RETRIES)]
    )
    backoff = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_BACKOFF), MaxValueValidator(MAX_BACKOFF)],
    )
    is_active = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    pause_reason = models.CharField(max_length=200, blank=True, editable=False)
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.LIVE)
    memory = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_slot = models.CharField(max_length=64, blank=True, editable=False)
    lateness_ms = models.IntegerField(null=True, editable=False)
    reason_code = models.CharField(max_length=64, blank=True, editable=False)
    reason_text = models.TextField(blank=True, editable=False)
    verdict = models.CharField(max_length=64, blank=True, editable=False)
    told = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=list(KINDS)), name="automation_kind"),
            models.CheckConstraint(condition=~Q(name=""), name="automation_has_name"),
            models.CheckConstraint(
                condition=Q(every__isnull=True) | Q(every__range=(MIN_PERIOD, MAX_PERIOD)),
                name="automation_every_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(timeout__isnull=True) | Q(timeout__range=(MIN_TIMEOUT, MAX_TIMEOUT)),
                name="automation_timeout_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(retries__isnull=True) | Q(retries__lte=MAX_RETRIES),
                name="automation_retries_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(backoff__isnull=True) | Q(backoff__range=(MIN_BACKOFF, MAX_BACKOFF)),
                name="automation_backoff_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(is_active=False),
                name="automation_deleted_is_inactive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    @property
    def period(self) -> int:
        """Seconds between two checks."""
        return self.every or KINDS[self.kind].period(settings.CALENDAR_CHECK_SECONDS)

    @property
    def policy(self) -> Policy:
        """How it runs: as its kind does, except for what is its own."""
        kind = KINDS[self.kind]
        return Policy(
            every=self.period,
            timeout=kind.timeout if self.timeout is None else self.timeout,
            retries=kind.retries if self.retries is None else self.retries,
            backoff=kind.backoff if self.backoff is None else self.backoff,
        )
