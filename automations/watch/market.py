"""One exchange's market: told by its stream, and asked for over HTTP whenever that is silent."""

import logging
from datetime import datetime, timedelta
from threading import Lock
from typing import assert_never

from django.db import connection

from accounts.errors import AccountError
from accounts.gateway import open_market, open_market_stream
from automations.reading import utc_now
from exchanges import feed
from exchanges.errors import ExchangeError
from exchanges.feed import Health
from exchanges.market import CLOCKS_DIFFER_BY, Market
from exchanges.models import Exchange
from exchanges.stream import AccountNews, Announcement, Down, MarketNews, News, Up

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(seconds=2)
"""How old the last price may get before it is asked for."""

ASK_EVERY = timedelta(seconds=1)
"""The public limit is one request a second."""

DEAF_AFTER = timedelta(seconds=10)
"""How old the stream's last news may be while HTTP tells another price: then the stream has lost
its subscription, or what it tells is held up, and it is made anew."""

NEVER = datetime.min.replace(tzinfo=utc_now().tzinfo)


class MarketWatch:
    """Keeps the ticker of one exchange in the feed."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._lock = Lock()
        self._market = Market()
        self._asked_at = NEVER
        self._is_asking = self._wants_snapshot = False
        self._told: MarketNews | None = None
        self._health = Health(is_up=False, since=utc_now(), reason="It has not begun yet.")
        self._stream = open_market_stream(exchange, self._hear)

    def start(self) -> None:
        """Begin to listen."""
        if self._stream is not None:
            self._stream.start()

    def stop(self) -> None:
        """End."""
        if self._stream is not None:
            self._stream.stop()

    def publish(self) -> None:
        """Put what is known into the feed, and how it stands with the stream."""
        with self._lock:
            ticker = self._market.ticker()
        if ticker is not None:
            feed.put_ticker(self.exchange.slug, ticker)
        feed.put_health(self.exchange.slug, self._health)

    def takes_turn(self, now: datetime) -> bool:
        """Whether the market has to be asked for; then it must be."""
        with self._lock:
            ticker = self._market.ticker()
        is_stale = ticker is None or now - ticker.at > STALE_AFTER
        if self._is_asking or now - self._asked_at < ASK_EVERY:
            return False
        if is_stale or self._wants_snapshot:
            self._is_asking, self._wants_snapshot, self._asked_at = True, False, now
        return self._is_asking

    def ask(self) -> None:
        """Ask for the market over HTTP."""
        try:
            self._ask()
        except (ExchangeError, AccountError) as error:
            log.warning("%s cannot be asked for its market: %s", self.exchange, error)
        finally:
            self._is_asking = False

    def _ask(self) -> None:
        asked_at, ticker = utc_now(), open_market(self.exchange).ticker()
        if abs(asked_at - ticker.at) > CLOCKS_DIFFER_BY:
            log.warning("%s answers with a market of %s.", self.exchange, ticker.at)
            return
        with self._lock:
            self._market.learn_ticker(ticker, asked_at=asked_at)
        self.publish()
        told = self._told
        if told and told.last_price != ticker.last_price and asked_at - told.known_at > DEAF_AFTER:
            self._renew()

    def _hear(self, news: News) -> None:
        match news:
            case MarketNews():
                with self._lock:
                    self._market.learn(news, source="stream")
                if news.last_price is not None:
                    self._told = news
                self.publish()
            case Up():
                self._health = Health(is_up=True, since=utc_now())
                self._wants_snapshot = True
            case Down(reason):
                self._note_down(reason)
            case Announcement():
                self._keep(news)
            case AccountNews():
                pass
            case _:
                assert_never(news)

    def _keep(self, news: Announcement) -> None:
        log.info("%s announces: %s", self.exchange, news.text)
        try:
            Exchange.objects.filter(pk=self.exchange.pk).update(
                announcement=news.text, announced_at=news.heard_at
            )
        finally:
            connection.close()

    def _note_down(self, reason: str) -> None:
        since = utc_now() if self._health.is_up else self._health.since
        if self._health.is_up:
            log.warning("The stream of %s is down, HTTP takes over: %s", self.exchange, reason)
        self._health = Health(is_up=False, since=since, reason=reason)

    def _renew(self) -> None:
        log.warning("The stream of %s has gone deaf.", self.exchange)
        self._told = None
        if self._stream is not None:
            self._stream.renew()
