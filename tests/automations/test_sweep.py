"""The sweep as a process: it waits for no account, and stops when it is told to."""

import signal

import pytest
from django.db.models.functions import Now

from automations import errands
from automations.models import Execution, Turn
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

RECOVERED_SECONDS = 20
STOP_SECONDS = 20


def bring(guarded):
    """An errand whose message is lost."""
    errands.accept(guarded.automation, slot="tick:1", cause="tick")


def is_in_work(guarded):
    return Turn.objects.filter(account=guarded.account, until__gt=Now()).exists()


@pytest.fixture
def another(guarded):
    return guard_a_position(guarded.paper, action=ADD_MARGIN, trader="another")


@pytest.fixture
def hanging(guarded):
    """An account that the exchange lets wait for every answer, nearly until it gives up."""
    account_id = guarded.paper_account.id
    guarded.paper.control.fault("delay_before", seconds=8, account_id=account_id, times=99)
    yield guarded
    guarded.paper.control.clear_faults()


def test_an_account_whose_exchange_hangs_holds_up_no_other(another, hanging, start_program):
    hanging.fall()
    bring(hanging)
    start_program("sweep")
    await_that(lambda: is_in_work(hanging), RECOVERED_SECONDS)
    bring(another)
    await_that(lambda: another.effects() == ["add_margin"], RECOVERED_SECONDS)
    assert is_in_work(hanging)


def test_it_finishes_what_it_has_begun_and_stops(guarded, start_program):
    control = guarded.paper.control
    control.fault("delay_before", seconds=2, path="/v3/futures/isolated/trade/add-margin")
    guarded.fall()
    bring(guarded)
    sweep = start_program("sweep")
    await_that(guarded.automation.intents.filter(state="sending").exists, RECOVERED_SECONDS)
    sweep.process.send_signal(signal.SIGTERM)
    assert sweep.process.wait(STOP_SECONDS) == 0
    assert guarded.execution("tick:1").status == Execution.Status.SUCCESS
    assert guarded.effects() == ["add_margin"]
