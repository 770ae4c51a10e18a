"""Several runs at the same moment, with real transactions: one acts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from automations.models import Execution, Intent
from automations.turns import AccountBusy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "slots",
    [["tick:1"] * 6, [f"tick:{n}" for n in range(6)]],
    ids=["one slot redelivered", "six slots"],
)
def test_runs_at_the_same_moment_never_act_at_the_same_time(guarded, slots):
    guarded.fall()

    def run(slot):
        try:
            return guarded.run(slot).reason_code
        except AccountBusy:
            return "busy"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(slots)) as pool:
        outcomes = list(pool.map(run, slots))

    assert set(outcomes) <= {"threshold_reached", "within_threshold", "busy"}
    assert guarded.effects() == ["add_margin"]
    assert Intent.objects.count() == 1
    assert Execution.objects.filter(status="success").count() == 1
