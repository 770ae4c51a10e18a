"""The process that finishes what others began: with PostgreSQL and the exchange alone.

A thread of its own keeps the schedule in Redis, which the rest does not need.
"""

import logging
import signal
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import redis
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from accounts import cache
from accounts.models import ExchangeAccount
from automations import recovery
from automations.keeping import Keeper

log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds between two looks; recovery has to start within five."""

THREADS = 8
"""How many accounts of one exchange are recovered at the same time."""


CACHE_PERIOD = 60.0
"""Seconds between two looks for what the credential cache holds past its time."""


class Command(BaseCommand):
    """Several may run at once: the account's turn keeps them apart."""

    help = "Finish what was begun and not finished, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep until told to stop."""
        stopping = Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stopping.set())
        self.stdout.write("sweep: ready.")
        self.stdout.flush()
        Keeper(stopping).start()
        sweep = Sweep()
        while not stopping.wait(PERIOD):
            sweep.look()
        sweep.stop()


class Sweep:
    """Recovers each account in a thread of its own and waits for none.

    Each exchange has its own threads, so that one that hangs holds up only its own accounts.
    """

    def __init__(self) -> None:
        self._threads: defaultdict[int, ThreadPoolExecutor] = defaultdict(
            lambda: ThreadPoolExecutor(THREADS)
        )
        self._in_work: dict[UUID, Future[None]] = {}
        self._sweep_cache_at = monotonic()

    def look(self) -> None:
        """Begin with each account in need that is not in work; a database may be away."""
        self._sweep_cache()
        close_old_connections()
        self._in_work = {key: work for key, work in self._in_work.items() if not work.done()}
        try:
            accounts = list(recovery.accounts_in_need())
        except DatabaseError as error:
            log.warning("The database does not answer: %s", type(error).__name__)
            return
        for account in accounts:
            if account.id not in self._in_work:
                threads = self._threads[account.exchange_id]
                self._in_work[account.id] = threads.submit(_recover, account)

    def _sweep_cache(self) -> None:
        if monotonic() < self._sweep_cache_at:
            return
        self._sweep_cache_at = monotonic() + CACHE_PERIOD
        try:
            cache.sweep_credentials()
            cache.sweep_validations()
        except redis.RedisError as error:
            log.warning("The credential cache is not swept: %s", type(error).__name__)

    def stop(self) -> None:
        """Begin nothing any more; the process ends when what it has begun is over."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)


def _recover(account: ExchangeAccount) -> None:
    close_old_connections()
    try:
        recovery.recover(account)
    except Exception:
        log.exception("The recovery of account %s broke off.", account.id)
