"""Looking at many automations at once: no HTTP, nothing is sent, any of it may be repeated.

A failure stays with the automation it concerns: the others of the batch are looked at. A tick that
is taken up after the next one was due is too late to be looked at, and one that comes while an
errand of its automation waits or runs would overlap it: both are counted, and left out.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from accounts.errors import AccountError
from accounts.gateway import open_client
from automations import deciding, journal, quiet, reading, schedule, selectors, sensing, skips
from automations.models import Automation, Errand, Skip
from automations.quiet import QuietCheck
from automations.reading import View, utc_now
from automations.rules.registry import kind_of
from automations.sensing import Bounds
from automations.snapshots import Snapshot
from automations.timing import second_of
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

Tick = tuple[str, str]
"""An automation's id and its slot."""

LAST_MILLISECOND = 0.999
"""Of a second: due times are whole milliseconds."""


@dataclass(slots=True)
class Looked:
    """What a look found: ticks to execute, ticks per account whose data are too old, the rest."""

    due: list[tuple[Automation, str]] = field(default_factory=list)
    stale: dict[UUID, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    quiet: list[QuietCheck] = field(default_factory=list)


def look(ticks: Iterable[Tick], *, bounds: Bounds | None = None) -> Looked:
    """Decide for each tick whether there is something to do; note those with nothing.

    Data outside `bounds`, by default what the automation's period allows, are stale. A tick that
    comes with `bounds` was taken up in time, and its account read anew since.
    """
    looked = Looked()
    slots = dict(ticks)
    found = selectors.runnable(slots)
    wanted = _without_overlap(_noted(found, slots, drops_late=bounds is None))
    views = _views(wanted)
    snapshots = sensing.from_views(wanted, views, now=utc_now())
    for automation in (each for each in wanted if each.id in views):
        slot, snapshot = slots[str(automation.id)], snapshots.get(automation.id)
        with _kept_to(automation):
            _look_at(automation, slot, snapshot, looked, bounds)
    _record_quiet(looked.quiet)
    if gone := set(slots) - {str(automation.id) for automation in found}:
        schedule.drop({id_: slots[id_] for id_ in gone})
    return looked


def _noted(
    automations: list[Automation], slots: Mapping[str, str], *, drops_late: bool
) -> list[Automation]:
    """Note in each for which tick it is looked at, and how late; those past their periods go."""
    now = utc_now().timestamp()
    for automation in automations:
        automation.last_slot = slots[str(automation.id)]
        due = _due(automation)
        automation.lateness_ms = None if due is None else round(1000 * (now - due))
    late = {each.id for each in automations if (each.lateness_ms or 0) > 1000 * each.period}
    return _left_out(Skip.Why.LATE, late, automations) if drops_late else automations


def _due(automation: Automation) -> float | None:
    """When exactly the tick was due, of which a slot names the second; None for no tick."""
    second = second_of(automation.last_slot)
    latest = schedule.timing_of(automation).latest(second + LAST_MILLISECOND)
    return max(second, latest) if second else None


def _without_overlap(automations: list[Automation]) -> list[Automation]:
    """Those of which nothing waits or runs that another slot has brought."""
    slots = {each.id: each.last_slot for each in automations}
    errands = Errand.objects.filter(automation__in=slots).values_list("automation", "slot")
    busy = {automation for automation, slot in errands if slot != slots[automation]}
    return _left_out(Skip.Why.OVERLAP, busy, automations)


def _left_out(
    why: Skip.Why, ids: Collection[UUID], automations: list[Automation]
) -> list[Automation]:
    """The others; these are counted."""
    skips.count(why, {str(each.id): (each.last_slot, 1) for each in automations if each.id in ids})
    return [each for each in automations if each.id not in ids]


def _views(automations: Iterable[Automation]) -> dict[UUID, View | None]:
    """What each sees, None for nothing; one that cannot be looked at at all is left out."""
    views = {}
    for automation in automations:
        with _kept_to(automation):
            views[automation.id] = reading.from_feed(automation)
    return views


@contextmanager
def _kept_to(automation: Automation) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        log.exception("Automation %s cannot be evaluated.", automation.id)
        journal.record_broken(automation, error)


def _look_at(
    automation: Automation,
    slot: str,
    snapshot: Snapshot | None,
    looked: Looked,
    bounds: Bounds | None,
) -> None:
    bounds = bounds or sensing.bounds_of_look(automation)
    if snapshot is None or not bounds.allow(snapshot):
        looked.stale[automation.account_id].append((str(automation.id), slot))
        return
    decision = deciding.look(automation, snapshot)
    if decision.actions:
        looked.due.append((automation, slot))
    else:
        looked.quiet.append(QuietCheck(automation, slot, snapshot, decision))


def _record_quiet(checks: list[QuietCheck]) -> None:
    """All at once; one by one if that fails, to find whose fault it is."""
    try:
        quiet.record(checks)
    except Exception:
        log.exception("%d quiet automations cannot be recorded at once.", len(checks))
        for check in checks:
            with _kept_to(check.automation):
                quiet.record([check])


def look_afresh(ticks: list[Tick]) -> Looked:
    """Read market and account (these automations are all of one) anew, and look at once.

    An automation that still cannot see is noted as blind.
    """
    automations = selectors.runnable(dict(ticks))
    if not automations:
        schedule.drop(dict(ticks))
        return Looked()
    account = automations[0].account
    protects = any(kind_of(automation.kind).is_protective for automation in automations)
    try:
        reading.from_exchange(account, open_client(account, is_protective=protects))
        looked = look(ticks, bounds=sensing.ACTING)
        if looked.stale:
            raise reading.StaleMarket("The exchange answers too slowly.")
    except (ExchangeError, AccountError) as error:
        log.warning("Account %r (%s) cannot be read: %s", account.name, account.id, error)
        for automation in automations:
            journal.record_blind(automation, error)
        return Looked()
    return looked
