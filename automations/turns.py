"""The account's turn: one run at a time, as a lease with a fence in PostgreSQL.

A run holds the turn while it decides and claims. It loses it when its lease is over, and at once
when its database session is gone, which is how a killed process is noticed. One that froze and
woke up finds the fence moved on, and can claim nothing. All times are the database's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import close_old_connections, connection
from django.db.models.functions import Now

from automations.models import Turn
from exchanges.errors import TransientError

LEASE = timedelta(seconds=30)

# One statement, so that a run that freezes in it can never read another run's fence. The session
# is looked for as it began, since the operating system uses process ids again.
FREE = """
(turn.until <= statement_timestamp() OR NOT EXISTS (
    SELECT FROM pg_stat_activity AS session
    WHERE session.pid = turn.session AND session.backend_start = turn.session_at
))
"""
TAKE = f"""
UPDATE {Turn._meta.db_table} AS turn
SET fence = turn.fence + 1, until = statement_timestamp() + make_interval(secs => %s),
    session = own.pid, session_at = own.backend_start
FROM pg_stat_activity AS own
WHERE turn.account_id = %s AND own.pid = pg_backend_pid() AND {FREE}
RETURNING turn.fence
"""  # noqa: S608, SLF001


class AccountBusy(TransientError):
    """Another run has the account's turn; nothing was done."""


@contextmanager
def turn(account_id: UUID) -> Iterator[int]:
    """Hold the account's turn and give its fence; raises `AccountBusy` when it is taken."""
    fence = _take(account_id)
    try:
        yield fence
    except Exception:
        close_old_connections()  # one that was stopped in a query could not give the turn back
        raise
    finally:
        _give_back(account_id, fence)


def extend(account_id: UUID, fence: int) -> None:
    """Hold the turn for another lease; raises `AccountBusy` when it was lost meanwhile."""
    held = Turn.objects.filter(account_id=account_id, fence=fence, until__gt=Now())
    if not held.update(until=Now() + LEASE):
        raise AccountBusy("The account's turn was lost to another run.")


def _take(account_id: UUID) -> int:
    Turn.objects.get_or_create(account_id=account_id)
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [LEASE.total_seconds(), account_id])
        row = cursor.fetchone()
    if row is None:
        raise AccountBusy("Another run is working on this account.")
    return int(row[0])


def _give_back(account_id: UUID, fence: int) -> None:
    Turn.objects.filter(account_id=account_id, fence=fence).update(until=Now())
