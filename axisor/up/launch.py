"""Who a child process runs as, and how it is tied to the life of its parent."""

import functools
import os
import shutil
import subprocess

NOBODY = 65534

TIED = ["setpriv", "--pdeathsig=KILL", "--"]
"""Before a command: the kernel kills it when the thread that started it ends."""


@functools.cache
def unprivileged() -> list[str]:
    """Return what to write before a command that refuses to run as root; empty for other users.

    In a user namespace of its own root's files stay its own and nothing is copied. Where these are
    forbidden, as in most containers, the command runs as nobody, who may still walk to its files.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--"]
    if shutil.which("unshare") and _works([*namespace, "true"]):
        return namespace
    return _as_nobody()


def file_owner() -> int:
    """Return the user id that the files of an `unprivileged` command must belong to."""
    return NOBODY if unprivileged() == _as_nobody() else os.geteuid()


def _as_nobody() -> list[str]:
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    walk = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    # Changing the user makes the kernel forget that the process was tied: hence once more.
    return ["setpriv", *user, *walk, *TIED[1:]]


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
