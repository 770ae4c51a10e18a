"""What was sent before, as decisions have to know it: read from the intents, never stored twice."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now

from automations.models import Automation, Intent
from automations.perform import CROSS_TARGET, OPEN_TARGET, SWAP_TARGET
from automations.rules.measures import CROSS
from automations.snapshots import Lifetime, PastAction, Snapshot, Usage

UNDER_WAY = Q(state=Intent.State.SENDING) | Q(state=Intent.State.PLANNED, deadline__gt=Now())
UNSETTLED = Q(state__in=[Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR])
OPEN = UNDER_WAY | UNSETTLED
"""Intents that may still have an effect: one that nobody claimed in time has none."""

DONE = Q(state__in=[Intent.State.CONFIRMED, Intent.State.SATISFIED])
OPENING_KINDS = ("open_position", "reopen_position", "cross_order")
SHADOW = Q(state=Intent.State.SHADOW, automation__mode=Automation.Mode.SHADOW)
"""What was done on paper counts as long as its automation stays there."""

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
    under_way, unsettled = _targets(automations)
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


def _targets(
    automations: Collection[Automation],
) -> tuple[defaultdict[UUID, set[str]], defaultdict[UUID, set[str]]]:
    """Per account, the targets with something that must not be repeated: under way, unsettled."""
    accounts = {automation.account_id for automation in automations}
    found = Intent.objects.filter(OPEN, account__in=accounts, is_idempotent=False)
    under_way: defaultdict[UUID, set[str]] = defaultdict(set)
    unsettled: defaultdict[UUID, set[str]] = defaultdict(set)
    for account_id, target, state in found.values_list("account_id", "target", "state"):
        is_settling = state in (Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR)
        (unsettled if is_settling else under_way)[account_id].add(target)
    return under_way, unsettled


def _named(targets: Iterable[str], automation: Automation) -> frozenset[str]:
    """Targets as rules know them: trades by their ids, and the automation's own order as `open`."""
    own = f"{OPEN_TARGET}:{automation.id}"
    return frozenset(
        OPEN_TARGET if target == own else target.removeprefix("trade:") for target in targets
    )


def _usage(
    automations: Collection[Automation], running: Collection[str], heirs: dict[str, str]
) -> dict[UUID, Usage]:
    """What counts against each account's limits, by whatever automation."""
    accounts = {automation.account_id for automation in automations}
    counted = Intent.objects.filter(OPEN | DONE, account__in=accounts).order_by()
    by_position, opening = _by_position(counted, running, heirs), _opening(accounts)
    today = counted.filter(created_at__gt=Now() - DAY).values("account")
    moved = Sum("sats", filter=~Q(target=SWAP_TARGET), default=0)
    sums = {row["account"]: row for row in today.annotate(sats=moved, orders=Count("pk"))}
    nothing = {"sats": 0, "orders": 0}
    return {
        account: Usage(
            sats_by_position=tuple(sorted(by_position[account].items())),
            sats_today=sums.get(account, nothing)["sats"],
            orders_today=sums.get(account, nothing)["orders"],
            opening=opening[account],
        )
        for account in accounts
    }


def _by_position(
    counted: QuerySet[Intent], running: Collection[str], heirs: dict[str, str]
) -> defaultdict[UUID, Counter[str]]:
    """Per account, the sats that were moved into each running position."""
    moved = counted.filter(
        Q(trade_id__in=[*running, *heirs]) | Q(target=CROSS_TARGET), sats__gt=0
    ).values_list("account", "target", "trade_id", "sats")
    sums: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for account, target, trade_id, sats in moved:
        name = CROSS if target == CROSS_TARGET else heirs.get(trade_id, trade_id)
        sums[account][name] += sats
    return sums


def _opening(accounts: Collection[UUID]) -> Counter[UUID]:
    """Per account, the USD of orders that may have opened something which nobody has seen yet."""
    sums: Counter[UUID] = Counter()
    found = Intent.objects.filter(OPEN, account__in=accounts, action__kind__in=OPENING_KINDS)
    for account, action in found.values_list("account", "action"):
        sums[account] += 0 if action.get("reduces") else action["quantity"]
    return sums
