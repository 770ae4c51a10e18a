"""The platform's own processes, as `axisor.up` runs them: exchange, workers, beat and sweep."""

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from axisor.up.probes import answers_ok
from tests.crash.planted import PLANTS
from tests.crash.programs import MANAGE, Program
from tests.crash.scenarios import Outage
from tests.crash.servers import Servers
from tests.servers import free_port

ACTING = ("worker-critical", "worker-execute")
"""The workers that send orders."""


class Platform:
    """Everything else of one run, on servers that may serve several: exchange, workers, beat,
    sweep, and the proxy through which they reach the database.
    """

    def __init__(self, servers: Servers, folder: Path, *, planted: str = "") -> None:
        self.servers = servers
        self.folder = folder
        self.strikes = folder / "strikes"
        self.strikes.mkdir(parents=True)
        self.restarts: Counter[str] = Counter()
        self.name = servers.fresh_database()
        if planted:
            servers.drop(self.name, PLANTS[planted].dropped)
        self.database = servers.postgres.url.rpartition("/")[0] + f"/{self.name}"
        self.origin = f"http://127.0.0.1:{free_port()}"
        self.ledger = folder / "ledger.jsonl"
        self.programs = {program.name: program for program in self._table(planted)}

    def start(self) -> None:
        """Start everything and wait until it answers."""
        for program in self.programs.values():
            program.start()
        for program in self.programs.values():
            program.await_ready()

    def stop(self) -> None:
        """End everything; nothing is left behind."""
        for program in reversed(self.programs.values()):
            program.kill()

    def revive(self) -> None:
        """Start again what has ended, as a supervisor does."""
        for program in (*self.servers.programs.values(), *self.programs.values()):
            if not program.is_running:
                program.kill()
                program.start()
                self.restarts[program.name] += 1

    def take_down(self, outage: Outage) -> None:
        """Let something of it, or of its servers, go down."""
        servers = self.servers.programs
        match outage:
            case "valkey_killed":
                servers["valkey"].send(signal.SIGKILL)
            case "valkey_emptied":
                with self.servers.redis() as client:
                    client.flushall()
            case "postgres_restarted":
                servers["postgres"].process.send_signal(signal.SIGQUIT)
            case "worker":
                for name in ACTING:
                    self.programs[name].send(signal.SIGKILL)
            case "worker_frozen":
                for name in ACTING:
                    self.programs[name].process.send_signal(signal.SIGSTOP)
            case "beat" | "sweep":
                self.programs[outage].send(signal.SIGKILL)

    def thaw(self) -> None:
        """Let the workers go on whose main process was frozen; its children never were."""
        for name in ACTING:
            self.programs[name].process.send_signal(signal.SIGCONT)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that is on nobody's list to be struck."""
        return self.servers.environment(self.database, AXISOR_PAPER_URL=f"{self.origin}/v3")

    @property
    def sent(self) -> Path:
        """Every slot that somebody made."""
        return self.strikes / "sent"

    def _table(self, planted: str) -> Iterator[Program]:
        proxy, server = free_port(), self.servers.postgres.port
        struck = self.servers.environment(
            self.database.replace(f":{server}/", f":{proxy}/"),
            AXISOR_PAPER_URL=f"{self.origin}/v3",
            CRASH_FOLDER=str(self.strikes),
            CRASH_PLANTED=planted,
        )
        paper = int(self.origin.rpartition(":")[2])
        worker, celery = [sys.executable, "-m", "axisor.worker"], [sys.executable, "-m", "celery"]
        yield self._program(
            "proxy", [sys.executable, "-m", "tests.crash.proxy", str(proxy), str(server)], struck
        )
        yield self._program(
            "paper",
            [*MANAGE, "paper", "--port", str(paper), "--ledger", str(self.ledger)],
            self.environment,
            answers=answers_ok(paper, "/v3/ping"),
        )
        for name in (*ACTING, "worker-refresh", "worker-evaluate"):
            yield self._program(name, [*worker, name], struck, says=" ready.")
        beat = [*celery, "--quiet", "-A", "axisor", "beat", "--loglevel=INFO"]
        yield self._program("beat", beat, struck, says="beat: Starting")
        yield self._program("sweep", [*MANAGE, "sweep"], struck, says="sweep: ready")

    def _program(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        *,
        says: str = "",
        answers: Callable[[], bool] = lambda: True,
    ) -> Program:
        log = self.folder / f"{name}.log"
        return Program(name, command, environment, log, answers, says)
