"""Make `.venv` what `requirements.lock` says, with nothing but the Python of the machine.

    python3 axisor/bootstrap.py

Does nothing when the environment there was made from this lock and its own interpreter works: a
stamp, written last, says so, and whatever was interrupted is made anew. A running platform shares
a lock on the stamp, and its environment is left alone. Old Pythons must still be able to read this
file and be told off, hence no f-strings and nothing but the standard library.
"""
# ruff: noqa: UP032

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = VENV / "axisor-stamp"
VENV_PYTHON = str(VENV / "bin" / "python")
TEMPORARY = VENV / "tmp"

OLDEST = (3, 11)
NEWER_PYTHONS = ["python3.13", "python3.12", "python3.11", "python3.14"]
NEEDED_MEGABYTES = 700
PIP_OPTIONS = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", "--retries=2"]

INSTALL_VENV = (
    "This Python cannot make virtual environments. On Debian and Ubuntu:"
    " `sudo apt install python3-venv`, then run this again."
)
PIP_FAILURES = [
    (r"no such option: --python", INSTALL_VENV),
    (r"No space left on device", "The disk is full: free some space, then run this again."),
    (r"DO NOT MATCH THE HASHES", "A downloaded package is not the one that was locked: {last}"),
    (
        r"connection broken|NewConnectionError|Could not fetch URL|name resolution|timed out",
        "The package index cannot be reached. Check the network, or set PIP_INDEX_URL to a mirror.",
    ),
    (
        r"No matching distribution",
        "A package is not built for this machine (Linux with glibc on x86_64 or aarch64): {last}",
    ),
]


class CannotPrepare(Exception):
    """What is wrong and what to do about it, in a sentence."""


def main() -> int:
    """Prepare the environment; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with LOCK.open("rb") as lock:
            wait_for_turn(lock)
            if not is_prepared():
                use_a_new_enough_python()
                refuse_a_link()
                refuse_to_disturb()
                prepare(lock)
    except CannotPrepare as reason:
        say(str(reason))
        return 1
    except OSError as error:
        say("The environment cannot be made: {}.".format(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted. Running this again starts the installation afresh.")
        return 130
    return 0


def refuse_a_link() -> None:
    """What a link leads to is somebody else's, and making it anew would empty it."""
    if VENV.is_symlink():
        raise CannotPrepare("{} is a link: remove it, then run this again.".format(VENV))


def use_a_new_enough_python() -> None:
    """Go on with the first Python that is new enough, this one if it is."""
    if sys.version_info >= OLDEST:
        return
    test = "import sys; sys.exit(sys.version_info < {!r})".format(OLDEST)
    for name in NEWER_PYTHONS:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", test], stderr=subprocess.DEVNULL) == 0:
            os.execv(path, [path, __file__])  # noqa: S606
    raise CannotPrepare(
        "Axisor needs Python 3.11 or later and found {}.{}. Install one, for instance with"
        " `sudo apt install python3.11 python3.11-venv`.".format(*sys.version_info[:2])
    )


def wait_for_turn(lock: "IO[bytes]") -> None:
    """Hold the lock file until this process and its pip have ended: one writer at a time."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another command is preparing .venv; waiting for it.")
        fcntl.flock(lock, fcntl.LOCK_EX)


def identity(version: str) -> str:
    """What an environment is made from: the lock, a version of Python, and the place."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return "\n".join([digest, version, str(VENV)])


