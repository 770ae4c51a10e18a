"""`python -m tests.benchmarks`: the feed against signed HTTP, over a long link and a short one."""

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django

from axisor.up.probes import answers_ok
from axisor.up.valkey import Valkey
from tests.crash.programs import MANAGE, Program
from tests.servers import free_port


def main() -> None:
    """Start everything, measure, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--samples", type=int, default=200, help="of HTTP, on each link")
    parser.add_argument("--round-trip", type=int, default=20, help="of the long link, in ms")
    parser.add_argument("--json", type=Path, help="write the figures into this file too")
    given = parser.parse_args()
    with _started(given.round_trip) as (origin, link):
        # Its modules need Django, and Django the Valkey's address.
        from tests.benchmarks import report
        from tests.benchmarks.feed import Bench

        bench = Bench(origin)
        links = {f"{given.round_trip} ms round trip": link, "loopback": origin}
        measured = {
            name: bench.measure(f"{url}/v3", samples=given.samples) for name, url in links.items()
        }
    result = report.figures(measured)
    report.show(result)
    if given.json:
        report.save(result, given.json)


@contextmanager
def _started(round_trip: int) -> Iterator[tuple[str, str]]:
    """The exchange's address, and the same at the end of a long link."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="axisor-bench-")))
        valkey = Valkey(folder / "valkey", free_port(), secrets.token_urlsafe(12))
        valkey.prepare()
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "REDIS_URL": valkey.url}
        django.setup()
        paper, link = free_port(), free_port()
        arguments = ["--port", str(paper), "--ledger", str(folder / "ledger.jsonl")]
        proxy = [sys.executable, "-m", "tests.benchmarks.link", str(link), str(paper)]
        programs = [
            _program(folder, "valkey", valkey.command(), valkey.answers),
            _program(
                folder, "paper", [*MANAGE, "paper", *arguments], answers_ok(paper, "/v3/ping")
            ),
            _program(folder, "link", [*proxy, str(round_trip)], answers_ok(link, "/v3/ping")),
        ]
        for program in programs:
            stack.callback(program.kill)
            program.start()
            program.await_ready()
        yield f"http://127.0.0.1:{paper}", f"http://127.0.0.1:{link}"


def _program(folder: Path, name: str, command: list[str], answers: Callable[[], bool]) -> Program:
    return Program(name, command, dict(os.environ), folder / f"{name}.log", answers)


if __name__ == "__main__":
    main()
