"""What was sent before, as decisions have to know it: read from the intents, never stored twice."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from automations.models import Automation, Intent
from automations.snapshots import PastAction

UNDER_WAY = Q(state=Intent.State.SENDING) | Q(state=Intent.State.PLANNED, deadline__gt=Now())
UNSETTLED = Q(state__in=[Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR])
OPEN = UNDER_WAY | UNSETTLED
"""Intents that may still have an effect: one that nobody claimed in time has none."""

DONE = Q(state__in=[Intent.State.CONFIRMED, Intent.State.SATISFIED])
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one automation: the fields of the same names of its `Snapshot`."""

    past: tuple[PastAction, ...]
    under_way: frozenset[str]
    unsettled: frozenset[str]


def recall(automations: Collection[Automation], running: Collection[str]) -> dict[UUID, Memory]:
    """What each automation has to know, given the trades that run on their accounts.

    Costs the same three statements for one automation and for many.
    """
    past = _past_actions(automations, running)
    under_way, unsettled = _trades(automations, UNDER_WAY), _trades(automations, UNSETTLED)
    return {
        automation.id: Memory(
            tuple(past[automation.id]),
            frozenset(under_way[automation.account_id]),
            frozenset(unsettled[automation.account_id]),
        )
        for automation in automations
    }


def _past_actions(
    automations: Collection[Automation], running: Collection[str]
) -> defaultdict[UUID, list[PastAction]]:
    """What counts against each one's caps: all it sent or is about to, unknown too.

    Of trades that run no longer only the last 24 hours count, for the cap per day.
    """
    counted = Intent.objects.filter(
        OPEN | DONE,
        Q(action__trade_id__in=list(running)) | Q(created_at__gt=Now() - DAY),
        automation__in=automations,
    )
    past = defaultdict(list)
    for intent in counted.order_by("created_at", "leg"):
        at = intent.signed_at or intent.created_at
        past[intent.automation_id].append(PastAction(intent.action["trade_id"], intent.sats, at))
    return past


def _trades(automations: Collection[Automation], states: Q) -> defaultdict[UUID, set[str]]:
    """Per account, the trades with something in these states that must not be repeated."""
    accounts = {automation.account_id for automation in automations}
    found = Intent.objects.filter(states, account__in=accounts, is_idempotent=False)
    trades = defaultdict(set)
    for account_id, trade_id in found.values_list("account_id", "action__trade_id"):
        trades[account_id].add(trade_id)
    return trades
