"""Looking at many automations at once: no HTTP, nothing is sent, any of it may be repeated.

A failure stays with the automation it concerns: the others of the batch are looked at.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from accounts.errors import AccountError
from accounts.gateway import open_client
from automations import schedule, selectors, sensing
from automations.execution import note_blind, note_broken, note_quiet
from automations.models import Automation
from automations.rules.registry import kind_of
from automations.sensing import utc_now
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

Tick = tuple[str, str]
"""An automation's id and its slot."""


@dataclass(slots=True)
class Looked:
    """What a look found: ticks to execute, and ticks per account whose data are too old."""

    due: list[tuple[Automation, str]] = field(default_factory=list)
    stale: dict[UUID, list[Tick]] = field(default_factory=lambda: defaultdict(list))


def look(ticks: Iterable[Tick], *, fresh: timedelta | None = None) -> Looked:
    """Decide for each tick whether there is something to do; note those with nothing.

    Data older than `fresh`, by default what the automation's period allows, are stale.
    """
    looked = Looked()
    slots = dict(ticks)
    found = selectors.runnable(slots)
    for automation in found:
        try:
            _look_at(automation, slots[str(automation.id)], looked, fresh)
        except Exception as error:
            log.exception("Automation %s cannot be evaluated.", automation.id)
            note_broken(automation, error)
    for gone in set(slots) - {str(automation.id) for automation in found}:
        schedule.remove(gone)
    return looked


def _look_at(automation: Automation, slot: str, looked: Looked, fresh: timedelta | None) -> None:
    fresh = fresh or sensing.freshness(automation)
    snapshot = sensing.from_feed(automation, now=utc_now(), fresh=fresh)
    if snapshot is None:
        looked.stale[automation.account_id].append((str(automation.id), slot))
        return
    decision = kind_of(automation.kind).evaluate(snapshot, automation.config)
    if decision.actions:
        looked.due.append((automation, slot))
    else:
        note_quiet(automation, slot=slot, snapshot=snapshot, decision=decision)


def refresh(ticks: Iterable[Tick]) -> bool:
    """Read market and account of these automations (all of one account) anew into the feed.

    False when that failed: then they are noted as blind.
    """
    automations = selectors.runnable(dict(ticks))
    if not automations:
        return False
    account = automations[0].account
    try:
        sensing.refresh_feed(account, open_client(account))
    except (ExchangeError, AccountError) as error:
        log.warning("Account %s cannot be read: %s", account.id, error)
        for automation in automations:
            note_blind(automation, error)
        return False
    return True
