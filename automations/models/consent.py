"""What people allow, forbid, and are asked."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from automations.models.automation import Automation


class AccountLimits(models.Model):
    """What an owner allows all automations on an account together; empty is no limit.

    See `automations.risk.Limits` for the units.
    """

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="limits"
    )
    sats_per_position = models.PositiveBigIntegerField(null=True, blank=True)
    sats_per_day = models.PositiveBigIntegerField(null=True, blank=True)
    orders_per_day = models.PositiveIntegerField(null=True, blank=True)
    leverage = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(1)]
    )
    exposure = models.PositiveBigIntegerField("exposure in USD", null=True, blank=True)

    class Meta:
        verbose_name_plural = "account limits"

    def __str__(self) -> str:
        return f"limits of {self.account}"


class Restriction(models.Model):
    """Something a person has stopped: on one account, for one user, or everywhere (neither).

    `opening` stops whatever adds exposure or buys; `protection` stops all the rest as well;
    `unconfirmed` lets nothing go without a person's yes; what is `paused` does not even look, and
    leaves the schedule. It holds until it is lifted.
    """

    class What(models.TextChoices):
        """What is stopped."""

        OPENING = "opening"
        PROTECTION = "protection"
        UNCONFIRMED = "unconfirmed"
        PAUSED = "paused"

    what = models.CharField(max_length=16, choices=What)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True
    )
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, null=True, blank=True)
    reason = models.CharField(max_length=200)
    imposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    imposed_at = models.DateTimeField(db_default=Now())
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-imposed_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["what", "user", "account"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="restriction_once",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(account=None), name="restriction_has_one_scope"
            ),
        )

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"


class Proposal(models.Model):
    """Actions that wait for a person's yes, until `expires_at`; at most one per automation.

    A yes starts a run which looks at the prices again, and does of these actions what it still
    wants. Until then nothing is sent.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        CONFIRMED = "confirmed"
        DECLINED = "declined"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="proposals")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    actions = models.JSONField()
    reason_code = models.CharField(max_length=64)
    reason_text = models.TextField()
    inputs = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["automation"], condition=Q(state="open"), name="proposal_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason_code}: {self.state}"