def version_of(python: str) -> str:
    """The version of an interpreter, such as 3.11; empty if it does not work."""
    show = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        said = subprocess.check_output([python, "-I", "-c", show], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.decode().strip()


def is_prepared() -> bool:
    """Whether the environment there is complete and what it should be, whoever asks."""
    try:
        return STAMP.read_text() == identity(version_of(VENV_PYTHON))
    except OSError:
        return False


def refuse_to_disturb() -> None:
    """Raise `CannotPrepare` if the environment is another user's, or a platform runs from it."""
    if not VENV.exists():
        return
    owner = VENV.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise CannotPrepare(
            ".venv belongs to another user ({}): remove it as that user, then run this"
            " again.".format(name_of(owner))
        )
    if not STAMP.exists():
        return
    with STAMP.open("rb") as stamp:
        try:
            fcntl.flock(stamp, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotPrepare(
                "Axisor is running from .venv{}, which must be made anew: stop it first, then run"
                " this again.".format(holder_of(stamp))
            ) from None


def name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return "id {}".format(user)


def holder_of(file: "IO[bytes]") -> str:
    """Which process has locked the file, where the kernel tells."""
    inode = ":{}".format(os.fstat(file.fileno()).st_ino)
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return ""
    holders = [lock[4] for lock in locks if lock[1] == "FLOCK" and lock[5].endswith(inode)]
    return " (process {})".format(holders[0]) if holders else ""


def prepare(lock: "IO[bytes]") -> None:
    """Make the environment from nothing, with the stamp as the last thing."""
    free = shutil.disk_usage(str(ROOT)).free // 10**6
    if free < NEEDED_MEGABYTES:
        raise CannotPrepare(
            "The disk of {} has {} MB left and the installation takes {} MB: free some space,"
            " then run this again.".format(ROOT, free, NEEDED_MEGABYTES)
        )
    say(
        "Making .venv with Python {}.{} (only when it or the lock changes).".format(
            *sys.version_info
        )
    )
    if STAMP.exists():
        STAMP.unlink()
    install([*make_venv(), "install", *PIP_OPTIONS, "-r", str(LOCK)], lock)
    shutil.rmtree(str(TEMPORARY))
    STAMP.write_text(identity("{}.{}".format(*sys.version_info)))
    say("Installed.")


def make_venv() -> "list[str]":
    """Make an empty environment; return the command of a pip that installs into it."""
    has_own_pip = importlib.util.find_spec("ensurepip")
    if not importlib.util.find_spec("venv") or not (has_own_pip or importlib.util.find_spec("pip")):
        raise CannotPrepare(INSTALL_VENV)
    run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    TEMPORARY.mkdir()
    if not has_own_pip:
        return [sys.executable, "-m", "pip", "--python", VENV_PYTHON]
    run([VENV_PYTHON, "-m", "ensurepip", "--default-pip"])
    return [VENV_PYTHON, "-m", "pip"]


def surroundings() -> "dict[str, str]":
    """The environment of our tools: what an interrupted one leaves behind goes with `.venv`."""
    return dict(os.environ, TMPDIR=str(TEMPORARY))


def run(command: "list[str]") -> None:
    done = subprocess.run(
        command,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise CannotPrepare(explain(done.stdout.decode(errors="replace")))


def install(command: "list[str]", lock: "IO[bytes]") -> None:
    """Run pip and show how far it is. It inherits the lock, so it is never left alone with it."""
    total = len(re.findall(r"^[\w.-]+==", LOCK.read_text(), re.MULTILINE))
    pip = subprocess.Popen(
        command,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        pass_fds=[lock.fileno()],
    )
    try:
        output = follow(pip.stdout or [], total)
    finally:
        pip.terminate()
        failed = pip.wait()
    if failed:
        raise CannotPrepare(explain(output))


def follow(lines: "Iterable[str]", total: int) -> str:
    """Show the progress that pip's lines tell of; return all it said."""
    said = []
    fetched = 0
    for line in lines:
        said.append(line)
        if line.startswith(("Collecting ", "Processing ")):
            fetched += 1
            show("Fetching packages: {} of at most {}".format(fetched, total), fetched % 25 == 0)
        elif line.startswith("Installing collected"):
            say("Fetched {} packages; unpacking them.".format(fetched))
    return "".join(said)


def explain(output: str) -> str:
    """Turn the output of a tool that failed into a sentence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no message"]
    for pattern, sentence in PIP_FAILURES:
        if re.search(pattern, output):
            return sentence.format(last=errors[-1])
    return "The installation failed: {}".format(errors[-1])


def say(text: str) -> None:
    sys.stdout.write("{}axisor: {}\n".format(same_line(), text))
    sys.stdout.flush()


def show(text: str, is_milestone: bool) -> None:
    """On a terminal rewrite one line; elsewhere write a line now and then."""
    if sys.stdout.isatty():
        sys.stdout.write("{}axisor: {}".format(same_line(), text))
        sys.stdout.flush()
    elif is_milestone:
        say(text)


def same_line() -> str:
    return "\r\033[K" if sys.stdout.isatty() else ""


if __name__ == "__main__":
    sys.exit(main())
