"""Effects that are wanted, and the orders sent for them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from automations.models.automation import Automation
from automations.models.history import Execution


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
