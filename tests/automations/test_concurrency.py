"""Several runs at the same moment, with real transactions: one acts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from automations.execution import execute
from automations.models import Errand, Execution, Intent

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
            execute(guarded.automation, slot=slot, cause="tick")
        finally:
            connection.close()

    with ThreadPoolExecutor(len(slots)) as pool:
        list(pool.map(run, slots))

    assert guarded.effects() == ["add_margin"]
    assert Intent.objects.count() == 1
    assert Execution.objects.filter(status="success").count() == 1
    assert Execution.objects.filter(status="completed").count() == len(set(slots)) - 1
    assert Errand.objects.count() == 0
