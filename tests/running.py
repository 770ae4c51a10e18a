"""The whole platform as a person starts it, for the tests that need it running.

`running_axisor` starts it once and gives it to whoever asks, starting it again if a test stopped
it. Tests that use it belong to one xdist process: `pytestmark = pytest.mark.xdist_group("up")`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axisor.up.launch import TIED
from axisor.up.site import ROOT
from tests.servers import free_port

READY_SECONDS = 120
PORTS = 5

PROGRAMS = {
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "paper": "manage.py paper",
    "web": "gunicorn",
    "worker-critical": "axisor.worker worker-critical",
    "worker-execute": "axisor.worker worker-execute",
    "worker-refresh": "axisor.worker worker-refresh",
    "worker-evaluate": "axisor.worker worker-evaluate",
    "beat": "axisor beat",
    "sweep": "manage.py sweep",
    "watch": "manage.py watch",
    "monitor": "manage.py monitor",
    "flower": "axisor flower",
}
"""What tells each part's command line from the others."""


class Platform:
    """One data folder and its ports, started and stopped like by `make run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(PORTS)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def run(self) -> dict[str, str]:
        """What `run.json` says."""
        return json.loads((self.folder / "run.json").read_text())

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it and wait until `run.json` says that every part answers."""
        self.process = subprocess.Popen(
            [*TIED, *UP],
            env=environment(AXISOR_PORT=self.port, AXISOR_DATA=self.folder),
            stdin=subprocess.DEVNULL,
            stdout=(self.folder.parent / "terminal").open("wb"),
            stderr=subprocess.STDOUT,
        )
        await_that(lambda: self.says_ready() or not self.is_running, READY_SECONDS)
        assert self.is_running, self.terminal()

    def says_ready(self) -> bool:
        return (self.folder / "run.json").exists() and "Axisor is up" in self.terminal()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; return the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(READY_SECONDS)

    def terminal(self) -> str:
        """Everything a person saw since the last start."""
        return (self.folder.parent / "terminal").read_text()

    def pids(self) -> dict[str, int]:
        """The process of each part that runs."""
        assert self.process
        return {
            name: pid
            for pid in descendants(self.process.pid, depth=1)
            for name, program in PROGRAMS.items()
            if program in command_line(pid)
        }

    def family(self) -> list[int]:
        """The supervisor and every process below it."""
        assert self.process
        return [self.process.pid, *descendants(self.process.pid)]


UP = [sys.executable, "-m", "axisor.up"]


def environment(**variables: object) -> dict[str, str]:
    """A person's environment with these variables, free of what the tests have set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **{k: str(v) for k, v in variables.items()}}


def await_that(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def command_line(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(pid: int, depth: int = 99) -> list[int]:
    """Processes below this one, down to a depth."""
    try:
        below = [
            int(child)
            for children in Path(f"/proc/{pid}/task").glob("*/children")
            for child in children.read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []
    deeper = [found for child in below if depth > 1 for found in descendants(child, depth - 1)]
    return [*below, *deeper]


@pytest.fixture(scope="session")
def _platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    yield platform
    if platform.is_running:
        platform.stop()


@pytest.fixture
def running_axisor(_platform: Platform) -> Platform:
    """The platform, every part of it answering."""
    if not _platform.is_running:
        _platform.start()
    return _platform
