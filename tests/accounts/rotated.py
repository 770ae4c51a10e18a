"""`python -m tests.accounts.rotated`: ten rotations, one after the other, each killed on its way.

Each is a process of its own, which kills itself, as `kill -9` does, before or after its so manieth
UPDATE of an account is executed; each UPDATE commits by itself.
"""

import os
import signal

import django

STRIKES = [(update, moment) for update in (1, 2, 3, 5, 7) for moment in ("before", "after")]


def main() -> None:
    """Have them killed, and say how many were."""
    django.setup()
    killed = 0
    for update, moment in STRIKES:
        child = os.fork()
        if not child:
            rotate_until_killed(update, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    print(f"{killed} killed")  # noqa: T201 - read by the test


def rotate_until_killed(update: int, moment: str) -> None:
    from django.core.management import call_command
    from django.db import connection

    seen = 0

    def strike(execute, sql, params, many, context):
        nonlocal seen
        seen += sql.startswith('UPDATE "accounts_exchangeaccount"')
        if seen < update:
            return execute(sql, params, many, context)
        if moment == "after":
            execute(sql, params, many, context)
        return os.kill(os.getpid(), signal.SIGKILL)

    with connection.execute_wrapper(strike):
        call_command("rotate_keys")


if __name__ == "__main__":
    main()
