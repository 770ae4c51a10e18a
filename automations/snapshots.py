"""What a decision is made from: frozen values, each with the time it was true and its source."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from exchanges.types import Aged, Holdings, Ticker


@dataclass(frozen=True, slots=True)
class PastAction:
    """Something this automation sent, or may have, at `at`: `sats` count against its caps."""

    trade_id: str
    sats: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a rule may look at, as it was at `now`.

    `past` is what this automation did before, in 24 hours or to a trade that still runs. Of the
    account's actions that must not be repeated, by whatever automation, `under_way` names the
    trades on which one is just being sent, `unsettled` those on which its outcome is not known.
    """

    now: datetime
    ticker: Aged[Ticker]
    holdings: Aged[Holdings]
    past: tuple[PastAction, ...]
    under_way: frozenset[str]
    unsettled: frozenset[str]

    def is_within(self, *, market: timedelta, account: timedelta) -> bool:
        """Whether neither the market nor the account was read longer ago than that."""
        return self.now - self.ticker.at <= market and self.now - self.holdings.at <= account
