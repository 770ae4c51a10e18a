"""The market that all accounts share: last price, spreads, clock, funding, candles. Pure.

Like the book, whose part it is, it changes by a `Change` alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.candles import Candles
from exchanges.paper.clock import EPOCH, REAL_TIME, Clock
from exchanges.paper.commands import MAX_QUANTITY
from exchanges.types import Bucket, Candle, FundingSettlement, Side

FUNDING_PERIOD = timedelta(hours=8)
DAY = timedelta(days=1)
RATIO_TICK = Decimal("1e-8")


class Depth(NamedTuple):
    """Orders of up to `max_size` USD, and how far ask and bid are apart for them, in USD."""

    max_size: int
    spread: Decimal

    def ask(self, last: Decimal) -> Decimal:
        """What a buyer pays while the last price is `last`."""
        return min(last + self.spread / 2, MAX_PRICE)

    def bid(self, last: Decimal) -> Decimal:
        """What a seller gets while the last price is `last`."""
        return max(last - self.spread / 2, PRICE_TICK)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person may set: by default nothing that could surprise.

    `funding_rate` is the fraction of the position's worth that longs pay shorts at each funding,
    `depths` are in rising order and cover every size, `max_trades` is how many open and running
    trades an account may have.
    """

    funding_rate: Decimal = Decimal(0)
    depths: tuple[Depth, ...] = (Depth(MAX_QUANTITY, Decimal(0)),)
    max_trades: int | None = None

    def buckets(self, last: Decimal) -> list[Bucket]:
        """Ask and bid of every size while the last price is `last`."""
        sizes = [0, *(depth.max_size + 1 for depth in self.depths)]
        return [
            Bucket(size, depth.max_size, ask=depth.ask(last), bid=depth.bid(last))
            for size, depth in zip(sizes, self.depths, strict=False)
        ]

    def price_for(self, side: Side, quantity: int, *, last: Decimal) -> Decimal:
        """What a market order pays or gets: the ask of its size for a buy, the bid for a sell."""
        fitting = (depth for depth in self.depths if quantity <= depth.max_size)
        depth = next(fitting, self.depths[-1])
        return depth.ask(last) if side is Side.BUY else depth.bid(last)


class Market:
    """`price` is that of the last trade in USD, `changed_at` when the book last changed."""

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.changed_at = EPOCH
        self.clock = REAL_TIME
        self.terms = Terms()
        self.candles = Candles()
        self.settlements: dict[str, FundingSettlement] = {}

    def pass_on(self, at: datetime, price: Decimal) -> None:
        """The book changed at that time; the last price is `price` now."""
        self.candles.play(at, price)
        self.price = price
        self.changed_at = max(self.changed_at, at)

    def put(self, record: "MarketRecord") -> None:
        """Make the record so."""
        match record:
            case Clock():
                self.clock = record
            case Terms():
                self.terms = record
            case Candle():
                self.candles.load(record)
            case FundingSettlement():
                self.settlements[record.id] = record

    def price_for(self, side: Side, quantity: int) -> Decimal:
        """What a market order pays or gets now."""
        return self.terms.price_for(side, quantity, last=self.price)

    def change_of_a_day(self, now: datetime) -> Decimal:
        """By which fraction the price is above that of 24 hours ago, or of the beginning."""
        before = self.candles.price_at(now - DAY) or self.price
        return (self.price / before - 1).quantize(RATIO_TICK)


MarketRecord = Clock | Terms | Candle | FundingSettlement
"""Records that belong to no account."""


def next_funding_at(at: datetime) -> datetime:
    """The first of 00:00, 08:00 and 16:00 UTC after that time."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + FUNDING_PERIOD * ((at - midnight) // FUNDING_PERIOD + 1)
