"""Looking at many automations at once: no HTTP, nothing is sent, any of it may be repeated.

A failure stays with the automation it concerns: the others of the batch are looked at.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from accounts.errors import AccountError
from accounts.gateway import open_client
from automations import journal, schedule, selectors, sensing
from automations.models import Automation
from automations.rules.registry import kind_of
from automations.sensing import Bounds, utc_now
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

Tick = tuple[str, str]
"""An automation's id and its slot."""


@dataclass(slots=True)
class Looked:
    """What a look found: ticks to execute, and ticks per account whose data are too old."""

    due: list[tuple[Automation, str]] = field(default_factory=list)
    stale: dict[UUID, list[Tick]] = field(default_factory=lambda: defaultdict(list))


def look(ticks: Iterable[Tick], *, bounds: Bounds | None = None) -> Looked:
    """Decide for each tick whether there is something to do; note those with nothing.

    Data outside `bounds`, by default what the automation's period allows, are stale.
    """
    looked = Looked()
    slots = dict(ticks)
    found = selectors.runnable(slots)
    for automation in found:
        try:
            _look_at(automation, slots[str(automation.id)], looked, bounds)
        except Exception as error:
            log.exception("Automation %s cannot be evaluated.", automation.id)
            journal.record_broken(automation, error)
    for gone in set(slots) - {str(automation.id) for automation in found}:
        schedule.rewrite_entries_of(gone)
    return looked


def _look_at(automation: Automation, slot: str, looked: Looked, bounds: Bounds | None) -> None:
    bounds = bounds or sensing.bounds_of_look(automation)
    snapshot = sensing.from_feed(automation, now=utc_now(), bounds=bounds)
    if snapshot is None:
        looked.stale[automation.account_id].append((str(automation.id), slot))
        return
    decision = kind_of(automation.kind).evaluate(snapshot, automation.config)
    if decision.actions:
        looked.due.append((automation, slot))
    else:
        journal.record_quiet(automation, slot=slot, snapshot=snapshot, decision=decision)


def look_afresh(ticks: list[Tick]) -> Looked:
    """Read market and account (these automations are all of one) anew, and look at once.

    An automation that still cannot see is noted as blind.
    """
    automations = selectors.runnable(dict(ticks))
    if not automations:
        return Looked()
    account = automations[0].account
    protects = any(kind_of(automation.kind).is_protective for automation in automations)
    try:
        sensing.refresh_feed(account, open_client(account, is_protective=protects))
        looked = look(ticks, bounds=sensing.ACTING)
        if looked.stale:
            raise sensing.StaleMarket("The exchange answers too slowly.")
    except (ExchangeError, AccountError) as error:
        log.warning("Account %r (%s) cannot be read: %s", account.name, account.id, error)
        for automation in automations:
            journal.record_blind(automation, error)
        return Looked()
    return looked
