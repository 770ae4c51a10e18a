"""RedBeat with leaders and batches: any number of beats run, one of them fires, no slot twice.

RedBeat keeps entries, sorted set and lock; what is different here is how a tick is taken:

- A beat that does not lead stands by, and asks for the lock every second. One that is killed or
  frozen is replaced when its lease has run out. One that wakes up writes nothing: the script that
  moves entries on and sends their messages looks at the lock.
- What is due is read, moved on and sent by hundreds. A message is one
  `evaluate([(automation, slot)…])`, written by Celery itself.
- A slot is made here, once, from the due time: a message that is delivered again carries the same.
  Due times that went by while nothing fired are not made up: the latest is fired, the others are
  counted. While too many messages wait, ticks are left out and counted, too.

Entries of other tasks, of which there are a few, take RedBeat's own way.
"""

import contextlib
import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import redis
from celery import Celery
from django.db import Error, close_old_connections
from pydantic import ValidationError
from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry

from automations import schedule, skips
from automations.models import Skip
from automations.rules.calendars import Calendar
from automations.timetable import entries, firing, keys
from automations.timetable.entries import EVALUATE_TASK
from automations.timetable.firing import Changed, Due, Firing, LockLost
from automations.timing import Timing, slot_of
from axisor.celery import TASK_QUEUES
from axisor.leadership import Leadership

log = logging.getLogger(__name__)

AT_ONCE = 500
"""Due entries in one script, which blocks Redis for a few milliseconds."""

QUEUE = TASK_QUEUES[EVALUATE_TASK]
IN_A_MESSAGE = 100
SHORTEST_SLEEP = 0.02
"""Seconds; what becomes due meanwhile shares a message."""

MESSAGES_WAITING, ROUNDS_WAITING = 1000, 3
"""When so many messages wait, and no fewer than all entries make in so many rounds, ticks are left
out: they are worth nothing when they are late."""


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """Takes its ticks as the module says."""

    def __init__(self, app: Celery, **options: Any) -> None:
        super().__init__(app, **options)
        # RedBeat would wait for the lock before it begins, and end when it is lost.
        self.lock_key = None
        self._leadership = Leadership(keys.client(), keys.config().lock_key)
        self._notes = ThreadPoolExecutor(1)

    def tick(self, min: Any = min, **options: Any) -> float:  # noqa: A002  # as Celery calls it
        """Fire what is due, if this beat leads; returns the seconds to sleep."""
        try:
            if self._leads():
                firing.note_tick(time.time())
                return self._fire_all_due()
        except LockLost:
            self._leadership.step_back()
        except redis.RedisError as error:
            log.warning("beat: Redis does not do what it should: %s", error)
        return float(self.max_interval)

    def close(self) -> None:
        """Let another one lead at once."""
        self._leadership.give_up()
        self._notes.shutdown()
        super().close()

    def _leads(self) -> bool:
        if self._leadership.holds():
            return True
        if not self._leadership.takes_over():
            return False
        self.setup_schedule()
        try:
            if not entries.is_whole():
                close_old_connections()
                schedule.reconcile()
        except Error as error:
            log.warning("beat: The database does not answer: %s", type(error).__name__)
        return True

    def _fire_all_due(self) -> float:
        while self._leadership.holds():
            now = time.time()
            due, waiting = firing.due(now, most=AT_ONCE), firing.waiting(now, QUEUE)
            if not due:
                return float(max(SHORTEST_SLEEP, min(waiting.until_next, self.max_interval)))
            ours = [one for each in due if (one := _firing(each, now))]
            for other in {each.key for each in due} - {one.key for one in ours}:
                self._fire_as_redbeat(other)
            if not ours:
                return SHORTEST_SLEEP
            with contextlib.suppress(Changed):
                self._fire(ours, is_overloaded=waiting.messages > _most_waiting(waiting.entries))
        return float(self.max_interval)

    def _fire(self, firings: Sequence[Firing], *, is_overloaded: bool) -> None:
        messages = [] if is_overloaded else self._written(firings)
        firing.fire(self._leadership.token, firings, queue=QUEUE, messages=messages)
        left_out = {
            one.automation_id: (slot_of(one.due), one.missed) for one in firings if one.missed
        }
        self._note(Skip.Why.MISSED, left_out)
        if is_overloaded:
            log.error("beat: Too many ticks wait already: %d are left out.", len(firings))
            dropped = {one.automation_id: (slot_of(one.taken), 1) for one in firings}
            self._note(Skip.Why.OVERLOAD, dropped)

    def _written(self, firings: Sequence[Firing]) -> list[str]:
        """The messages for these, as Celery would put them into the queue."""
        ticks = [(one.automation_id, slot_of(one.taken)) for one in firings]
        with self.producer.channel.drafting() as messages:
            for first in range(0, len(ticks), IN_A_MESSAGE):
                args = (ticks[first : first + IN_A_MESSAGE],)
                self.app.send_task(EVALUATE_TASK, args, producer=self.producer)
        return cast(list[str], messages)

    def _fire_as_redbeat(self, key: str) -> None:
        try:
            entry = RedBeatSchedulerEntry.from_key(key, app=self.app)
        except KeyError:
            log.warning("beat: %s has no definition, and goes.", key)
            firing.remove_remnant(key)
            return
        if entry.task != EVALUATE_TASK:  # one of ours came back meanwhile: it has its turn next
            self.maybe_due(entry, producer=self.producer)

    def _note(self, why: Skip.Why, left_out: Mapping[str, tuple[str, int]]) -> None:
        """Count what was left out, without waiting for the database."""
        if left_out:
            self._notes.submit(_count, why, left_out)


def _count(why: Skip.Why, left_out: Mapping[str, tuple[str, int]]) -> None:
    close_old_connections()
    try:
        skips.count(why, left_out)
    except Error as error:
        log.warning("beat: %d skips are not counted: %s", len(left_out), type(error).__name__)


def _firing(due: Due, now: float) -> Firing | None:
    """How an automation's entry goes on; None for an entry of another task."""
    known = _parsed(due.definition, due.calendar)
    if known is None:
        return None
    automation_id, timing = known
    taken = max(due.at, timing.latest(now))
    return Firing(
        key=due.key,
        automation_id=automation_id,
        due=due.at,
        taken=taken,
        then=timing.following(now),
        missed=timing.missed(due.at, taken),
    )


@lru_cache(maxsize=200_000)
def _parsed(definition: str | None, calendar: str | None) -> tuple[str, Timing] | None:
    written = json.loads(definition or "{}")
    if written.get("task") != EVALUATE_TASK:
        return None
    [automation_id] = written["args"]
    try:
        dates = Calendar.model_validate_json(calendar) if calendar else None
    except ValidationError:  # written by a host that has other time zones
        log.error("beat: %s has a calendar that is not known here.", automation_id)  # noqa: TRY400
        dates = None
    period = round(written["schedule"]["every"])
    return automation_id, Timing.of(UUID(automation_id), period=period, calendar=dates)


def _most_waiting(entries: int) -> int:
    return max(MESSAGES_WAITING, ROUNDS_WAITING * math.ceil(entries / IN_A_MESSAGE))
