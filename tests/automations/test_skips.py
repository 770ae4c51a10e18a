"""Ticks that are left out, as late or as overlapping, and what is noted of the others."""

import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from automations import errands, evaluation, schedule, skips, tasks
from automations.models import Automation, Errand, Skip
from automations.services import update_automation
from automations.timing import slot_of
from tests.automations.test_evaluation import guards_of, read

pytestmark = pytest.mark.django_db

PERIOD = 30


def counted():
    """What was left out, by automation and reason: how many, and the last."""
    rows = Skip.objects.values_list("automation", "why", "count", "last_slot")
    return {(str(automation), why): (many, last) for automation, why, many, last in rows}


@pytest.fixture
def tick_id(guarded):
    return str(guarded.automation.id)


@pytest.fixture
def at(monkeypatch):
    """Let it be a time, in seconds since 1970, for who looks."""

    def set_to(seconds):
        now = datetime.fromtimestamp(seconds, UTC)
        monkeypatch.setattr(evaluation, "utc_now", lambda: now)

    return set_to


@pytest.mark.parametrize("period", [1, PERIOD, 3600])
@pytest.mark.parametrize(
    ("late_by", "is_late"),
    [(-0.5, False), (0, False), (0.9, False), (1, False), (1.01, True), (50, True)],
)
def test_a_tick_is_late_when_the_next_one_was_due(guarded, tick_id, at, period, late_by, is_late):
    update_automation(automation=guarded.automation, by=guarded.user, every=period)
    due = schedule.timing_of(guarded.automation).latest(time.time())
    at(due + late_by * period)
    looked = evaluation.look([(tick_id, slot_of(due))])
    assert bool(looked.stale) is not is_late
    assert counted() == ({(tick_id, "late"): (1, slot_of(due))} if is_late else {})


def test_only_ticks_are_late_and_only_when_they_are_taken_up(guarded, tick_id):
    long_ago = slot_of(time.time() - 2 * PERIOD)
    assert evaluation.look([(tick_id, "test:1")]).stale
    read(guarded)
    evaluation.look_afresh([(tick_id, long_ago)])
    guarded.automation.refresh_from_db()
    assert guarded.automation.last_slot == long_ago
    assert counted() == {}


@pytest.mark.parametrize(
    ("waiting", "is_left_out"),
    [("an earlier tick", True), ("manual", True), ("this tick", False), ("another's", False)],
)
@pytest.mark.parametrize("look", [evaluation.look, evaluation.look_afresh])
def test_an_automation_does_not_overlap_itself(guarded, tick_id, look, waiting, is_left_out):
    slot, another = slot_of(time.time()), guards_of(guarded, 1)[0]
    guarded.fall()
    read(guarded)
    slots = {"an earlier tick": "tick:1", "manual": "manual:1", "this tick": slot}
    of = another if waiting == "another's" else guarded.automation
    errands.accept(of, slot=slots.get(waiting, "tick:1"), cause="tick")
    looked = look([(tick_id, slot)])
    assert (looked.due == []) is is_left_out
    assert counted() == ({(tick_id, "overlap"): (1, slot)} if is_left_out else {})


def test_ticks_that_come_while_a_run_waits_are_counted_and_bring_no_errands(guarded, tick_id):
    guarded.fall()
    read(guarded)
    errands.accept(guarded.automation, slot="tick:1", cause="tick")
    now = int(time.time())
    for second in range(now - 2, now + 1):
        tasks.evaluate([(tick_id, f"tick:{second}")])
    assert Errand.objects.count() == 1
    assert counted() == {(tick_id, "overlap"): (3, f"tick:{now}")}


@pytest.mark.parametrize("price", ["99000", "92400"], ids=["quiet", "due"])
def test_each_look_notes_its_tick_and_how_late_it_was(guarded, tick_id, at, price):
    guarded.fall(price)
    read(guarded)
    due = schedule.timing_of(guarded.automation).latest(time.time())
    for late_by in (0.25, 1.5):
        at(due + late_by)
        tasks.evaluate([(tick_id, slot_of(due))])
        guarded.automation.refresh_from_db()
        noted = (guarded.automation.last_slot, guarded.automation.lateness_ms)
        assert noted == (slot_of(due), 1000 * late_by)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("why", ["late", "overlap"])
def test_to_leave_out_many_costs_what_one_costs(guarded, django_assert_num_queries, why, count):
    guards = guards_of(guarded, count)
    slot = slot_of(time.time() - (10 * PERIOD if why == "late" else 0))
    if why == "overlap":
        for guard in guards:
            errands.accept(guard, slot="tick:1", cause="tick")
    with django_assert_num_queries({"late": 4, "overlap": 5}[why]):
        evaluation.look([(str(guard.id), slot) for guard in guards])
    assert len(counted()) == count


def test_counts_add_up_and_strangers_are_passed_over(guarded, tick_id):
    skips.count("missed", {})
    skips.count("missed", {tick_id: ("tick:10", 3), str(uuid4()): ("tick:10", 1)})
    skips.count("missed", {tick_id: ("tick:20", 2)})
    skips.count("overload", {tick_id: ("tick:30", 1)})
    assert counted() == {(tick_id, "missed"): (5, "tick:20"), (tick_id, "overload"): (1, "tick:30")}
    assert Automation.objects.count() == 1
