"""`python -m tests.benchmarks.isolation`: whether one account's trouble slows another's requests.

Account A asks from a process of its own, in four threads, as fast as a busy worker. Account B asks
one request after the other and takes the time. In every second block A is well, in the others it
meets 429s or gets no answers. The blocks alternate, so that whatever else the machine does hits
both. Both accounts' requests pass the protection of the platform.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from statistics import quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

from tests.benchmarks.__main__ import _started

BLOCK = 200
"""Requests of B between two changes of A's fortune."""

PACE_B, PACE_A = 0.015, 0.05
"""Seconds between two requests of B, and of each thread of A: both below their limits."""

THREADS_OF_A = 4
TROUBLES: list[dict[str, Any]] = [
    {"kind": "too_many_requests", "seconds": 5},
    {"kind": "delay_before", "seconds": 30},
]
ALLOWED = 1.20


def main() -> int:
    """Measure, and return 1 when B's p99 grew by more than is allowed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.isolation")
    parser.add_argument("--samples", type=int, default=3000, help="of B, for each fortune of A")
    given = parser.parse_args()
    with _started(round_trip=0) as (origin, _):
        well, troubled = _measure(origin, given.samples)
    return _report(well, troubled)


def _measure(origin: str, samples: int) -> tuple[list[float], list[float]]:
    from exchanges.paper.control_client import ControlClient
    from exchanges.protection.shared import shared_redis

    control = ControlClient(origin)
    a, b = (control.create_account(balance=1) for _ in range(2))
    client = _client(origin, b.credentials)
    well: list[float] = []
    troubled: list[float] = []
    with _asking(origin, a.credentials):
        for trouble in cycle(TROUBLES):
            for taken, is_well in ((well, True), (troubled, False)):
                control.clear_faults()
                shared_redis().flushdb()
                if not is_well:
                    control.fault(**trouble, account_id=a.id, times=1_000_000)
                taken += _block(client)
            if len(troubled) >= samples:
                return well, troubled
    raise AssertionError("unreachable")


def _client(origin: str, credentials: Any) -> Any:
    from exchanges import registry
    from exchanges.protection import protect

    guard = protect(exchange="paper", adapter="lnmarkets", credentials=credentials)
    base_url = f"{origin}/v3"
    return registry.connect("lnmarkets", base_url=base_url, credentials=credentials, guard=guard)


def _block(client: Any) -> list[float]:
    taken = []
    for _ in range(BLOCK):
        begun = perf_counter()
        client.account()
        taken.append(perf_counter() - begun)
        sleep(PACE_B)
    return taken


@contextmanager
def _asking(origin: str, credentials: Any) -> Iterator[None]:
    """Account A at work, until the end of the block. Its credentials are play money's."""
    words = [origin, credentials.key, credentials.secret, credentials.passphrase]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.isolation", "--ask"],
        stdin=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        process.stdin.write("\n".join(words) + "\n")
        process.stdin.flush()
        try:
            yield
        finally:
            process.kill()


def _ask() -> None:
    """Be account A."""
    import django

    django.setup()
    from exchanges.errors import ExchangeError
    from exchanges.types import Credentials

    origin, *words = (sys.stdin.readline().strip() for _ in range(4))
    client = _client(origin, Credentials(*words))

    def insist() -> None:
        while True:
            with suppress(ExchangeError):
                client.account()
            sleep(PACE_A)

    for _ in range(THREADS_OF_A):
        Thread(target=insist, daemon=True).start()
    Event().wait()


def _report(well: list[float], troubled: list[float]) -> int:
    before, after = (quantiles(taken, n=100) for taken in (well, troubled))
    for name, cuts, taken in (("well", before, well), ("in trouble", after, troubled)):
        print(  # noqa: T201
            f"B's requests while A is {name:10}  {len(taken)} answered, none failed;"
            f" p50 {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms"
        )
    ratio = after[98] / before[98]
    print(f"p99: {ratio - 1:+.1%}; at most {ALLOWED - 1:+.0%} is allowed.")  # noqa: T201
    return int(ratio > ALLOWED)


if __name__ == "__main__":
    sys.exit(_ask() if "--ask" in sys.argv else main())
