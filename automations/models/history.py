"""What was done and why, and when there was nothing to do."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import ExchangeAccount
from automations.models.automation import Automation


class Execution(models.Model):
    """What one run did and why, also when it did nothing.

    `status`: `success` did what it decided, `completed` had nothing to do, `error` failed, and
    `pending` is not over, has an unknown outcome, or waits for what it was told to wait for.
    `inputs` is the snapshot decided on, with ages in seconds; `findings` the verdict per position.
    `mode` is the automation's at that time; `memory` is what its rule remembered before.
    """

    class Status(models.TextChoices):
        """Result of an execution."""

        PENDING = "pending"
        SUCCESS = "success"
        COMPLETED = "completed"
        ERROR = "error"

    class Cause(models.TextChoices):
        """What started it."""

        TICK = "tick"
        MONITOR = "monitor"
        MANUAL = "manual"
        CONFIRMED = "confirmed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="executions")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT)
    account_name = models.CharField(max_length=100)
    slot = models.CharField(max_length=64)
    cause = models.CharField(max_length=16, choices=Cause)
    mode = models.CharField(max_length=16, choices=Automation.Mode, default=Automation.Mode.LIVE)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    event = models.CharField(max_length=64)
    action = models.CharField(max_length=32, blank=True)
    trade_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    reason_code = models.CharField(max_length=64)
    reason_text = models.TextField()
    error = models.TextField(blank=True)
    inputs = models.JSONField()
    findings = models.JSONField(default=list)
    memory = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=["automation", "-started_at"], name="execution_history"),
            models.Index(
                fields=["account"], condition=Q(finished_at=None), name="execution_unfinished"
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=["automation", "slot"], name="execution_once_per_slot"),
            models.CheckConstraint(
                condition=Q(status="pending") | Q(finished_at__isnull=False),
                name="execution_over_has_end",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.slot}: {self.status}"

    @property
    def duration_ms(self) -> int | None:
        """Milliseconds from start to end; None while it is not over."""
        if self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class QuietSpan(models.Model):
    """A time in which an automation had nothing to do, with one `verdict`: `count` checks."""

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="spans")
    verdict = models.CharField(max_length=64)
    reason_code = models.CharField(max_length=64)
    reason_text = models.TextField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    first_inputs = models.JSONField()
    latest_inputs = models.JSONField()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["automation", "-id"], name="span_history"),)

    def __str__(self) -> str:
        return f"{self.reason_code} x {self.count}"
