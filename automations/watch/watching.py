"""What is to be watched, and the loop that does it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, close_old_connections, connections

from accounts.errors import AccountError
from accounts.models import ExchangeAccount
from automations import selectors
from automations.reading import utc_now
from automations.watch.account import AccountWatch
from automations.watch.market import MarketWatch
from automations.watch.members import Members
from exchanges import feed

log = logging.getLogger(__name__)

STEP = 0.25
"""Seconds between two looks at what is due."""

RECONCILE_EVERY = 1.0
"""Seconds between two looks at what is to be watched, and by whom."""

THREADS = 8
"""Requests under way at once per exchange: one that is slow keeps only its own waiting."""


class Watch:
    """Everything this process watches."""

    def __init__(self) -> None:
        self._members = Members()
        self._markets: dict[int, MarketWatch] = {}
        self._accounts: dict[UUID, AccountWatch] = {}
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._due = Event()

    def run(self, stopping: Event) -> None:
        """Watch until told to stop."""
        reconciled = -RECONCILE_EVERY
        try:
            while not stopping.is_set():
                if monotonic() - reconciled >= RECONCILE_EVERY:
                    reconciled = monotonic()
                    self.reconcile()
                self.tend()
                self._due.wait(STEP)
                self._due.clear()
        finally:
            self._stop()

    def wake(self) -> None:
        """Look at once at what is due."""
        self._due.set()

    def reconcile(self) -> None:
        """Bring what is watched in line with the database and with who else watches."""
        self._members.beat()
        close_old_connections()
        try:
            wanted = list(selectors.watched_accounts())
        except DatabaseError as error:
            log.warning("The database does not answer: %s", type(error).__name__)
            return
        self._reconcile_markets(wanted)
        self._reconcile_accounts([one for one in wanted if self._members.has(str(one.id))])

    def tend(self) -> None:
        """Start to read what is due, by what the feed says itself."""
        now, accounts = utc_now(), list(self._accounts.values())
        read_at = feed.read_at([feed.holdings_key(watch.account.id) for watch in accounts])
        for watch, at in zip(accounts, read_at, strict=True):
            if watch.takes_turn(at, now):
                self._submit(watch.account.exchange_id, watch.read)
        for exchange_id, market in self._markets.items():
            if market.takes_turn(now):
                self._submit(exchange_id, market.ask)
            else:
                market.publish()

    def _reconcile_markets(self, wanted: Iterable[ExchangeAccount]) -> None:
        exchanges = {one.exchange_id: one.exchange for one in wanted}
        mine = {id_: one for id_, one in exchanges.items() if self._members.has(one.slug)}
        for gone in self._markets.keys() - mine.keys():
            self._markets.pop(gone).stop()
        for new in mine.keys() - self._markets.keys():
            with _logged(mine[new].slug):
                self._markets[new] = MarketWatch(mine[new])
                self._markets[new].start()

    def _reconcile_accounts(self, mine: list[ExchangeAccount]) -> None:
        wanted = {one.id: one for one in mine}
        for known, watch in list(self._accounts.items()):
            if known not in wanted or wanted[known].updated_at != watch.account.updated_at:
                self._accounts.pop(known).stop()
        for new in wanted.keys() - self._accounts.keys():
            with _logged(str(new)):
                self._accounts[new] = AccountWatch(wanted[new], self.wake)
                self._accounts[new].start()

    def _submit(self, exchange_id: int, work: Callable[[], None]) -> None:
        if exchange_id not in self._pools:
            self._pools[exchange_id] = ThreadPoolExecutor(THREADS)
        self._pools[exchange_id].submit(_guarded, work)

    def _stop(self) -> None:
        for market in self._markets.values():
            market.stop()
        for account in self._accounts.values():
            account.stop()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        self._members.leave()


@contextmanager
def _logged(name: str) -> Iterator[None]:
    """What cannot be watched is tried again with the next look, and hinders nothing else."""
    try:
        yield
    except AccountError as error:
        log.warning("%s cannot be watched: %s", name, error)


def _guarded(work: Callable[[], None]) -> None:
    """A piece of work that stumbles takes nothing else with it, and few need a database."""
    try:
        work()
    except Exception:
        log.exception("Something could not be watched.")
    finally:
        connections.close_all()
