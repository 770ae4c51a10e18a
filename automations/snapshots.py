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

    `past` is what this automation did before; `unsettled` names the trades on which an action,
    of any automation of the account, is under way or of unknown outcome.
    """

    now: datetime
    ticker: Aged[Ticker]
    holdings: Aged[Holdings]
    past: tuple[PastAction, ...]
    unsettled: frozenset[str]

    def age(self) -> timedelta:
        """Age of the older of market and account."""
        return self.now - min(self.ticker.at, self.holdings.at)
