"""What a decision is made from: frozen values, each with the time it was true and its source."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from exchanges.types import Aged, BestPrice, CrossPosition, Holdings, SpotBalance, Ticker

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PastAction:
    """Something this automation sent, or may have, at `at`; all of it counts against its caps.

    `kind` is the action's. `trade_id` names the trade it acted on, empty for what acts on none;
    of a position that was closed and reopened smaller, it names the trade that runs now; the
    cross-margin position is `cross`. `sats` went from the free balance into a position, or, when
    negative, back; `spent` is what a purchase cost, in the quote currency (US dollars).
    """

    trade_id: str
    sats: int
    at: datetime
    kind: str = "add_margin"
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """All that an automation ever did, counted: what was sent, or may have been."""

    count: int = 0
    spent: Decimal = Decimal(0)
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What all automations of an account sent, or may have: sats by position, and in 24 hours
    sats and orders. `opening` are the USD of orders of which nobody knows yet whether they opened
    something: no holdings show them.
    """

    sats_by_position: tuple[tuple[str, int], ...] = ()
    sats_today: int = 0
    orders_today: int = 0
    opening: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a rule may look at, as it was at `now`.

    `past` is what this automation did before, in 24 hours or to a trade that still runs, and
    `lifetime` all of it, counted. Of the account's actions that must not be repeated, by
    whatever automation, `under_way` names the targets on which one is just being sent, `unsettled`
    those on which its outcome is not known: trades by their ids, `cross`, `swap`, `spot:BTC/USD`,
    and `open` for a new trade of the automation's own. `usage` is what counts against the
    account's limits. `quotes` are the markets that the rule's config asks for, by
    symbol; synthetic dollars of LN Markets are quoted as `BTC/USD`.
    """

    now: datetime
    ticker: Aged[Ticker]
    holdings: Aged[Holdings]
    past: tuple[PastAction, ...]
    under_way: frozenset[str]
    unsettled: frozenset[str]
    lifetime: Lifetime = Lifetime()
    usage: Usage = Usage()
    quotes: tuple[tuple[str, Aged[BestPrice]], ...] = ()

    @property
    def price(self) -> Decimal:
        """The last price, in USD."""
        return self.ticker.value.last_price

    @property
    def balance(self) -> int:
        """What is free, in sats."""
        return self.holdings.value.balance

    @property
    def cross(self) -> CrossPosition:
        """The cross-margin position; raises `LookupError` when it was not read."""
        return _read(self.holdings.value.cross, "cross-margin position")

    @property
    def usd(self) -> Decimal:
        """Free synthetic dollars; raises `LookupError` when they were not read."""
        return _read(self.holdings.value.usd, "synthetic dollars")

    def free(self, asset: str) -> Decimal:
        """What is free of an asset of a spot account, 0 when it holds none.

        Raises `LookupError` when its balances were not read.
        """
        balances: tuple[SpotBalance, ...] = _read(self.holdings.value.spot, "spot balances")
        return next((each.free for each in balances if each.asset == asset), Decimal(0))

    def quote(self, symbol: str) -> BestPrice:
        """Bid and ask of a market that the config asks for; raises `KeyError` for another."""
        return dict(self.quotes)[symbol].value

    def is_within(self, *, market: timedelta, account: timedelta) -> bool:
        """Whether neither the market nor the account was read longer ago than that."""
        markets = (self.ticker.at, *(quote.at for _, quote in self.quotes))
        return self.now - min(markets) <= market and self.now - self.holdings.at <= account


def _read(value: T | None, what: str) -> T:
    """What was not read is not empty."""
    if value is None:
        raise LookupError(f"Not read, and so not known: {what} of the account.")
    return value
