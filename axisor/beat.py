"""RedBeat, with a slot on every tick.

The slot is made here, once, from the moment the entry was due: a message that is redelivered,
or sent again by a second beat that took over, carries the same slot, and the unique key on
executions and intents does the rest.
"""

from typing import Any

from celery.result import AsyncResult
from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry

from automations.schedule import EVALUATE_TASK, reconcile_schedule


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """Writes the schedule from the database when it starts, then fires it."""

    def setup_schedule(self) -> None:
        """Install what is static, and bring Redis in line with the database."""
        super().setup_schedule()
        reconcile_schedule()

    def apply_async(self, entry: RedBeatSchedulerEntry, **kwargs: Any) -> AsyncResult[Any]:
        """Send a due entry; an automation's `[id]` becomes the one tick `[id, slot]`.

        The entry was loaded for this tick alone, and its arguments are not written back.
        """
        if entry.task == EVALUATE_TASK:
            entry.args = [[[*entry.args, slot_of(entry)]]]
        sent: AsyncResult[Any] = super().apply_async(entry, **kwargs)
        return sent


def slot_of(entry: RedBeatSchedulerEntry) -> str:
    """`tick:<epoch>`, the second at which the entry became due."""
    due_at = entry.last_run_at + entry.schedule.run_every
    return f"tick:{int(due_at.timestamp())}"
