"""The tables of this package, and the invariants the database keeps by itself.

    Automation ─┬─ Execution ── Intent ── TradeLog
    ExchangeAccount ── Turn

An execution is unique per (automation, slot) and an intent per (automation, slot, leg), so a
message that comes twice finds what the first one did. At most one intent per (account, target)
is under way or of unknown outcome.
"""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from automations.rules.registry import KINDS

MIN_PERIOD = 1
MAX_PERIOD = 3600


class Automation(models.Model):
    """One rule on one account. `every` is its period in seconds, None for its kind's default.

    `reason_code` and `reason_text` are of the last check; its `verdict` changes when any position
    is judged in another way. `told` names the hindrances that stand and that the owner was told.
    """

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
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
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
                condition=Q(deleted_at__isnull=True) | Q(is_active=False),
                name="automation_deleted_is_inactive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    @property
    def period(self) -> int:
        """Seconds between two checks."""
        return self.every or KINDS[self.kind].every


class Turn(models.Model):
    """Who may act on an account now: a lease with a fence, one run at a time.

    The fence grows with every turn taken, and is checked again wherever something is claimed: a
    run that lost its turn can no longer start anything. `session` and `session_at` name the
    database session of the holder: when that is gone, so is the holder.
    """

    account = models.OneToOneField(ExchangeAccount, on_delete=models.CASCADE, primary_key=True)
    fence = models.BigIntegerField(default=0)
    until = models.DateTimeField(db_default=Now())
    session = models.IntegerField(null=True)
    session_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"turn {self.fence} of {self.account_id}"


class Errand(models.Model):
    """An automation that is to be executed for a slot: kept until its execution is written.

    Whoever holds the account's turn runs all its errands, protective ones first, so one that
    comes while the account is busy waits here and not in a queue that may be lost. `attempts`
    counts the runs that failed before anything was sent; the next is not before `not_before`.
    """

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="errands")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="errands")
    slot = models.CharField(max_length=64)
    cause = models.CharField(max_length=16)
    is_protective = models.BooleanField()
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-is_protective", "created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["automation", "slot"], name="errand_once_per_slot"),
        )

    def __str__(self) -> str:
        return f"{self.automation_id} {self.slot}"


class Execution(models.Model):
    """What one run did and why, also when it did nothing.

    `status`: `success` did what it decided, `completed` had nothing to do, `pending` is not over
    or its outcome is not known, `error` failed. `inputs` is the snapshot decided on, with ages
    in seconds; `findings` the verdict per position.
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

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="executions")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT)
    account_name = models.CharField(max_length=100)
    slot = models.CharField(max_length=64)
    cause = models.CharField(max_length=16, choices=Cause)
    event = models.CharField(max_length=64)
    action = models.CharField(max_length=32, blank=True)
    trade_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    reason_code = models.CharField(max_length=64)
    reason_text = models.TextField()
    error = models.TextField(blank=True)
    inputs = models.JSONField()
    findings = models.JSONField(default=list)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at",)
        indexes = (
            models.Index(fields=["automation", "-started_at"], name="execution_history"),
            models.Index(
                fields=["account"], condition=Q(status="pending"), name="execution_pending"
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


class Intent(models.Model):
    """One effect that is wanted, written and committed before anything leaves.

        planned ── sending ──┬── confirmed   the exchange said it is done
           │  └──────────────│── (back to planned: certainly nothing was done)
           │                 ├── rejected    the exchange declined it
           lapsed            └── unknown     it was sent, and nobody answered: never resent
                                   ├── confirmed       read back: it is there
                                   ├── satisfied       what it wanted is so, not provably by it
                                   ├── lapsed          read back: it is not there, and cannot come
                                   └── needs_operator  it cannot be told apart: a person decides

    `target` is what it acts on (`trade:<id>`), `seen` the position as it was when decided,
    `sats` what it takes from the free balance. `generation` is the user's account switch it
    belongs to, `fence` the turn that claimed it. It may be claimed until `deadline`. One that
    `is_idempotent` may be repeated at once; of the others at most one per target is open.
    `absences` counts how often it was looked for in vain once it could no longer arrive,
    `looked_at` is the last look. `resolved_by` decided what could not be told apart.
    """

    class State(models.TextChoices):
        """Where it stands."""

        PLANNED = "planned"
        SENDING = "sending"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"
        UNKNOWN = "unknown"
        SATISFIED = "satisfied"
        LAPSED = "lapsed"
        NEEDS_OPERATOR = "needs_operator"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="intents")
    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="intents")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="intents")
    slot = models.CharField(max_length=64)
    leg = models.PositiveSmallIntegerField()
    generation = models.PositiveIntegerField()
    target = models.CharField(max_length=80)
    action = models.JSONField()
    sats = models.BigIntegerField(default=0)
    seen = models.JSONField()
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    fence = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    deadline = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    is_idempotent = models.BooleanField(default=False)
    absences = models.PositiveSmallIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("-created_at", "leg")
        permissions = (("resolve_intent", "Can say what became of an intent"),)
        indexes = (
            models.Index(
                fields=["account"],
                condition=Q(state__in=["planned", "sending", "unknown"]),
                name="intent_open",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["automation", "slot", "leg"], name="intent_once_per_leg"
            ),
            models.UniqueConstraint(
                fields=["account", "target"],
                condition=Q(
                    state__in=["sending", "unknown", "needs_operator"], is_idempotent=False
                ),
                name="intent_one_open_per_target",
            ),
            models.CheckConstraint(condition=~Q(target=""), name="intent_has_target"),
            models.CheckConstraint(condition=Q(sats__gte=0), name="intent_sats_not_negative"),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "lapsed"])
                | (Q(fence__isnull=False) & Q(signed_at__isnull=False)),
                name="intent_sent_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True) | Q(signed_at__lte=F("deadline")),
                name="intent_signed_before_deadline",
            ),
        )

    def __str__(self) -> str:
        return f"{self.action.get('kind')} on {self.target}: {self.state}"


class TradeLog(models.Model):
    """One order as it was sent, and what came back. Times UTC; `answer` is the position after."""

    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, related_name="trade_logs")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT)
    account_name = models.CharField(max_length=100)
    action = models.CharField(max_length=32)
    trade_id = models.CharField(max_length=64)
    sats = models.BigIntegerField(default=0)
    outcome = models.CharField(max_length=16, default="sending")
    answer = models.JSONField(null=True)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-sent_at",)

    def __str__(self) -> str:
        return f"{self.action} on {self.trade_id}: {self.outcome}"
