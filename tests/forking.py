"""A piece of work in a child of this process, which dies on its way as by `kill -9`."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

KILLED = -signal.SIGKILL


def forked(work: Callable[[], object]) -> int:
    """Do it in a child with a database connection of its own; gives its exit code, or the signal
    that ended it as a negative number."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _leave_the_parents_connection()
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Dies around a statement: before the first one at 0, after it at 1, before the next at 2."""
    step = 0

    def around(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal step
        _die_if(step == number)
        result = execute(*args)
        _die_if(step + 1 == number)
        step += 2
        return result

    with connection.execute_wrapper(around):
        yield


def _die_if(is_time: bool) -> None:
    if is_time:
        os.kill(os.getpid(), signal.SIGKILL)


def _leave_the_parents_connection() -> None:
    """To close it would end the parent's session, so it is kept, and no longer used."""
    _leave_the_parents_connection.kept = connection.connection  # type: ignore[attr-defined]
    connection.connection = None
    connection.in_atomic_block = False
    connection.savepoint_ids = []
