"""Snapshots: from the feed to look, from the exchange to act."""

from collections.abc import Callable
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
from exchanges.types import Aged, Holdings, Ticker

FRESH = timedelta(seconds=5)
"""How old market and account may be for a look, at most; anything older is refreshed first."""


OPEN = Q(state__in=[Intent.State.SENDING, Intent.State.UNKNOWN]) | Q(
    state=Intent.State.PLANNED, deadline__gt=Now()
)
"""Intents that may still have an effect: one that nobody claimed in time has none."""

T = TypeVar("T")

SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def freshness(automation: Automation) -> timedelta:
    """How old the data of a look may be: well below the period, so that no tick sees the last's."""
    return min(FRESH, timedelta(seconds=automation.period) / 2)


def from_feed(automation: Automation, *, now: datetime, fresh: timedelta) -> Snapshot | None:
    """A snapshot of what is known already; None when it is missing or older than `fresh`."""
    ticker = feed.ticker(automation.account.exchange.slug)
    holdings = feed.holdings(automation.account_id)
    if ticker is None or holdings is None:
        return None
    snapshot = _snapshot(automation, now, ticker, holdings)
    return snapshot if snapshot.age() <= fresh else None


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot read just now, which the feed learns too. Raises `ExchangeError`."""
    ticker, holdings = refresh_feed(automation.account, client)
    return _snapshot(automation, utc_now(), ticker, holdings)


def refresh_feed(
    account: ExchangeAccount, client: ExchangeClient
) -> tuple[Aged[Ticker], Aged[Holdings]]:
    """Ask the exchange for market and account, and tell the feed. Raises `ExchangeError`.

    Each value is dated before its request, so that it is never taken for newer than it is.
    """
    ticker = _dated(client.ticker)
    holdings = _dated(lambda: Holdings(client.account().balance, tuple(client.running_trades())))
    feed.put_ticker(account.exchange.slug, ticker)
    feed.put_holdings(account.id, holdings)
    return ticker, holdings


def past_actions(automation: Automation) -> tuple[PastAction, ...]:
    """What counts against the automation's caps: all it sent or is about to, unknown too."""
    intents = automation.intents.filter(OPEN | Q(state=Intent.State.CONFIRMED))
    return tuple(
        PastAction(intent.action["trade_id"], intent.sats, intent.signed_at or intent.created_at)
        for intent in intents.order_by("created_at", "leg")
    )


def unsettled_trades(account_id: UUID) -> frozenset[str]:
    """The trades of an account with an action under way or of unknown outcome."""
    intents = Intent.objects.filter(OPEN, account_id=account_id)
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
    past, unsettled = past_actions(automation), unsettled_trades(automation.account_id)
    return Snapshot(now, ticker, holdings, past, unsettled)


def _dated(read: Callable[[], T]) -> Aged[T]:
    at = utc_now()
    return Aged(read(), at, "rest")
