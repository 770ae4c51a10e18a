"""A reduction whose process is killed on its way, with real processes: the sweep finishes it."""

import signal
import subprocess
import sys

import pytest

from automations.models import Errand
from axisor.up.site import ROOT
from tests.automations.conftest import guard_a_position
from tests.automations.halving import BOTH, HALVE, recover_all, states, told
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60


def run_until_killed(guarded, place, time):
    """The run in a process of its own, which does not survive `place`."""
    slot = [str(guarded.automation.id), "tick:1", place, str(time)]
    run = subprocess.run(
        [sys.executable, "-m", "tests.automations.struck", *slot],
        cwd=ROOT,
        env=environment(),
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("place", "time", "when_killed", "effects"),
    [
        ("planned", 1, ["planned", "planned"], BOTH),
        ("leaving", 1, ["sending", "planned"], []),
        ("sent", 1, ["sending", "planned"], BOTH),
        ("settled", 1, ["confirmed", "planned"], BOTH),
        ("claimed", 2, ["confirmed", "sending"], ["close"]),
        ("sent", 2, ["confirmed", "sending"], BOTH),
        ("answered", 2, ["confirmed", "sending"], BOTH),
        ("settled", 2, ["confirmed", "confirmed"], BOTH),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_killed_between_the_steps(transactional_db, paper, place, time, when_killed, effects):
    halved = guard_a_position(paper, action=HALVE, cool_down=0)
    halved.fall()
    run_until_killed(halved, place, time)
    assert states() == when_killed

    execution = recover_all(halved, late=effects != BOTH)

    assert halved.effects() == effects
    assert Errand.objects.count() == 0
    assert execution.status == ("success" if effects == BOTH else "error")
    assert told("closed_only") == (effects == ["close"])
