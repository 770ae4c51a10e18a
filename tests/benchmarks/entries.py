"""`python -m tests.benchmarks.entries COUNT PERIOD`: a schedule of so many automations."""

import sys
import time
from uuid import uuid4

import django


def main(count: int, period: int) -> None:
    """Write it into Redis, each entry due at its next time."""
    django.setup()
    from automations.timetable import entries
    from automations.timing import Timing

    now, account = time.time(), uuid4()
    for first in range(0, count, 1000):
        ids = [uuid4() for _ in range(min(1000, count - first))]
        wanted = [
            entries.Entry(
                user_id=first,
                account_id=account,
                automation_id=id_,
                period=period,
                calendar=None,
                latest=now,
                due=(due := Timing.of(id_, period=period).following(now)),
                then=due,
            )
            for id_ in ids
        ]
        entries.replace([entries.Replacement(user_id=first, revision=1, entries=wanted)])
    entries.note_whole()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
