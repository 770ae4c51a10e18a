"""Candles of every range, from the prices that were played and the candles that were loaded. Pure.

What was played is kept by the minute. A loaded candle is one step at its time, however long it
lasted; where a minute was played and loaded, what was played counts. A span in which nothing
happened has no candle, and what was loaded for the future none yet.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby, islice, takewhile

from exchanges.types import Candle, CandleRange

MINUTES = {
    CandleRange.M1: 1,
    CandleRange.M3: 3,
    CandleRange.M5: 5,
    CandleRange.M10: 10,
    CandleRange.M15: 15,
    CandleRange.M30: 30,
    CandleRange.M45: 45,
    CandleRange.H1: 60,
    CandleRange.H2: 120,
    CandleRange.H3: 180,
    CandleRange.H4: 240,
    CandleRange.D1: 1440,
}


def begin_of(at: datetime, span: CandleRange) -> datetime:
    """When the candle that `at` falls into begins: UTC, weeks on Monday."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match span:
        case CandleRange.W1:
            return midnight - timedelta(days=at.weekday())
        case CandleRange.MONTH1:
            return midnight.replace(day=1)
        case CandleRange.MONTH3:
            return midnight.replace(day=1, month=(at.month - 1) // 3 * 3 + 1)
    length = timedelta(minutes=MINUTES[span])
    return midnight + (at - midnight) // length * length


class Candles:
    """All candles there are; reading them makes those of the wanted range."""

    def __init__(self) -> None:
        self._played: dict[datetime, Candle] = {}
        self._loaded: dict[datetime, Candle] = {}
        self._times: list[datetime] = []

    def play(self, at: datetime, price: Decimal) -> None:
        """The last price was `price` at this moment."""
        minute = begin_of(at, CandleRange.M1)
        candle = self._played.get(minute)
        if candle is None:
            self._note(minute)
            self._played[minute] = Candle(minute, price, price, price, price, Decimal(0))
        else:
            high, low = max(candle.high, price), min(candle.low, price)
            self._played[minute] = replace(candle, high=high, low=low, close=price)

    def load(self, candle: Candle) -> None:
        """Keep a candle of the past, in place of one with the same time."""
        self._note(candle.at)
        self._loaded[candle.at] = candle

    def unknown(self, candles: Iterable[Candle]) -> list[Candle]:
        """Those that are not loaded yet."""
        return [candle for candle in candles if self._loaded.get(candle.at) != candle]

    def newest_first(
        self,
        span: CandleRange,
        *,
        now: datetime,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
        before: datetime | None = None,
    ) -> list[Candle]:
        """Up to `limit` candles of the range that begin from `since` to `until`, and `before`."""
        end = bisect_right(self._times, now)
        begin = partial(begin_of, span=span)
        if until is not None:
            end = min(end, bisect_right(self._times, until, key=begin))
        if before is not None:
            end = min(end, bisect_left(self._times, before, key=begin))
        candles = self._spans(span, end)
        wanted = takewhile(lambda candle: since is None or candle.at >= since, candles)
        return list(islice(wanted, limit))

    def latest(self, span: CandleRange, *, now: datetime) -> Candle | None:
        """The candle that still grows, or the last one there was."""
        candles = self.newest_first(span, now=now, limit=1)
        return candles[0] if candles else None

    def price_at(self, at: datetime) -> Decimal | None:
        """The last price known at that moment, or the first one after it."""
        if not self._times:
            return None
        index = bisect_right(self._times, at)
        return self._at(index - 1).close if index else self._at(0).open

    def _note(self, time: datetime) -> None:
        if time not in self._played and time not in self._loaded:
            insort(self._times, time)

    def _at(self, index: int) -> Candle:
        time = self._times[index]
        return self._played.get(time) or self._loaded[time]

    def _spans(self, span: CandleRange, end: int) -> Iterator[Candle]:
        steps = (self._at(index) for index in range(end - 1, -1, -1))
        for begin, group in groupby(steps, key=lambda step: begin_of(step.at, span)):
            yield _merged(begin, list(group))


def _merged(begin: datetime, newest_first: list[Candle]) -> Candle:
    return Candle(
        at=begin,
        open=newest_first[-1].open,
        high=max(candle.high for candle in newest_first),
        low=min(candle.low for candle in newest_first),
        close=newest_first[0].close,
        volume=sum((candle.volume for candle in newest_first), Decimal(0)),
    )
