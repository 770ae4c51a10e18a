"""The platform is struck in a hundred rounds, and ten bugs in it are found.

`make test` runs this by itself, after all else: the rounds want the machine's two cores. The
figures of the whole, with more rounds, are those of `make crash`.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from axisor.up.site import ROOT
from tests.crash.planted import BUGS

pytestmark = pytest.mark.xdist_group("crash")

Figures = dict[str, Any]


def crash(file: Path, *arguments: str) -> list[Figures]:
    """What `python -m tests.crash` says, run by run; it shows its progress on the terminal."""
    command = [sys.executable, "-m", "tests.crash", "--json", str(file), *arguments]
    subprocess.run(command, cwd=ROOT, check=False)
    return json.loads(file.read_text())


def test_a_hundred_rounds_of_strikes_leave_nothing_twice_lost_or_guessed(tmp_path):
    [run] = crash(tmp_path / "figures.json", "--rounds", "100")
    assert (run["violations"], run["stuck"]) == ([], [])
    assert run["effects"] >= 50
    assert run["kills"]


@pytest.fixture(scope="module")
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The figures of each bug that a test here asks for, on servers that they share."""
    asked = [
        item.callspec.params["bug"]
        for item in request.session.items
        if getattr(item, "originalname", "") == test_a_planted_bug_is_caught.__name__
    ]
    file = tmp_path_factory.mktemp("planted") / "figures.json"
    return {run["bug"]: run for run in crash(file, "--planted", *asked)}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug, planted):
    assert planted[bug]["is_right"], f"not caught in {planted[bug]['rounds']} rounds"
