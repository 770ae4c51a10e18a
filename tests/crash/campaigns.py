"""What may be run: the plain rounds, those with a planted bug, and the baseline.

Each prints its figures and returns them; `is_right` among them says whether all is as it must be.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress

from tests.crash import report
from tests.crash.run import Run
from tests.crash.scenarios import ONE, PROVOKING, Scenario, draw
from tests.crash.servers import Servers

BATCH = 20
NAIVE_BATCH = 20
PLANTED_BATCH = 10
PLANTED_ROUNDS = 50


Figures = dict[str, Any]


def plain(servers: Servers, folder: Path, progress: Progress, *, rounds: int, seed: int) -> Figures:
    """The platform as it is; not right when the judge finds anything, or a round did not end."""
    task = progress.add_task("rounds", total=rounds)
    scenario = partial(draw, seed)
    with Run(servers, folder / "run", scenario) as run:
        for numbers in _batches(rounds, BATCH):
            run.batch(numbers, lambda over: progress.advance(task, over))
        run.settle()
        run.judge()
    found = report.figures(run.result, seed=seed)
    report.show(found)
    return found


def naive(servers: Servers, folder: Path, progress: Progress, *, rounds: int, seed: int) -> Figures:
    """The baseline writes nothing down, so its effects are counted at the exchange alone."""
    task = progress.add_task("naive rounds", total=rounds)
    scenario = partial(_for_naive, seed)
    with Run(servers, folder / "naive", scenario, planted="naive") as run:
        for numbers in _batches(rounds, NAIVE_BATCH):
            run.batch(numbers, lambda over: progress.advance(task, over))
        found = report.naive_figures(run.result, run.effects(), seed=seed)
    report.show_naive(found)
    return found


def _for_naive(seed: int, number: int) -> Scenario:
    """The same faults, on a position that needs one effect, no more."""
    return replace(draw(seed, number), action=ONE)


def planted(servers: Servers, folder: Path, progress: Progress, *, bug: str, seed: int) -> Figures:
    """The platform with one bug; not right when the judge does not find it."""
    task = progress.add_task(bug, total=PLANTED_ROUNDS)
    scenario = partial(_provoking, bug, seed)
    with Run(servers, folder / bug, scenario, planted=bug) as run:
        for numbers in _batches(PLANTED_ROUNDS, PLANTED_BATCH):
            run.batch(numbers, lambda over: progress.advance(task, over))
            run.judge()
            if run.result.effects_broken:
                break
    found = report.planted_figures(bug, run.result, seed=seed)
    report.show_planted(found)
    return found


def _batches(rounds: int, size: int) -> Iterator[range]:
    """The numbers of the rounds, as they are played at once."""
    for first in range(1, rounds + 1, size):
        yield range(first, min(first + size, rounds + 1))


def _provoking(bug: str, seed: int, number: int) -> Scenario:
    """Every other round is the one that the bug should not survive.

    The others have no outage: that would strike these rounds as well, and protect them from it.
    """
    return PROVOKING[bug] if number % 2 else replace(draw(seed, number), outage=None)
