"""Starts the parts as soon as what they need answers, keeps them running, stops them in order."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from axisor.up.child import LOOK_AGAIN_SECONDS, Child
from axisor.up.errors import CannotStart
from axisor.up.output import Output
from axisor.up.parts import Part

START_SECONDS = 90
"""How long a part may take to answer for the first time."""
TRIES = 3
"""How often a part may end before it answered for the first time."""
SAY_AGAIN_SECONDS = 5
SAME_SIGNAL_SECONDS = 1
"""One stop of a process group arrives twice, since make passes on what it gets."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
STEADY_SECONDS = 60.0


def delay_after(previous: float, lived: float) -> float:
    """Return the seconds to wait before starting a part again.

    Doubles from half a second to thirty, and starts over after the part lived for a minute.
    `previous` is the last delay, 0 if there was none; `lived` is in seconds.
    """
    if previous == 0 or lived >= STEADY_SECONDS:
        return FIRST_DELAY
    return min(previous * 2, LONGEST_DELAY)


class End(NamedTuple):
    """How a run ended that should have gone on, and after how many seconds."""

    how: str
    lived: float


class Supervisor:
    """All parts of one platform; made where an event loop runs, in the main thread."""

    def __init__(self, parts: Iterable[Part], output: Output) -> None:
        self._parts = list(parts)
        self._output = output
        self._children: dict[str, Child] = {}
        self._up = {part.name: asyncio.Event() for part in self._parts}
        self._hurry = asyncio.Event()
        self._stop_asked_at: float | None = None
        self._began_at = time.monotonic()

    async def run(
        self, when_up: Callable[[], Awaitable[None]], when_down: Callable[[], None]
    ) -> None:
        """Start everything, await `when_up`, and keep it running until a signal ends it.

        SIGINT, SIGTERM and SIGHUP stop everything; another one a moment later hurries. In any case
        `when_down` is called and nothing runs any more when this returns.

        Raises:
            CannotStart: a part did not come up.
            OSError: the machine refused something, such as room on the disk.
        """
        self._obey_signals(asyncio.current_task())
        try:
            async with asyncio.TaskGroup() as keepers:
                for part in self._parts:
                    keepers.create_task(self._keep(part))
                keepers.create_task(self._announce(when_up))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        except asyncio.CancelledError:
            self._output.say("stopping; running tasks may finish, Ctrl-C once more hurries")
        finally:
            self._stop_asked_at = self._stop_asked_at or time.monotonic()
            when_down()
            await self._stop_all()

    def _obey_signals(self, running: "asyncio.Task[None] | None") -> None:
        def obey() -> None:
            if running and self._stop_asked_at is None:
                self._stop_asked_at = time.monotonic()
                running.cancel()
            elif time.monotonic() - (self._stop_asked_at or 0) > SAME_SIGNAL_SECONDS:
                self._hurry.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, obey)
        loop.add_signal_handler(signal.SIGTERM, obey)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` wants it
            loop.add_signal_handler(signal.SIGHUP, obey)

    def captured(self, job: str) -> list[str]:
        """Return the lines that a job which has ended wrote to its standard output."""
        return self._children[job].captured

    async def repeat(self, job: Part) -> None:
        """Run a job of the table once more, in this form.

        Raises:
            CannotStart: it failed.
        """
        if end := await self._run_once(job):
            raise CannotStart(f"{job.name} {end.how}. {self._output.last_words(job.name)}")

    async def _keep(self, part: Part) -> None:
        for need in part.needs:
            await self._up[need].wait()
        delay, tries = 0.0, 0
        while end := await self._run_once(part):
            tries += 1
            if not self._has_answered(part) and (part.ends or tries == TRIES):
                raise self._give_up(part, end.how)
            delay = delay_after(delay, end.lived)
            self._output.say(f"{part.name} {end.how}; it starts again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _run_once(self, part: Part) -> End | None:
        """Run a part until it ends; return how, or None for a job well done."""
        if not self._has_answered(part):
            self._output.hold_back(part.name)
        try:
            child = self._children[part.name] = Child(part, self._output)
        except OSError as error:
            return End(f"could not be started ({error})", lived=0)
        if not part.ends:
            await self._see_answer(child)
        while not child.has_ended():
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        lived = time.monotonic() - child.started_at
        code = await child.reap()
        if part.ends and code == 0:
            self._note_up(part)
            return None
        return End(_how(code), lived)

    async def _see_answer(self, child: Child) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while not child.has_ended() and not await child.answers():
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            if not self._has_answered(child.part):
                raise self._give_up(child.part, "runs but does not answer") from None
            await child.reap()
        if not child.has_ended():
            self._note_up(child.part)

    def _has_answered(self, part: Part) -> bool:
        return self._up[part.name].is_set()

    def _give_up(self, part: Part, how: str) -> CannotStart:
        said = self._output.last_words(part.name)
        return CannotStart(f"{part.name} {how}, so the platform cannot run. {said}\n{part.remedy}")

    def _note_up(self, part: Part) -> None:
        self._output.release(part.name)
        again = " again" if self._has_answered(part) else ""
        self._up[part.name].set()
        seconds = time.monotonic() - self._began_at
        what = "is done" if part.ends else "answers"
        self._output.say(f"{part.name} {what}{again}" + ("" if again else f" ({seconds:.1f} s)"))

    async def _announce(self, when_up: Callable[[], Awaitable[None]]) -> None:
        while missing := self._missing():
            try:
                await asyncio.wait_for(self._up[missing[0]].wait(), SAY_AGAIN_SECONDS)
            except TimeoutError:
                self._output.say(f"waiting for {', '.join(self._missing())}")
        await when_up()

    def _missing(self) -> list[str]:
        return [name for name, event in self._up.items() if not event.is_set()]

    async def _stop_all(self) -> None:
        stopped = {part.name: asyncio.Event() for part in self._parts}

        async def stop(part: Part) -> None:
            for other in self._parts:
                if part.name in other.needs:
                    await stopped[other.name].wait()
            await self._stop(part)
            stopped[part.name].set()

        await asyncio.gather(*(stop(part) for part in self._parts))

    async def _stop(self, part: Part) -> None:
        child = self._children.get(part.name)
        if child and not await child.stop(self._hurry):
            self._output.say(f"{part.name} did not stop in time and was killed")


def _how(code: int) -> str:
    """Say how a process ended: `code` is its exit code, or minus the number of a signal."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
