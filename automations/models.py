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
    `memory` is what its rule remembers of what it saw.
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
    is_active = models.BooleanField(default=True)
    mode = models.CharField(max_length=16, choices=Mode, default=Mode.LIVE)
    memory = models.JSONField(default=dict, blank=True, editable=False)
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
    One that a person asked for says who, and may be narrowed to one action or one trade.
    """

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="errands")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="errands")
    slot = models.CharField(max_length=64)
    cause = models.CharField(max_length=16)
    rank = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    only_action = models.CharField(max_length=32, blank=True)
    only_trade = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("rank", "created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["automation", "slot"], name="errand_once_per_slot"),
        )

    def __str__(self) -> str:
        return f"{self.automation_id} {self.slot}"


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
        shadow                                       decided by an automation that only watches

    `target` is what it acts on (`trade:<id>`), `seen` the position as it was when decided, null
    where there is none; `sats` is what it takes from the free balance, `spent` what a purchase
    costs, in the quote currency. `trade_id` names the trade it acts on, `became` the one that
    runs in its stead since. `generation` is the user's account switch it
    belongs to, `fence` the turn that claimed it. It may be claimed until `deadline`. One that
    `is_idempotent` may be repeated at once; of the others at most one per target is open. One
    that `is_opening` is stopped by a kill switch. Its id is the client id of a new order.
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
        SHADOW = "shadow"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="intents")
    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="intents")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="intents")
    slot = models.CharField(max_length=64)
    leg = models.PositiveSmallIntegerField()
    generation = models.PositiveIntegerField()
    target = models.CharField(max_length=80)
    action = models.JSONField()
    trade_id = models.CharField(max_length=64, blank=True)
    became = models.CharField(max_length=64, blank=True)
    sats = models.BigIntegerField(default=0)
    spent = models.DecimalField(max_digits=20, decimal_places=8, default=0)
    seen = models.JSONField(null=True)
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    fence = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    deadline = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    is_idempotent = models.BooleanField(default=False)
    is_opening = models.BooleanField(default=False)
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
            models.CheckConstraint(
                condition=Q(sats__gte=0) & Q(spent__gte=0), name="intent_costs_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "lapsed", "shadow"])
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
    leverage = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    exposure = models.PositiveBigIntegerField("exposure in USD", null=True, blank=True)

    class Meta:
        verbose_name_plural = "account limits"

    def __str__(self) -> str:
        return f"limits of {self.account}"


class Restriction(models.Model):
    """Something a person has stopped: on one account, for one user, or everywhere (neither).

    `opening` stops whatever adds exposure or buys; `protection` stops all the rest as well;
    `unconfirmed` lets nothing go without a person's yes. It holds until it is lifted.
    """

    class What(models.TextChoices):
        """What is stopped."""

        OPENING = "opening"
        PROTECTION = "protection"
        UNCONFIRMED = "unconfirmed"

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
