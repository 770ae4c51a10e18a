"""What the margin monitor remembers: positions in danger, and those that lost their guard."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ExchangeAccount


class MarginAlert(models.Model):
    """A position whose margin use has crossed a level and is not safely back below it.

    `trade_id` is `cross` for the cross-margin position, and empty for an account that cannot be
    read. `crossing` is new with every crossing upwards: what it starts bears it in its slot.
    There is no row for what is well.
    """

    class Level(models.TextChoices):
        """How near to liquidation, or that it is not known."""

        WARNING = "warning"
        CRITICAL = "critical"
        BLIND = "blind"

    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.CASCADE, related_name="margin_alerts"
    )
    trade_id = models.CharField(max_length=64, blank=True)
    level = models.CharField(max_length=16, choices=Level)
    crossing = models.UUIDField(default=uuid.uuid4)
    margin_used = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    price = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    crossed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-crossed_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "trade_id"], name="margin_alert_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(level__in=("warning", "critical", "blind")),
                name="margin_alert_level_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.level}: {self.trade_id or 'the account'}"


class UnguardedPosition(models.Model):
    """A position that lost its guards, by a switch to another account or by a pause.

    An empty `trade_id` stands for positions that are not known yet: the account has still to be
    read. `guards` are the names of what guarded it, `seen` the position then. It stays until it
    is closed or guarded again; its owner should acknowledge that nothing guards it.
    """

    class End(models.TextChoices):
        """Why it is over."""

        CLOSED = "closed"
        GUARDED = "guarded"
        LISTED = "listed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        ExchangeAccount, on_delete=models.CASCADE, related_name="unguarded_positions"
    )
    trade_id = models.CharField(max_length=64, blank=True)
    guards = models.JSONField(default=list)
    seen = models.JSONField(null=True)
    lost_at = models.DateTimeField(db_default=Now())
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=16, choices=End, blank=True)

    class Meta:
        ordering = ("-lost_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "trade_id"],
                condition=Q(ended_at=None),
                name="unguarded_once_per_position",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended="") | (Q(ended_at__isnull=False) & ~Q(ended="")),
                name="unguarded_end_has_why",
            ),
        )

    def __str__(self) -> str:
        return f"{self.trade_id or 'positions'} of {self.account}"
