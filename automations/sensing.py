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
    """Snapshots of what is known already, however old; none where market or account is not.

    What automations share is read once for all of them.
    """
    accounts = {automation.account_id: automation.account for automation in automations}
    holdings = {key: held for key in accounts if (held := feed.holdings(key))}
    slugs = {account.exchange.slug for account in accounts.values()}
    tickers = {slug: ticker for slug in slugs if (ticker := feed.ticker(slug))}
    memories = recall(automations, _running(holdings.values()))
    return {
        automation.id: _snapshot(
            now,
            tickers[automation.account.exchange.slug],
            holdings[automation.account_id],
            memories[automation.id],
        )
        for automation in automations
        if automation.account_id in holdings and automation.account.exchange.slug in tickers
    }


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot read just now, which the feed learns too.

    Raises `ExchangeError`, also when reading took so long that it is too old to act on.
    """
    ticker, holdings = refresh_feed(automation.account, client)
    memory = recall([automation], _running([holdings]))[automation.id]
    snapshot = _snapshot(utc_now(), ticker, holdings, memory)
    if not ACTING.allow(snapshot):
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


def as_inputs(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON, complete enough to decide again, with ages in seconds."""
    ages = {
        "ticker": (snapshot.now - snapshot.ticker.at).total_seconds(),
        "holdings": (snapshot.now - snapshot.holdings.at).total_seconds(),
    }
    return {**SNAPSHOT.dump_python(snapshot, mode="json"), "ages": ages}


def _running(holdings: Iterable[Aged[Holdings]]) -> list[str]:
    return [trade.id for held in holdings for trade in held.value.trades]


def _snapshot(
    now: datetime, ticker: Aged[Ticker], holdings: Aged[Holdings], memory: Memory
) -> Snapshot:
    return Snapshot(
        now=now,
        ticker=ticker,
        holdings=holdings,
        past=memory.past,
        under_way=memory.under_way,
        unsettled=memory.unsettled,
    )


def _dated(read: Callable[[], T]) -> Aged[T]:
    at = utc_now()
    return Aged(read(), at, "rest")
