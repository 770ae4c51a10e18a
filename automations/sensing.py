"""Snapshots: from the feed to look, from the exchange to act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from automations import reading
from automations.models import Automation
from automations.past import Past, recall
from automations.reading import StaleMarket, View, utc_now
from automations.snapshots import Snapshot
from exchanges.client import ExchangeClient
from exchanges.types import Aged, Holdings


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

LOOKING_AT_MARKET = timedelta(seconds=5)
LOOKING_AT_ACCOUNT = timedelta(seconds=10)
"""For a look from the feed; anything older is read anew first. What an account holds changes by the
exchange's doing, which `watch` hears of and reads at once, by an action of ours, whose answer
enters at once, and by a person's hand, which `watch` finds within five seconds. So a look may rest
on what even a decision to act may rest on, and the bound is how late a dead `watch` is noticed."""

SHORTEST_LOOK = timedelta(seconds=3)
"""Where the stream is away, `watch` asks for the market about once a second; a bound below that,
for automations with short periods, would make their ticks ask too."""

SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)


def bounds_of_look(automation: Automation) -> Bounds:
    """Below the period, where that is long enough, so that also without `watch` no tick decides on
    the market that the one before has read."""
    half = timedelta(seconds=automation.period) / 2
    return Bounds(min(LOOKING_AT_MARKET, max(half, SHORTEST_LOOK)), LOOKING_AT_ACCOUNT)


def from_views(
    automations: Iterable[Automation], views: Mapping[UUID, View | None], *, now: datetime
) -> dict[UUID, Snapshot]:
    """Snapshots of what each automation sees, however old that is; none where it sees nothing."""
    seen = [(each, view) for each in automations if (view := views.get(each.id))]
    pasts = recall([each for each, _ in seen], _running(view.holdings for _, view in seen))
    return {each.id: _snapshot(now, view, pasts[each.id]) for each, view in seen}


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot of now: the account as just read, the market as `refresh_feed` has it.

    Raises `ExchangeError`, also when reading took so long that it is too old to act on.
    """
    view = reading.from_exchange(automation.account, client)
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
