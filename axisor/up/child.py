"""One run of a part: a process in a session of its own, what it says, and its end."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO

from axisor.up.launch import TIED
from axisor.up.output import Output
from axisor.up.parts import Part
from axisor.up.site import ROOT

LOOK_AGAIN_SECONDS = 0.1
HURRY_SECONDS = 2


class Child:
    """A running process; made in the main thread, whose end would end it too.

    A terminal's Ctrl-C does not reach it, since its session is another: the supervisor alone
    decides when it is told to stop.
    """

    def __init__(self, part: Part, output: Output) -> None:
        self.part = part
        self.captured: list[str] = []
        """What a job wrote to its standard output; it may be secret and is logged nowhere."""
        self.started_at = time.monotonic()
        self._output = output
        self._has_said = not part.says
        self._process = subprocess.Popen(
            [*TIED, *part.command],
            cwd=ROOT,
            env=dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if part.ends else subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._readers = self._read()

    @property
    def pid(self) -> int:
        """The process' id, and that of its group."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Return whether the process has ended; its group can still be told apart until `reap`."""
        if self._process.returncode is not None:
            return True
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, look) is not None

    async def answers(self) -> bool:
        """Return whether it is seen to do its work."""
        return self._has_said and await asyncio.to_thread(self.part.answers)

    async def reap(self) -> int:
        """End what is left of its group; return its exit code, or minus the signal's number."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        for reader in self._readers:
            await asyncio.to_thread(reader.join, HURRY_SECONDS)
        return self._process.returncode

    async def stop(self, hurry: asyncio.Event) -> bool:
        """Tell it to stop, and wait for its grace; return whether that was enough."""
        deadline = time.monotonic() + self.part.grace
        if not self.has_ended():
            self._process.send_signal(self.part.stop_signal)
        while not (was_enough := self.has_ended()) and time.monotonic() < deadline:
            if hurry.is_set():
                deadline = min(deadline, time.monotonic() + HURRY_SECONDS)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await self.reap()
        return was_enough

    def _read(self) -> list[threading.Thread]:
        out, err = self._process.stdout, self._process.stderr
        takers = [(out, self._keep if self.part.ends else self._hear), (err, self._hear)]
        readers = [
            threading.Thread(target=_give_lines, args=(stream, taker), daemon=True)
            for stream, taker in takers
            if stream
        ]
        for reader in readers:
            reader.start()
        return readers

    def _keep(self, line: str) -> None:
        self.captured.append(line)

    def _hear(self, line: str) -> None:
        self._output.heard(self.part.name, line)
        if self.part.says in line:
            self._has_said = True


def _give_lines(stream: IO[str], taker: Callable[[str], None]) -> None:
    for line in stream:
        taker(line.rstrip())
    stream.close()
