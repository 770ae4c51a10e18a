"""Snapshots: from the feed to look, from the exchange to act."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from pydantic import TypeAdapter

from accounts.models import ExchangeAccount
from automations.models import Automation, Intent
from automations.snapshots import PastAction, Snapshot
from exchanges import feed
from exchanges.client import ExchangeClient
from exchanges.errors import TransientError
from exchanges.types import Aged, Holdings, Ticker


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long ago market and account may have been read, at most."""

    market: timedelta
    account: timedelta


ACTING = Bounds(market=timedelta(seconds=5), account=timedelta(seconds=15))
"""For a decision to act. The account may be read longer ago than the market: its positions move
with the price, and otherwise only by somebody's action. A slow exchange must not blind a guard."""

LOOKING = timedelta(seconds=5)
"""For a look from the feed, market and account alike; anything older is read anew first."""

CLOCKS_DIFFER_BY = timedelta(seconds=30)
"""By how much the exchange's time of its ticker may differ from ours: clocks, not staleness."""

UNDER_WAY = Q(state=Intent.State.SENDING) | Q(state=Intent.State.PLANNED, deadline__gt=Now())
UNSETTLED = Q(state__in=[Intent.State.UNKNOWN, Intent.State.NEEDS_OPERATOR])
OPEN = UNDER_WAY | UNSETTLED
"""Intents that may still have an effect: one that nobody claimed in time has none."""

DAY = timedelta(hours=24)
DONE = [Intent.State.CONFIRMED, Intent.State.SATISFIED]

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


def from_feed(automation: Automation, *, now: datetime, bounds: Bounds) -> Snapshot | None:
    """A snapshot of what is known already; None when it is missing or too old."""
    ticker = feed.ticker(automation.account.exchange.slug)
    holdings = feed.holdings(automation.account_id)
    if ticker is None or holdings is None:
        return None
    snapshot = _snapshot(automation, now, ticker, holdings)
    return snapshot if _is_within(snapshot, bounds) else None


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot read just now, which the feed learns too.

    Raises `ExchangeError`, also when reading took so long that it is too old to act on.
    """
    ticker, holdings = refresh_feed(automation.account, client)
    snapshot = _snapshot(automation, utc_now(), ticker, holdings)
    if not _is_within(snapshot, ACTING):
        raise StaleMarket("The exchange answers so slowly that its answers are too old to act on.")
    return snapshot


def refresh_feed(
    account: ExchangeAccount, client: ExchangeClient
) -> tuple[Aged[Ticker], Aged[Holdings]]:
    """Ask the exchange for account and market, and tell the feed. Raises `ExchangeError`.

    Each value is dated before its request, so that it is never taken for newer than it is; the
    market comes last, since it changes fastest.
    """
    holdings = _dated(
        lambda: Holdings(client.account().balance, tuple(client.isolated.running_trades()))
    )
    ticker = _dated(client.ticker)
    lag = abs(ticker.at - ticker.value.at)
    if lag > CLOCKS_DIFFER_BY:
        raise StaleMarket(f"The exchange's ticker is {lag.total_seconds():.0f} s away from now.")
    feed.put_ticker(account.exchange.slug, ticker)
    feed.put_holdings(account.id, holdings)
    return ticker, holdings


def past_actions(automation: Automation, running: Iterable[str]) -> tuple[PastAction, ...]:
    """What counts against the automation's caps: all it sent or is about to, unknown too.

    Of trades that run no longer only the last 24 hours count, for the cap per day.
    """
    counted = automation.intents.filter(OPEN | Q(state__in=DONE)).filter(
        Q(action__trade_id__in=list(running)) | Q(created_at__gt=Now() - DAY)
    )
    return tuple(
        PastAction(intent.action["trade_id"], intent.sats, intent.signed_at or intent.created_at)
        for intent in counted.order_by("created_at", "leg")
    )


def trades_under_way(account_id: UUID) -> frozenset[str]:
    """The trades on which something that must not be repeated is just being sent."""
    return _trades(account_id, UNDER_WAY)


def trades_unsettled(account_id: UUID) -> frozenset[str]:
    """The trades on which something that must not be repeated has an unknown outcome."""
    return _trades(account_id, UNSETTLED)


def _trades(account_id: UUID, states: Q) -> frozenset[str]:
    intents = Intent.objects.filter(states, account_id=account_id, is_idempotent=False)
    return frozenset(intents.values_list("action__trade_id", flat=True))


def as_inputs(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON, complete enough to decide again, with ages in seconds."""
    ages = {
        "ticker": (snapshot.now - snapshot.ticker.at).total_seconds(),
        "holdings": (snapshot.now - snapshot.holdings.at).total_seconds(),
    }
    return {**SNAPSHOT.dump_python(snapshot, mode="json"), "ages": ages}


def _snapshot(
    automation: Automation, now: datetime, ticker: Aged[Ticker], holdings: Aged[Holdings]
) -> Snapshot:
    running = [trade.id for trade in holdings.value.trades]
    account_id = automation.account_id
    return Snapshot(
        now=now,
        ticker=ticker,
        holdings=holdings,
        past=past_actions(automation, running),
        under_way=trades_under_way(account_id),
        unsettled=trades_unsettled(account_id),
    )


def _is_within(snapshot: Snapshot, bounds: Bounds) -> bool:
    return snapshot.is_within(market=bounds.market, account=bounds.account)


def _dated(read: Callable[[], T]) -> Aged[T]:
    at = utc_now()
    return Aged(read(), at, "rest")
