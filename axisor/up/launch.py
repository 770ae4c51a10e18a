"""As whom a child process runs, and how it is tied to the life of its parent."""

import functools
import os
import pwd
import shutil
import subprocess

NOBODY = 65534
"""The user without rights that nearly every system knows."""

TIED = ["setpriv", "--pdeathsig=KILL", "--"]
"""Before a command: the kernel kills it when the thread that started it ends."""


@functools.cache
def unprivileged() -> list[str]:
    """Return what to write before PostgreSQL's programs, which want a named user other than root.

    In a user namespace of its own the files of root stay root's and nothing is copied. Where these
    are forbidden, as in most containers, root's command runs as nobody, who may still walk to its
    files.
    """
    user = os.geteuid()
    if user != 0 and _has_name(user):
        return []
    namespace = ["unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    if shutil.which("unshare") and _works([*namespace, "true"]):
        return namespace
    return _as_nobody() if user == 0 else []


def file_owner() -> int:
    """Return the user id that the files of an `unprivileged` command must belong to."""
    return NOBODY if unprivileged() == _as_nobody() else os.geteuid()


def _has_name(user: int) -> bool:
    try:
        return bool(pwd.getpwuid(user).pw_name)
    except KeyError:
        return False


def _as_nobody() -> list[str]:
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    walk = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    # Changing the user makes the kernel forget that the process was tied: hence once more.
    return ["setpriv", *user, *walk, *TIED[1:]]


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
