"""Ticks that were left out: counted per automation and reason, not listed one by one."""

from collections.abc import Mapping

from django.db import connection

from automations.models import Automation, Skip

COUNT = f"""
INSERT INTO {Skip._meta.db_table} AS known (automation_id, why, count, last_slot, last_at)
SELECT id, %s, left_out.many, left_out.slot, statement_timestamp()
FROM unnest(%s::uuid[], %s::text[], %s::bigint[]) AS left_out (id, slot, many)
JOIN {Automation._meta.db_table} AS automation USING (id)
ORDER BY id
ON CONFLICT (automation_id, why) DO UPDATE
SET count = known.count + excluded.count, last_slot = excluded.last_slot,
    last_at = excluded.last_at
"""  # noqa: S608, SLF001


def count(why: str, left_out: Mapping[str, tuple[str, int]]) -> None:
    """Add what was left out to the counts of `why`, a `Skip.Why`, in one statement.

    `left_out` gives for each automation's id the last slot that was left out, and how many were.
    Automations that there are not are passed over.
    """
    if not left_out:
        return
    slots, many = zip(*left_out.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [why, list(left_out), list(slots), list(many)])
