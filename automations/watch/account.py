"""One account: read by HTTP when its stream says that something happened, and now and then."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from accounts.errors import AccountError
from accounts.gateway import open_account_stream, open_client
from accounts.models import ExchangeAccount
from automations import reading
from automations.reading import utc_now
from exchanges import feed
from exchanges.errors import ExchangeError
from exchanges.stream import AccountNews, Down, News, Up

log = logging.getLogger(__name__)

READ_EVERY = timedelta(seconds=5)
"""What people move by hand is not told by the stream, so it may stay unseen for so long."""

NOT_WITHIN = timedelta(seconds=1)
"""However much happens: a reading takes three of the five requests that a key has each second."""

LONGEST_PAUSE = timedelta(seconds=8)
"""Between two attempts to read an account that cannot be read; each is twice as long."""


class AccountWatch:
    """Keeps the holdings of one account in the feed; `wake` is called when one is due at once.

    Whoever watches keeps `account` as the database has it, its state included.
    """

    def __init__(self, account: ExchangeAccount, wake: Callable[[], None]) -> None:
        self.account = account
        self._wake = wake
        self._failures = 0
        self._is_reading = False
        self._not_before = utc_now()
        self._stream = open_account_stream(account, self._hear)

    def start(self) -> None:
        """Begin to listen."""
        if self._stream is not None:
            self._stream.start()

    def stop(self) -> None:
        """End."""
        if self._stream is not None:
            self._stream.stop()

    def takes_turn(self, read_at: datetime | None, now: datetime) -> bool:
        """Whether the account, last read at `read_at`, has to be read; then it must be."""
        is_due = read_at is None or now - read_at > READ_EVERY
        if self._is_reading or not is_due or now < self._not_before:
            return False
        self._is_reading, self._not_before = True, now + NOT_WITHIN
        return True

    def read(self) -> None:
        """Read the account into the feed; one that cannot be read is left alone for a while."""
        try:
            reading.read_holdings(
                self.account, open_client(self.account), reading.watched_of(self.account)
            )
            self._failures = 0
        except (ExchangeError, AccountError) as error:
            self._failures += 1
            self._not_before = utc_now() + min(LONGEST_PAUSE, NOT_WITHIN * 2**self._failures)
            log.warning("Account %s cannot be read: %s", self.account.id, error)
        finally:
            self._is_reading = False

    def _hear(self, news: News) -> None:
        if isinstance(news, AccountNews | Up):
            feed.invalidate_holdings(self.account.id, at=utc_now())
            self._wake()
        elif isinstance(news, Down):
            log.warning("The stream of account %s is down: %s", self.account.id, news.reason)
