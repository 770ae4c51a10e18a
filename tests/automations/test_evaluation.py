"""Looking at ticks: from the feed, without HTTP, and never guessing when it is stale."""

from datetime import timedelta

import pytest

from accounts.models import Event
from automations import evaluation, sensing
from automations.models import Automation, Execution
from automations.services import create_automation, update_automation
from exchanges import feed

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticks(guarded):
    return [(str(guarded.automation.id), "tick:1")]


def reason_of(guarded):
    guarded.automation.refresh_from_db()
    return guarded.automation.reason_code


def test_nothing_known_asks_for_a_refresh(guarded, ticks):
    looked = evaluation.look(ticks)
    assert looked.stale == {guarded.account.id: ticks}
    assert looked.due == []


def test_after_a_refresh_it_decides_without_the_exchange(guarded, ticks):
    guarded.fall()
    assert evaluation.refresh(ticks)
    guarded.paper.control.fault("cut_before", times=99)
    looked = evaluation.look(ticks)
    assert [(a.id, slot) for a, slot in looked.due] == [(guarded.automation.id, "tick:1")]
    assert guarded.effects() == []


def test_a_feed_past_its_age_is_not_decided_on(guarded, ticks, monkeypatch):
    evaluation.refresh(ticks)
    monkeypatch.setattr(sensing, "FRESH", timedelta(0))
    assert evaluation.look(ticks).stale == {guarded.account.id: ticks}


@pytest.mark.parametrize(
    ("period", "age", "is_stale"),
    [(30, 4.9, False), (30, 5.1, True), (5, 2.4, False), (5, 2.6, True), (1, 0.6, True)],
)
def test_no_tick_decides_on_what_the_tick_before_has_read(guarded, ticks, period, age, is_stale):
    update_automation(automation=guarded.automation, every=period)
    evaluation.refresh(ticks)
    seen_at = feed.holdings(guarded.account.id).at
    automation = guarded.automation
    fresh = sensing.freshness(automation)
    snapshot = sensing.from_feed(automation, now=seen_at + timedelta(seconds=age), fresh=fresh)
    assert (snapshot is None) is is_stale


def test_a_quiet_tick_writes_a_row_only_when_the_reason_changed(guarded, ticks):
    evaluation.refresh(ticks)
    for slot in ("tick:1", "tick:2", "tick:3"):
        evaluation.look([(ticks[0][0], slot)])
    assert Execution.objects.count() == 1
    assert Execution.objects.get().reason_code == reason_of(guarded) == "within_threshold"
    assert guarded.automation.checked_at


def test_what_keeps_a_guard_from_acting_is_alerted_once(guarded, ticks):
    config = {**guarded.automation.config}
    config["action"] = {**config["action"], "amount": 90_000_000, "max_per_position": 90_000_000,
                        "max_per_day": 90_000_000}  # fmt: skip
    update_automation(automation=guarded.automation, config=config)
    guarded.fall()
    evaluation.refresh(ticks)
    for slot in ("tick:1", "tick:2"):
        evaluation.look([(ticks[0][0], slot)])
    assert reason_of(guarded) == "balance_too_small"
    assert Event.objects.filter(severity="critical").count() == 1


def test_an_exchange_that_cannot_be_read_makes_it_blind_and_says_so_once(guarded, ticks):
    guarded.paper.control.fault("cut_before", times=99)
    assert not evaluation.refresh(ticks)
    assert not evaluation.refresh(ticks)
    assert reason_of(guarded) == "blind"
    assert Event.objects.filter(kind="automation_blind").count() == 1
    assert Execution.objects.count() == 0


def test_a_deleted_paused_or_unknown_automation_is_passed_over(guarded, ticks):
    update_automation(automation=guarded.automation, is_active=False)
    looked = evaluation.look([*ticks, ("00000000-0000-0000-0000-000000000000", "tick:1")])
    assert (looked.due, looked.stale) == ([], {})


def test_an_action_makes_the_feed_forget_what_it_changed(guarded, ticks):
    guarded.fall()
    guarded.run()
    assert feed.holdings(guarded.account.id) is None


def test_an_older_reading_never_overwrites_a_newer_one(guarded, ticks):
    evaluation.refresh(ticks)
    newer = feed.ticker("paper")
    older = type(newer)(newer.value, newer.at - timedelta(seconds=1), "rest")
    assert not feed.put_ticker("paper", older)
    assert feed.ticker("paper") == newer


def test_a_reading_begun_before_an_action_is_refused_after_it(guarded, ticks):
    evaluation.refresh(ticks)
    before = feed.holdings(guarded.account.id)
    feed.invalidate_holdings(guarded.account.id, at=before.at + timedelta(seconds=1))
    assert not feed.put_holdings(guarded.account.id, before)
    assert feed.holdings(guarded.account.id) is None


def test_a_broken_automation_is_noted_and_the_others_are_looked_at(guarded, ticks):
    evaluation.refresh(ticks)
    broken = create_automation(
        user=guarded.user,
        account=guarded.account,
        kind="margin_guard",
        name="broken",
        config=guarded.automation.config,
    )
    Automation.objects.filter(pk=broken.pk).update(config={"threshold": "from another version"})
    evaluation.look([(str(broken.id), "tick:1"), *ticks])
    broken.refresh_from_db()
    assert broken.reason_code == "broken"
    assert reason_of(guarded) == "within_threshold"
    assert Event.objects.filter(kind="automation_broken", severity="critical").count() == 1
