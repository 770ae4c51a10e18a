"""The process that finishes what others began: with PostgreSQL and the exchange alone."""

import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from accounts.models import ExchangeAccount
from automations import recovery

log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds between two looks; recovery has to start within five."""

THREADS = 8


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
        with ThreadPoolExecutor(THREADS) as pool:
            while not stopping.wait(PERIOD):
                sweep_once(pool)


def sweep_once(pool: ThreadPoolExecutor) -> None:
    """One look at all accounts; a database that is away is waited for."""
    close_old_connections()
    try:
        accounts = list(recovery.accounts_in_need())
    except DatabaseError as error:
        log.warning("The database does not answer: %s", type(error).__name__)
        return
    list(pool.map(_recover, accounts))


def _recover(account: ExchangeAccount) -> None:
    close_old_connections()
    try:
        recovery.recover(account)
    except Exception:
        log.exception("The recovery of account %s broke off.", account.id)
