"""Snapshots: from the feed to look, from the exchange to act."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from accounts.models import ExchangeAccount
from automations.memory import Memory, recall
from automations.models import Automation
from automations.snapshots import Snapshot
from exchanges import feed
from exchanges.client import ExchangeClient
from exchanges.errors import TransientError
from exchanges.types import Aged, Holdings, Ticker


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long ago market and account may have been read, at most."""

    market: timedelta
    account: timedelta

    def allow(self, snapshot: Snapshot) -> bool:
        """Whether neither was read longer ago than that."""
        return snapshot.is_within(market=self.market, account=self.account)


ACTING = Bounds(market=timedelta(seconds=5), account=timedelta(seconds=15))
"""For a decision to act. The account may be read longer ago than the market: its positions move
with the price, and otherwise only by somebody's action. A slow exchange must not blind a guard."""

LOOKING = timedelta(seconds=5)
"""For a look from the feed, market and account alike; anything older is read anew first."""

CLOCKS_DIFFER_BY = timedelta(seconds=30)
"""By how much the exchange's time of its ticker may differ from ours: clocks, not staleness."""

T = TypeVar("T")

SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class StaleMarket(TransientError):
    """The exchange answers, but with an old market: that is no ground to act on, or to rest."""


def bounds_of_look(automation: Automation) -> Bounds:
    """Well below the automation's period, so that no tick decides on what the last one read."""
    most = min(LOOKING, timedelta(seconds=automation.period) / 2)
    return Bounds(most, most)


def from_feed(automations: Collection[Automation], *, now: datetime) -> dict[UUID, Snapshot]:
    """Snapshots of what is known already, however old; none where a part of it is not.

    What automations share is read once for all of them.
    """
    views = {each.id: view for each in automations if (view := view_from_feed(each))}
    seen = [automation for automation in automations if automation.id in views]
    pasts = recall(seen, _running(view.holdings for view in views.values()))
    return {each.id: _snapshot(now, views[each.id], pasts[each.id]) for each in seen}


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot read just now, which the feed learns too.

    Raises `ExchangeError`, also when reading took so long that it is too old to act on.
    """
    view = view_from_exchange(automation.account, client, wanted_by([automation]))
    past = recall([automation], _running([view.holdings]))[automation.id]
    snapshot = _snapshot(utc_now(), view, past)
    if not ACTING.allow(snapshot):
        raise StaleMarket("The exchange answers so slowly that its answers are too old to act on.")
    return snapshot


def as_inputs(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON, complete enough to decide again, with ages in seconds."""
    ages = {
        "ticker": (snapshot.now - snapshot.ticker.at).total_seconds(),
        "holdings": (snapshot.now - snapshot.holdings.at).total_seconds(),
    }
    return {**SNAPSHOT.dump_python(snapshot, mode="json"), "ages": ages}


def _running(holdings: Iterable[Aged[Holdings]]) -> list[str]:
    return [trade.id for held in holdings for trade in held.value.trades]


def _snapshot(now: datetime, view: View, past: Past) -> Snapshot:
    return Snapshot(
        now=now,
        ticker=view.ticker,
        holdings=view.holdings,
        past=past.past,
        lifetime=past.lifetime,
        under_way=past.under_way,
        unsettled=past.unsettled,
        usage=past.usage,
        quotes=view.quotes,
    )
