"""The platform's own programs, run for one test on that test's database and Valkey.

A test that starts one needs real transactions: `pytest.mark.django_db(transaction=True)`.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.crash.programs import MANAGE, Program

StartProgram = Callable[..., Program]

PROGRAMS = {
    "beat": ([sys.executable, "-m", "celery", "-A", "axisor", "beat", "--loglevel=INFO"], "beat: "),
    "watch": ([*MANAGE, "watch"], "watch: ready."),
    "sweep": ([*MANAGE, "sweep"], "sweep: ready."),
    "monitor": ([*MANAGE, "monitor"], "monitor: ready."),
    **{
        name: ([sys.executable, "-m", "axisor.worker", name], " ready.")
        for name in ("worker-critical", "worker-execute", "worker-refresh", "worker-evaluate")
    },
}
"""How each is started, and what it says when it answers."""


@pytest.fixture
def start_program(transactional_db: None, tmp_path: Path) -> Iterator[StartProgram]:
    """Start a program by its name and wait until it is ready; all are killed after the test."""
    started: list[Program] = []

    def start(name: str, number: int = 1) -> Program:
        command, says = PROGRAMS[name]
        log = tmp_path / f"{name}-{number}.log"
        program = Program(name, command, environment(), log, says=says)
        started.append(program)
        program.start()
        program.await_ready()
        return program

    yield start
    for program in started:
        program.kill()


def environment() -> dict[str, str]:
    """What a process needs to work on the present test's database."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        "PYTHONUNBUFFERED": "1",
    }
