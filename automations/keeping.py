"""The thread of the sweep that keeps the schedule in Redis in line with the database."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread

import redis
from django.db import Error, close_old_connections

from automations import schedule

log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds between two looks; a switch has to be in force within five."""

RECONCILE_EVERY = timedelta(minutes=5)


class Keeper(Thread):
    """Waits for neither exchange nor account; several may run, since what they write is fenced."""

    def __init__(self, stopping: Event) -> None:
        super().__init__(name="keeper", daemon=True)
        self._stopping = stopping
        self._reconciled_at = time.monotonic()

    def run(self) -> None:
        """Keep the schedule until told to stop."""
        while not self._stopping.wait(PERIOD):
            self._try(schedule.keep)
            if time.monotonic() - self._reconciled_at > RECONCILE_EVERY.total_seconds():
                self._try(self._reconcile)

    def _reconcile(self) -> None:
        if changed := schedule.reconcile():
            log.warning("%d entries of the schedule were not as they should be.", changed)
        self._reconciled_at = time.monotonic()

    def _try(self, work: Callable[[], None]) -> None:
        close_old_connections()
        try:
            work()
        except (Error, redis.RedisError) as error:
            log.warning("The schedule is not kept just now: %s", type(error).__name__)
        except Exception:  # whatever it is, the next look may well succeed
            log.exception("The schedule is not kept just now.")
