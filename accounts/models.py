"""Users, their exchange accounts, and the outbox of what happened to them.

The rules that must never be broken, whatever code runs, are database constraints.
"""

import uuid

from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

NAME_LENGTH = 80


class User(AbstractUser):
    """A person or program; operators have `is_staff`.

    `account_generation` counts the changes of the active account, in their transactions: work
    begun under an older generation belongs to an account that is no longer the active one.
    `time_zone` is the one of calendars that name none.
    """

    account_generation = models.PositiveBigIntegerField(default=0, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")


class ExchangeAccount(models.Model):
    """An account at an exchange, with the credentials to use it, sealed.

    A disconnected account keeps its row, for the history that names it, and loses its
    credentials. Change it through `accounts.services` only. `remote_id` is the exchange's own id
    for it; `state` is what the exchange last let us know, and `accounts.standing` keeps it.
    `credentials_version` counts how often the credentials were sealed: a copy of another version
    is not theirs.
    """

    class State(models.TextChoices):
        OK = "ok"
        UNREACHABLE = "unreachable"
        RATE_LIMITED = "rate_limited"
        MAINTENANCE = "maintenance"
        CREDENTIALS_REFUSED = "credentials_refused"
        GEO_BLOCKED = "geo_blocked"
        ACCESS_DENIED = "access_denied"
        SCOPE_MISSING = "scope_missing"
        TIER_LIMITED = "tier_limited"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="exchange_accounts")
    exchange = models.ForeignKey("exchanges.Exchange", models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=NAME_LENGTH)
    sealed_credentials = models.BinaryField(null=True, editable=False)
    credentials_version = models.PositiveBigIntegerField(default=0, editable=False)
    is_active = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    verified_at = models.DateTimeField(editable=False)
    disconnected_at = models.DateTimeField(null=True, editable=False)
    remote_id = models.CharField(max_length=100, blank=True, editable=False)
    state = models.CharField(max_length=24, choices=State, default=State.OK, editable=False)
    state_at = models.DateTimeField(default=timezone.now, editable=False)
    state_message = models.TextField(blank=True, editable=False)
    state_operation = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "exchange", "remote_id"),
                condition=Q(disconnected_at__isnull=True) & ~Q(remote_id=""),
                name="account_connected_once_per_user",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=(
                        "ok",
                        "unreachable",
                        "rate_limited",
                        "maintenance",
                        "credentials_refused",
                        "geo_blocked",
                        "access_denied",
                        "scope_missing",
                        "tier_limited",
                    )
                ),
                name="account_state_known",
            ),
            models.UniqueConstraint(fields=("user", "name"), name="account_name_unique_per_user"),
            models.UniqueConstraint(
                fields=("user",), condition=Q(is_active=True), name="account_one_active_per_user"
            ),
            models.CheckConstraint(condition=Q(name__regex=r"\S"), name="account_name_not_blank"),
            models.CheckConstraint(
                condition=Q(sealed_credentials__isnull=False, disconnected_at__isnull=True)
                | Q(sealed_credentials__isnull=True, disconnected_at__isnull=False),
                name="account_credentials_exactly_while_connected",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(disconnected_at__isnull=True),
                name="account_active_only_while_connected",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_connected(self) -> bool:
        """The platform holds credentials for it."""
        return self.disconnected_at is None


class Event(models.Model):
    """Something that happened to a user, written in the transaction that made it happen.

    `kind` is a stable name for programs, `message` a sentence for people, `data` the numbers.
    """

    class Severity(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        CRITICAL = "critical"

    kind = models.CharField(max_length=64)
    severity = models.CharField(max_length=8, choices=Severity)
    user = models.ForeignKey(User, models.CASCADE, related_name="events")
    account = models.ForeignKey(
        ExchangeAccount, models.CASCADE, null=True, blank=True, related_name="events"
    )
    message = models.TextField()
    data = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("user", "-created_at"), name="event_user_newest_first"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(severity__in=("info", "warning", "critical")),
                name="event_severity_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class Audit(models.Model):
    """Who did what, written in the transaction that did it, and never changed: a trigger refuses.

    `by` is None for the platform itself. `action` is a stable name for programs, such as
    `account_activated`; `user` is whose it is, None for what concerns everybody; `subject` names
    the thing, such as `automation/<id>`; `data` holds what was changed, and never a secret.
    """

    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="audits")
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, null=True, related_name="audits")
    subject = models.CharField(max_length=100)
    reason = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit"
        indexes = (
            models.Index(fields=("user", "-at"), name="audit_of_user"),
            models.Index(fields=("subject", "-at"), name="audit_of_subject"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
