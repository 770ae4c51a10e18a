"""Looking at many automations at once: no HTTP, nothing is sent, any of it may be repeated.

A failure stays with the automation it concerns: the others of the batch are looked at.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from accounts.errors import AccountError
from accounts.gateway import open_client
from automations import deciding, journal, quiet, reading, schedule, selectors, sensing
from automations.models import Automation
from automations.quiet import QuietCheck
from automations.reading import View, utc_now
from automations.rules.registry import kind_of
from automations.sensing import Bounds
from automations.snapshots import Snapshot
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

Tick = tuple[str, str]
"""An automation's id and its slot."""


@dataclass(slots=True)
class Looked:
    """What a look found: ticks to execute, ticks per account whose data are too old, the rest."""

    due: list[tuple[Automation, str]] = field(default_factory=list)
    stale: dict[UUID, list[Tick]] = field(default_factory=lambda: defaultdict(list))
    quiet: list[QuietCheck] = field(default_factory=list)


def look(ticks: Iterable[Tick], *, bounds: Bounds | None = None) -> Looked:
    """Decide for each tick whether there is something to do; note those with nothing.

    Data outside `bounds`, by default what the automation's period allows, are stale.
    """
    looked = Looked()
    slots = dict(ticks)
    found = selectors.runnable(slots)
    views = _views(found)
    snapshots = sensing.from_views(found, views, now=utc_now())
    for automation in (each for each in found if each.id in views):
        slot, snapshot = slots[str(automation.id)], snapshots.get(automation.id)
        with _kept_to(automation):
            _look_at(automation, slot, snapshot, looked, bounds)
    _record_quiet(looked.quiet)
    if gone := set(slots) - {str(automation.id) for automation in found}:
        schedule.drop({id_: slots[id_] for id_ in gone})
    return looked


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
