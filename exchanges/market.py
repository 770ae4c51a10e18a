"""The market of one exchange, put together from what is told of it piece by piece."""

from datetime import datetime, timedelta
from typing import Final

from exchanges.stream import MarketNews
from exchanges.types import Aged, Ticker

CLOCKS_DIFFER_BY = timedelta(seconds=30)
"""By how much the exchange's time may differ from ours: clocks, not staleness."""

_FIELDS: Final = ("last_price", "index", "funding_rate", "funding_at", "buckets")


class Market:
    """The newest of each field, by the exchange's clock: an older one never replaces it."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[MarketNews, str]] = {}

    def learn(self, news: MarketNews, *, source: str) -> None:
        """Take over what `news` tells, as far as nothing newer is known."""
        for name in _FIELDS:
            known = self._told.get(name)
            if getattr(news, name) is not None and (known is None or known[0].at <= news.at):
                self._told[name] = news, source

    def learn_ticker(self, ticker: Ticker, *, asked_at: datetime) -> None:
        """The same for an answer to a question asked at `asked_at`."""
        told = {name: getattr(ticker, name) for name in _FIELDS}
        self.learn(MarketNews(ticker.at, asked_at, **told), source="rest")

    def ticker(self) -> Aged[Ticker] | None:
        """What is known, as old as its last price; None before the first price."""
        if "last_price" not in self._told:
            return None
        news, source = self._told["last_price"]
        known = {name: getattr(told, name) for name, (told, _) in self._told.items()}
        return Aged(Ticker(at=news.at, **known), news.known_at, source)
