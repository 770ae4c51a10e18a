"""Market and account as the platform knows them: read from the exchange, shared by the feed.

What is read of an account is what its running automations look at, all of them together: a value
in the feed is whole, or too old, never a part of itself.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import Q
from pydantic import ValidationError

from accounts.models import ExchangeAccount
from automations import selectors
from automations.models import AccountLimits, Automation
from automations.perform import Answer
from automations.rules.actions import Action, AddMargin
from automations.rules.base import RuleConfig
from automations.rules.buying import SWAPPED
from automations.rules.registry import kind_of
from exchanges import feed
from exchanges.client import ExchangeClient
from exchanges.errors import RateLimited, TransientError
from exchanges.market import CLOCKS_DIFFER_BY
from exchanges.types import Aged, BestPrice, Capability, Holdings, Ticker, Trade

LIVE = timedelta(seconds=2)
"""How long ago a stream may have told a market that stands for the present one. Where it tells
nothing for longer, `watch` asks."""

SHARED = timedelta(seconds=5)
"""How old another one's answer may be where no public request is left."""

T = TypeVar("T")


class StaleMarket(TransientError):
    """The exchange answers, but with an old market: that is no ground to act on, or to rest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of an account and the markets that automations look at."""

    parts: frozenset[Capability]
    symbols: frozenset[str]


@dataclass(frozen=True, slots=True)
class View:
    """Market, account, and the quotes of other markets by symbol."""

    ticker: Aged[Ticker]
    holdings: Aged[Holdings]
    quotes: tuple[tuple[str, Aged[BestPrice]], ...] = ()


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def wanted_of(account: ExchangeAccount) -> Wanted:
    """What the running automations of an account look at, and its limits.

    One whose config does not parse looks at nothing, and must not blind the others: its own look
    says that it is broken.
    """
    configs = []
    for automation in selectors.scheduled().filter(account=account):
        with suppress(ValidationError):
            configs.append(_config(automation))
    wanted = _wanted_by(configs)
    on_cross = Q(exposure__isnull=False) | Q(leverage__isnull=False)
    if AccountLimits.objects.filter(on_cross, account=account).exists():
        return replace(wanted, parts=wanted.parts | {Capability.CROSS})
    return wanted


def watched_of(account: ExchangeAccount) -> Wanted:
    """The same, and the cross-margin position, whoever looks at it: its margin is monitored."""
    wanted = wanted_of(account)
    return replace(wanted, parts=wanted.parts | {Capability.CROSS})


def from_feed(automation: Automation) -> View | None:
    """What is known already, however old; None when a part of it is not.

    Raises `pydantic.ValidationError` for a config that its kind does not allow.
    """
    wanted, slug = _wanted_by([_config(automation)]), automation.account.exchange.slug
    seen = feed.seen(slug, automation.account_id, *sorted(wanted.symbols))
    if seen.ticker is None or seen.holdings is None or len(seen.quotes) < len(wanted.symbols):
        return None
    return View(seen.ticker, seen.holdings, seen.quotes) if _has(seen.holdings, wanted) else None


def from_exchange(account: ExchangeAccount, client: ExchangeClient) -> View:
    """Ask the exchange for account and market, and tell the feed. Raises `ExchangeError`.

    The markets come last, since they change fastest.
    """
    wanted, slug = wanted_of(account), account.exchange.slug
    holdings = read_holdings(account, client, wanted)
    quotes = tuple((symbol, read_quote(slug, client, symbol)) for symbol in sorted(wanted.symbols))
    return View(_market(slug, client), holdings, quotes)


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
        if known and utc_now() - known.at <= SHARED:
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


def read_holdings(
    account: ExchangeAccount, client: ExchangeClient, wanted: Wanted
) -> Aged[Holdings]:
    """Ask the exchange what the account holds, and tell the feed. Raises `ExchangeError`.

    It is dated before the first request, so that it is never taken for newer than it is.
    """
    holdings = _dated(lambda: _holdings(client, wanted))
    feed.put_holdings(account.id, holdings)
    return holdings


def read_quote(exchange: str, client: ExchangeClient, symbol: str) -> Aged[BestPrice]:
    """Ask for bid and ask of a market, and tell the feed. Raises `ExchangeError`."""
    is_swapped = symbol == SWAPPED and Capability.SWAPS in client.capabilities
    quote = _dated(
        client.swaps.best_price if is_swapped else lambda: client.spot.best_price(symbol)
    )
    feed.put_quote(exchange, symbol, quote)
    return quote


def enter_answer(account_id: UUID, action: Action, answer: Answer | None) -> None:
    """Tell the feed at once what an action has changed; what its answer does not say in full, and
    an action without an answer, make it forget the account."""
    at = utc_now()
    if isinstance(action, AddMargin) and isinstance(answer, Trade):
        spent = action.amount
        feed.amend_holdings(account_id, lambda held: _with(held, answer, spent=spent), at=at)
    else:
        feed.invalidate_holdings(account_id, at=at)


def _config(automation: Automation) -> RuleConfig:
    config: RuleConfig = kind_of(automation.kind).parse(automation.config)
    return config


def _wanted_by(configs: Iterable[RuleConfig]) -> Wanted:
    configs = list(configs)
    return Wanted(
        parts=frozenset().union(*(config.needs() for config in configs)),
        symbols=frozenset().union(*(config.symbols() for config in configs)),
    )


def _holdings(client: ExchangeClient, wanted: Wanted) -> Holdings:
    has, info = client.capabilities, client.account()
    return Holdings(
        balance=info.balance,
        trades=tuple(client.isolated.running_trades()) if Capability.ISOLATED in has else (),
        cross=client.cross.position() if Capability.CROSS in wanted.parts & has else None,
        usd=info.usd if Capability.SWAPS in wanted.parts else None,
        spot=tuple(client.spot.balances()) if Capability.SPOT in wanted.parts else None,
    )


def _has(holdings: Aged[Holdings], wanted: Wanted) -> bool:
    """Whether everything that is wanted was read."""
    held = holdings.value
    read = {Capability.CROSS: held.cross, Capability.SWAPS: held.usd, Capability.SPOT: held.spot}
    return all(part not in wanted.parts or value is not None for part, value in read.items())


def _with(held: Holdings, changed: Trade, *, spent: int) -> Holdings | None:
    """The holdings with margin added to one trade; None when they do not lack just that.

    A reading between the action and its answer may have seen it already.
    """
    trades = {trade.id: trade for trade in held.trades}
    before = trades.get(changed.id)
    if before is None or before.margin + spent != changed.margin:
        return None
    changed_trades = tuple((trades | {changed.id: changed}).values())
    return replace(held, balance=held.balance - spent, trades=changed_trades)


def _dated(read: Callable[[], T]) -> Aged[T]:
    at = utc_now()
    return Aged(read(), at, "rest")
