"""What the schedule has to follow, and what of it was left out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from automations.models.automation import Automation


class ScheduleRevision(models.Model):
    """How often what a user's schedule is made from has changed, and up to where Redis follows.

    `revision` is counted up in the transaction of each change, so its order is that of the
    changes. A schedule is dirty while `applied` is behind.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True
    )
    revision = models.PositiveBigIntegerField(default=0)
    applied = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = (
            models.Index(
                fields=["user"], condition=Q(applied__lt=F("revision")), name="schedule_dirty"
            ),
        )

    def __str__(self) -> str:
        return f"schedule of {self.user_id}: {self.applied} of {self.revision}"


class Skip(models.Model):
    """Ticks of an automation that were left out, counted by why; the last one is `last_slot`."""

    class Why(models.TextChoices):
        """What kept them from being looked at."""

        MISSED = "missed", "nothing sent it in time: the scheduler was away"
        OVERLOAD = "overload", "too many ticks were waiting"
        LATE = "late", "no worker took it up before the next one was due"
        OVERLAP = "overlap", "the run before was not over"

    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="skips")
    why = models.CharField(max_length=16, choices=Why)
    count = models.PositiveBigIntegerField(default=0)
    last_slot = models.CharField(max_length=64)
    last_at = models.DateTimeField()

    class Meta:
        ordering = ("-last_at",)
        constraints = (
            models.UniqueConstraint(fields=["automation", "why"], name="skip_once_per_why"),
        )

    def __str__(self) -> str:
        return f"{self.why} x {self.count}"
