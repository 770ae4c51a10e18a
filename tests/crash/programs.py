"""One process, a group of its own: started, killed, and seen to answer.

Only what was started here is ever signalled, by its process id, and the kernel kills all of it
with the harness.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from axisor.up.launch import TIED
from axisor.up.site import ROOT

READY_SECONDS = 60
STOP_SECONDS = 10
MANAGE = [sys.executable, "manage.py"]


@dataclass
class Program:
    """One process of the platform, and how it is seen to answer."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    answers: Callable[[], bool] = lambda: True
    says: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, in a process group of its own."""
        with self.log.open("ab") as log:
            self._log_begins = log.tell()
            self.process = subprocess.Popen(
                [*TIED, *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it has said what it says, and answers."""
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            return self.says.encode() in log.read() and self.answers()

    def send(self, number: signal.Signals) -> None:
        """Signal the whole group, if it is still there."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def stop(self, number: signal.Signals) -> None:
        """End it and wait for that; with SIGKILL when it does not."""
        if self.is_running:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, also for what a killed leader has left behind."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def await_ready(self) -> None:
        """Wait until it answers, or fail with what it said."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready:
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)
