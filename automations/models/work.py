"""Who works on an account, and what waits to be worked on."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from automations.models.automation import Automation
from automations.models.consent import Proposal
from automations.rules.base import Rank


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
    One that a person asked for says who, and may be narrowed to an action, a trade, or what was
    proposed.
    """

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="errands")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="errands")
    slot = models.CharField(max_length=64)
    cause = models.CharField(max_length=16)
    rank = models.PositiveSmallIntegerField(default=Rank.REST)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True)
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

    @property
    def is_protective(self) -> bool:
        """Whether it goes ahead of all other work."""
        return self.rank == Rank.PROTECT
