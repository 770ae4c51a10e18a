"""`python -m tests.benchmarks.beat`: how late ticks leave, and what the beat costs.

A real beat on a real Valkey, with so many automations that are due every ten seconds. Lateness is
taken where a message is taken out of the queue, against the due time; the stock scheduler of
RedBeat, with the same entries, stands beside it. What limits it is the Python of the beat, some
tens of microseconds for each tick; Valkey does a few scripts a second.
"""

import argparse
import base64
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import django
import redis
from rich.console import Console
from rich.table import Table

from axisor.up.valkey import Valkey
from tests.crash.programs import Program
from tests.servers import free_port

PERIOD = 10
WARM_UP = 12
OURS, STOCK = "Axisor", "RedBeat"
CLASSES = {OURS: "axisor.beat.Scheduler", STOCK: "redbeat.RedBeatScheduler"}


def main() -> None:
    """Measure each, and show it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.beat")
    parser.add_argument("--seconds", type=int, default=20, help="of measuring, after a warm-up")
    parser.add_argument("--automations", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    given = parser.parse_args()
    table = Table(title=f"every automation due each {PERIOD} s")
    for column in ("scheduler", "automations", "ticks/s", "late p50, ms", "late p99, ms", "core"):
        table.add_column(column, justify="right")
    runs = [(STOCK, given.automations[0]), *((OURS, count) for count in given.automations)]
    for scheduler, count in runs:
        with _valkey() as valkey:
            table.add_row(
                scheduler, f"{count:,}", *_measured(valkey, scheduler, count, given.seconds)
            )
    Console().print(table)


@contextmanager
def _valkey() -> Iterator[str]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="axisor-bench-")))
        valkey = Valkey(folder / "valkey", free_port(), secrets.token_urlsafe(12))
        valkey.prepare()
        program = Program(
            "valkey", valkey.command(), dict(os.environ), folder / "log", valkey.answers
        )
        stack.callback(program.kill)
        program.start()
        program.await_ready()
        yield valkey.url


def _measured(url: str, scheduler: str, count: int, seconds: int) -> list[str]:
    """The figures of one run, as they are shown."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "REDIS_URL": url}
    filler = [sys.executable, "-m", "tests.benchmarks.entries", str(count), str(PERIOD)]
    with tempfile.TemporaryDirectory(prefix="axisor-bench-") as name:
        folder = Path(name)
        fill = Program("entries", filler, dict(os.environ), folder / "entries.log")
        fill.start()
        assert fill.process
        fill.process.wait()
        command = [
            sys.executable,
            "-m",
            "celery",
            "--quiet",
            "-A",
            "axisor",
            "beat",
            "-S",
            CLASSES[scheduler],
        ]
        beat = Program("beat", command, dict(os.environ), folder / "beat.log")
        beat.start()
        try:
            return _watched(url, beat, seconds)
        finally:
            beat.kill()


def _watched(url: str, beat: Program, seconds: int) -> list[str]:
    django.setup()
    from automations.timing import Timing

    assert beat.process
    timings: dict[str, Timing] = {}
    lateness: list[float] = []
    with redis.Redis.from_url(url) as client:
        begin = time.monotonic() + WARM_UP
        cpu = 0.0
        while (now := time.monotonic()) < begin + seconds:
            if not cpu and now >= begin:
                cpu = _cpu_seconds(beat.process.pid)
            taken = client.brpop(["evaluate"], timeout=1)
            if taken is None or now < begin:
                continue
            arrived = time.time()
            for id_ in _ids_in(taken[1]):
                timing = timings.get(id_) or timings.setdefault(
                    id_, Timing.of(UUID(id_), period=PERIOD)
                )
                lateness.append(arrived - timing.latest(arrived))
        cpu = (_cpu_seconds(beat.process.pid) - cpu) / seconds
    percentiles = quantiles(lateness, n=100)
    return [
        f"{len(lateness) / seconds:,.0f}",
        f"{1000 * percentiles[49]:,.0f}",
        f"{1000 * percentiles[98]:,.0f}",
        f"{cpu:.0%}",
    ]


def _ids_in(message: bytes) -> list[str]:
    """The automations of a message: of ours a list of ticks, of the stock scheduler one id."""
    [first] = json.loads(base64.b64decode(json.loads(message)["body"]))[0]
    return [first] if isinstance(first, str) else [id_ for id_, _ in first]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
