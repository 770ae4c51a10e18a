"""What was sent before, as decisions have to know it: read from the intents, never stored twice."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce, Now

from automations.models import Automation, Intent
from automations.perform import CROSS_TARGET, OPEN_TARGET
from automations.rules.measures import CROSS
from automations.snapshots import Lifetime, PastAction, Snapshot, Usage

UNDER_WAY = Q(state=Intent.State.SENDING) | Q(state=Intent.State.PLANNED, deadline__gt=Now())
UNSETTLED = Q(state__in=[Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR])
OPEN = UNDER_WAY | UNSETTLED
"""Intents that may still have an effect: one that nobody claimed in time has none."""

DONE = Q(state__in=[Intent.State.CONFIRMED, Intent.State.SATISFIED])
SHADOW = Q(state=Intent.State.SHADOW)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Past:
    """Of one automation: the fields of the same names of its `Snapshot`."""

    past: tuple[PastAction, ...]
    lifetime: Lifetime
    under_way: frozenset[str]
    unsettled: frozenset[str]
    usage: Usage

    @classmethod
    def seen_in(cls, snapshot: Snapshot) -> "Past":
        """What a decision counted."""
        return cls(
            snapshot.past,
            snapshot.lifetime,
            snapshot.under_way,
            snapshot.unsettled,
            snapshot.usage,
        )


def recall(automations: Collection[Automation], running: Collection[str]) -> dict[UUID, Past]:
    """What each automation has to know, given the trades that run on their accounts.

    Costs the same few statements for one automation and for many.
    """
    heirs = _heirs(automations, running)
    past, lifetimes = _past_actions(automations, running, heirs), _lifetimes(automations)
    under_way, unsettled = _targets(automations, UNDER_WAY), _targets(automations, UNSETTLED)
    usage = _usage(automations, running, heirs)
    return {
        automation.id: Past(
            tuple(past[automation.id]),
            lifetimes.get(automation.id, Lifetime()),
            _named(under_way[automation.account_id], automation),
            _named(unsettled[automation.account_id], automation),
            usage[automation.account_id],
        )
        for automation in automations
    }


def _heirs(automations: Collection[Automation], running: Collection[str]) -> dict[str, str]:
    """Trades that were closed and opened again smaller, and what runs in their stead now."""
    accounts = {automation.account_id for automation in automations}
    reopened = Intent.objects.filter(account__in=accounts).exclude(became="")
    before = {became: trade_id for trade_id, became in reopened.values_list("trade_id", "became")}
    heirs: dict[str, str] = {}
    for heir in running:
        ancestor = before.get(heir)
        while ancestor is not None and ancestor not in heirs:
            heirs[ancestor] = heir
            ancestor = before.get(ancestor)
    return heirs


def _past_actions(
    automations: Collection[Automation], running: Collection[str], heirs: dict[str, str]
) -> defaultdict[UUID, list[PastAction]]:
    """What counts against each one's caps: all it sent or is about to, unknown too.

    Of trades that run no longer only the last 24 hours count, for the cap per day.
    """
    counted = Intent.objects.filter(
        OPEN | DONE | SHADOW,
        Q(trade_id__in=[*running, *heirs]) | Q(target=CROSS_TARGET) | Q(created_at__gt=Now() - DAY),
        automation__in=automations,
    )
    past = defaultdict(list)
    for intent in counted.order_by("created_at", "leg"):
        past[intent.automation_id].append(_past_action(intent, heirs))
    return past


def _past_action(intent: Intent, heirs: dict[str, str]) -> PastAction:
    name = CROSS if intent.target == CROSS_TARGET else intent.trade_id
    kind = intent.action["kind"]
    return PastAction(
        trade_id=heirs.get(name, name),
        sats=-intent.action["amount"] if kind == "cash_in" else intent.sats,
        at=intent.signed_at or intent.created_at,
        kind=kind,
        spent=intent.spent,
    )


def _lifetimes(automations: Collection[Automation]) -> dict[UUID, Lifetime]:
    rows = (
        Intent.objects.filter(OPEN | DONE | SHADOW, automation__in=automations)
        .order_by()
        .values("automation")
        .annotate(
            count=Count("pk"), spent=Sum("spent"), last_at=Max(Coalesce("signed_at", "created_at"))
        )
    )
    return {row["automation"]: Lifetime(row["count"], row["spent"], row["last_at"]) for row in rows}


def _targets(automations: Collection[Automation], states: Q) -> defaultdict[UUID, set[str]]:
    """Per account, the targets with something in these states that must not be repeated."""
    accounts = {automation.account_id for automation in automations}
    found = Intent.objects.filter(states, account__in=accounts, is_idempotent=False)
    targets = defaultdict(set)
    for account_id, target in found.values_list("account_id", "target"):
        targets[account_id].add(target)
    return targets


def _named(targets: Iterable[str], automation: Automation) -> frozenset[str]:
    """Targets as rules know them: trades by their ids, and the automation's own order as `open`."""
    own = f"{OPEN_TARGET}:{automation.id}"
    return frozenset(
        OPEN_TARGET if target == own else target.removeprefix("trade:") for target in targets
    )


def _usage(
    automations: Collection[Automation], running: Collection[str], heirs: dict[str, str]
) -> defaultdict[UUID, Usage]:
    """What counts against each account's limits, by whatever automation."""
    accounts = {automation.account_id for automation in automations}
    counted = Intent.objects.filter(OPEN | DONE, account__in=accounts)
    usage: defaultdict[UUID, Usage] = defaultdict(Usage)
    today = counted.filter(created_at__gt=Now() - DAY).order_by().values("account")
    for row in today.annotate(sats=Sum("sats"), orders=Count("pk")):
        usage[row["account"]] = Usage((), row["sats"], row["orders"])
    spent: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    on_positions = counted.filter(
        Q(trade_id__in=[*running, *heirs]) | Q(target=CROSS_TARGET), sats__gt=0
    )
    for account, target, trade_id, sats in on_positions.values_list(
        "account", "target", "trade_id", "sats"
    ):
        name = CROSS if target == CROSS_TARGET else heirs.get(trade_id, trade_id)
        spent[account][name] = spent[account].get(name, 0) + sats
    for account, by_name in spent.items():
        before = usage[account]
        usage[account] = Usage(
            tuple(sorted(by_name.items())), before.sats_today, before.orders_today
        )
    return usage
