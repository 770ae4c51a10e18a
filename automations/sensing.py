"""Snapshots: from the feed to look, from the exchange to act."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, assert_never
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from pydantic import TypeAdapter

from accounts.models import ExchangeAccount
from automations.models import Automation, Intent
from automations.rules.base import Action, AddMargin, CloseTrade
from automations.snapshots import PastAction, Snapshot
from exchanges import feed
from exchanges.client import ExchangeClient
from exchanges.errors import RateLimited, TransientError
from exchanges.market import CLOCKS_DIFFER_BY
from exchanges.types import Aged, Holdings, Ticker, Trade


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long ago market and account may have been read, at most."""

    market: timedelta
    account: timedelta


ACTING = Bounds(market=timedelta(seconds=5), account=timedelta(seconds=15))
"""For a decision to act. The account may be read longer ago than the market: its positions move
with the price, and otherwise only by somebody's action. A slow exchange must not blind a guard."""

LIVE = timedelta(seconds=2)
"""How long ago a stream may have told a market that stands for the present one. Where it tells
nothing for longer, `watch` asks."""

LOOKING_AT_MARKET = timedelta(seconds=5)
LOOKING_AT_ACCOUNT = timedelta(seconds=10)
"""For a look from the feed; anything older is read anew first. What an account holds changes by the
exchange's doing, which `watch` hears of and reads at once, by an action of ours, whose answer
enters at once, and by a person's hand, which `watch` finds within five seconds. So a look may rest
on what even a decision to act may rest on, and the bound is how late a dead `watch` is noticed."""

SHORTEST_LOOK = timedelta(seconds=3)
"""Where the stream is away, `watch` asks for the market about once a second; a bound below that,
for automations with short periods, would make their ticks ask too."""

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
    """Below the period, where that is long enough, so that also without `watch` no tick decides on
    the market that the one before has read."""
    half = timedelta(seconds=automation.period) / 2
    return Bounds(min(LOOKING_AT_MARKET, max(half, SHORTEST_LOOK)), LOOKING_AT_ACCOUNT)


def from_feed(automation: Automation, *, now: datetime, bounds: Bounds) -> Snapshot | None:
    """A snapshot of what is known already; None when it is missing or too old."""
    seen = feed.seen(automation.account.exchange.slug, automation.account_id)
    if seen.ticker is None or seen.holdings is None:
        return None
    snapshot = _snapshot(automation, now, seen.ticker, seen.holdings)
    return snapshot if _is_within(snapshot, bounds) else None


def from_exchange(automation: Automation, client: ExchangeClient) -> Snapshot:
    """A snapshot of now: the account as just read, the market as `refresh_feed` has it.

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
    """See to it that the feed has account and market as they are now. Raises `ExchangeError`.

    The market comes last, since it changes fastest.
    """
    holdings = read_holdings(account.id, client)
    return _market(account.exchange.slug, client), holdings


def _market(exchange: str, client: ExchangeClient) -> Aged[Ticker]:
    """The market as its stream tells it, which all accounts share, or else as it is asked for.

    In a crash many accounts act at once, and they have few public requests together: where none
    is left, what another one was answered just now does as well.
    """
    known = feed.ticker(exchange)
    if known and known.source == "stream" and utc_now() - known.at <= LIVE:
        return known
    try:
        return read_ticker(exchange, client)
    except RateLimited:
        known = feed.ticker(exchange)
        if known and utc_now() - known.at <= ACTING.market:
            return known
        raise


def read_ticker(exchange: str, client: ExchangeClient) -> Aged[Ticker]:
    """Ask the exchange for the market, and tell the feed. Raises `ExchangeError`."""
    ticker = _dated(client.ticker)
    lag = abs(ticker.at - ticker.value.at)
    if lag > CLOCKS_DIFFER_BY:
        raise StaleMarket(f"The exchange's ticker is {lag.total_seconds():.0f} s away from now.")
    feed.put_ticker(exchange, ticker)
    return ticker


def read_holdings(account_id: UUID, client: ExchangeClient) -> Aged[Holdings]:
    """Ask the exchange what the account holds, and tell the feed. Raises `ExchangeError`.

    It is dated before the first request, so that it is never taken for newer than it is.
    """
    holdings = _dated(
        lambda: Holdings(client.account().balance, tuple(client.isolated.running_trades()))
    )
    feed.put_holdings(account_id, holdings)
    return holdings


def enter_answer(account_id: UUID, action: Action, answer: Trade | None) -> None:
    """Tell the feed at once what an action has changed; what its answer does not say in full, and
    an action without an answer, make it forget the account."""
    at = utc_now()
    match action:
        case AddMargin(amount=amount) if answer is not None:
            feed.amend_holdings(account_id, lambda held: _with(held, answer, spent=amount), at=at)
        case AddMargin() | CloseTrade():
            feed.invalidate_holdings(account_id, at=at)
        case _:
            assert_never(action)


def _with(held: Holdings, changed: Trade, *, spent: int) -> Holdings | None:
    """The holdings with margin added to one trade; None when they do not lack just that.

    A reading between the action and its answer may have seen it already.
    """
    trades = {trade.id: trade for trade in held.trades}
    before = trades.get(changed.id)
    if before is None or before.margin + spent != changed.margin:
        return None
    return Holdings(held.balance - spent, (*(trades | {changed.id: changed}).values(),))


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
