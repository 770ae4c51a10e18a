"""Looking at ticks: from the feed, without HTTP, and never guessing when it is stale."""

from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django.conf import settings

from accounts.gateway import open_client
from accounts.models import Event
from automations import evaluation, pausing, reading, sensing
from automations.models import Automation, Execution, QuietSpan
from automations.reading import utc_now
from automations.rules.actions import AddMargin
from automations.rules.base import Reason
from automations.rules.registry import KINDS
from automations.services import create_automation, update_automation
from exchanges import feed
from tests.automations.conftest import guard_a_position

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticks(guarded):
    return [(str(guarded.automation.id), "test:1")]


def read(guarded):
    """Let the feed know the account and the market."""
    reading.from_exchange(guarded.account, open_client(guarded.account))


def reason_of(guarded):
    guarded.automation.refresh_from_db()
    return guarded.automation.reason_code


def test_nothing_known_asks_for_a_refresh(guarded, ticks):
    looked = evaluation.look(ticks)
    assert looked.stale == {guarded.account.id: ticks}
    assert looked.due == []


def test_after_a_refresh_it_decides_without_the_exchange(guarded, ticks):
    guarded.fall()
    read(guarded)
    guarded.paper.control.fault("cut_before", times=99)
    looked = evaluation.look(ticks)
    assert [(a.id, slot) for a, slot in looked.due] == [(guarded.automation.id, "test:1")]
    assert guarded.effects() == []


def test_a_feed_past_its_age_is_not_decided_on(guarded, ticks, monkeypatch):
    read(guarded)
    monkeypatch.setattr(sensing, "LOOKING_AT_ACCOUNT", timedelta(0))
    assert evaluation.look(ticks).stale == {guarded.account.id: ticks}


@pytest.mark.parametrize(
    ("period", "market", "account", "is_stale"),
    [
        (30, 4.9, 4.9, False),
        (30, 5.1, 5.1, True),
        (30, 0.1, 9.9, False),
        (30, 0.1, 10.1, True),
        (8, 3.9, 3.9, False),
        (8, 4.1, 4.1, True),
        (1, 2.9, 9.9, False),
        (1, 3.1, 3.1, True),
    ],
)
def test_what_may_be_looked_at_and_what_is_too_old(
    guarded, ticks, period, market, account, is_stale
):
    update_automation(automation=guarded.automation, every=period, by=guarded.user)
    read(guarded)
    now, ticker, held = utc_now(), feed.ticker("paper"), feed.holdings(guarded.account.id)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    feed.put_ticker("paper", replace(ticker, at=now - timedelta(seconds=market)))
    feed.put_holdings(guarded.account.id, replace(held, at=now - timedelta(seconds=account)))
    bounds = sensing.bounds_of_look(guarded.automation)
    view = reading.from_feed(guarded.automation)
    views = {guarded.automation.id: view}
    snapshot = sensing.from_views([guarded.automation], views, now=now)[guarded.automation.id]
    assert bounds.allow(snapshot) is not is_stale


def test_a_quiet_tick_writes_a_row_only_when_the_reason_changed(guarded, ticks):
    read(guarded)
    for slot in ("test:1", "test:2", "test:3"):
        evaluation.look([(ticks[0][0], slot)])
    assert Execution.objects.count() == 1
    assert Execution.objects.get().reason_code == reason_of(guarded) == "within_threshold"
    assert guarded.automation.checked_at


def guards_of(guarded, count):
    """That many guards of the one position."""
    owned = {"user": guarded.user, "account": guarded.account, "by": guarded.user}
    same = {**owned, "kind": "margin_guard", "config": guarded.automation.config}
    return [create_automation(**same, name=f"guard {number}") for number in range(count)]


@pytest.mark.parametrize("count", [1, 50])
def test_quiet_automations_cost_what_one_costs(guarded, django_assert_num_queries, count):
    guards = guards_of(guarded, count)
    read(guarded)
    evaluation.look([(str(guard.id), "test:1") for guard in guards])
    with django_assert_num_queries(15):
        evaluation.look([(str(guard.id), "test:2") for guard in guards])
    assert set(QuietSpan.objects.values_list("count", flat=True)) == {2}
    checked = Automation.objects.filter(pk__in=[guard.pk for guard in guards])
    assert {guard.checked_at > guard.updated_at for guard in checked} == {True}
    assert Execution.objects.count() == count


def test_one_that_cannot_be_recorded_leaves_the_others_alone(guarded, ticks, monkeypatch):
    broken, kind = guards_of(guarded, 1)[0], KINDS["margin_guard"]
    update_automation(automation=broken, config={**broken.config, "cool_down": 1}, by=broken.user)

    def decide(snapshot, config, memory):
        decision = kind.decide(snapshot, config, memory)
        no_text = Reason(decision.reason.code, "\x00")
        return replace(decision, reason=no_text) if config.cool_down else decision

    monkeypatch.setitem(KINDS, "margin_guard", replace(kind, decide=decide))
    read(guarded)
    evaluation.look([(str(broken.id), "test:1"), *ticks])
    broken.refresh_from_db()
    assert (broken.reason_code, reason_of(guarded)) == ("broken", "within_threshold")


def hindered(guarded):
    return Event.objects.filter(kind="automation_hindered", severity="critical")


def make_unaffordable(guarded):
    amount = 90_000_000
    action = {"amount": amount, "max_per_position": amount, "max_per_day": amount}
    config = {**guarded.automation.config}
    config["action"] = {**config["action"], **action}
    update_automation(automation=guarded.automation, config=config, by=guarded.user)


def test_what_keeps_a_guard_from_acting_is_told_once(guarded, ticks):
    make_unaffordable(guarded)
    guarded.fall()
    read(guarded)
    for slot in ("test:1", "test:2"):
        evaluation.look([(ticks[0][0], slot)])
    assert reason_of(guarded) == "balance_too_small"
    assert hindered(guarded).count() == 1


def test_each_position_that_is_not_protected_is_told(guarded, ticks):
    make_unaffordable(guarded)
    control, account = guarded.paper.control, guarded.paper_account.id
    second = control.open_trade(account, side="buy", leverage=9, quantity=10_000)
    for price, told in (("92400", 1), ("91700", 2), ("91600", 2)):
        guarded.fall(price)
        read(guarded)
        evaluation.look([(ticks[0][0], f"test:{price}")])
        assert hindered(guarded).count() == told
    assert second["id"] in hindered(guarded).latest("created_at").data["trade"]


def test_a_hindrance_first_seen_when_acting_is_told_too(guarded, ticks):
    make_unaffordable(guarded)
    guarded.fall()
    assert guarded.run().status == "completed"
    assert hindered(guarded).count() == 1
    read(guarded)
    evaluation.look([(ticks[0][0], "test:2")])
    assert hindered(guarded).count() == 1


def test_a_hindrance_that_was_gone_is_told_again(guarded, ticks):
    make_unaffordable(guarded)
    for price, told in (("92400", 1), ("99000", 1), ("92400", 2)):
        guarded.fall(price)
        read(guarded)
        evaluation.look([(ticks[0][0], f"test:{price}{told}")])
        assert hindered(guarded).count() == told


def test_a_market_the_exchange_itself_dates_long_ago_is_blind(guarded, ticks, monkeypatch):
    monkeypatch.setattr(reading, "CLOCKS_DIFFER_BY", timedelta(seconds=-1))
    evaluation.look_afresh(ticks)
    assert reason_of(guarded) == "blind"


def test_what_another_version_left_in_the_feed_is_read_anew(guarded, ticks):
    read(guarded)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(feed.holdings_key(guarded.account.id), b'1 1 {"value": "older"}')
    assert evaluation.look(ticks).stale == {guarded.account.id: ticks}


@pytest.fixture
def no_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    feed._redis.cache_clear()
    yield
    feed._redis.cache_clear()


def test_a_redis_that_is_away_hinders_nobody_who_acts(guarded, no_redis):
    guarded.fall()
    assert guarded.run().status == "success"
    assert guarded.effects() == ["add_margin"]


def test_an_exchange_that_cannot_be_read_makes_it_blind_and_says_so_once(guarded, ticks):
    guarded.paper.control.fault("cut_before", times=99)
    evaluation.look_afresh(ticks)
    evaluation.look_afresh(ticks)
    assert reason_of(guarded) == "blind"
    assert Event.objects.filter(kind="automation_blind").count() == 1
    assert Execution.objects.count() == 0


def test_a_deleted_paused_or_unknown_automation_is_passed_over(guarded, ticks):
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    looked = evaluation.look([*ticks, ("00000000-0000-0000-0000-000000000000", "test:1")])
    assert (looked.due, looked.stale) == ([], {})


def test_the_answer_to_an_action_enters_the_feed_at_once(guarded, ticks):
    guarded.fall()
    read(guarded)
    before = feed.holdings(guarded.account.id)
    guarded.run()
    held = feed.holdings(guarded.account.id)
    assert held.source == "answer"
    assert held.value.balance == before.value.balance - 50_000
    assert [trade.margin for trade in held.value.trades] == [guarded.margin()]
    guarded.paper.control.fault("cut_before", times=99)
    assert evaluation.look(ticks).due == []
    assert reason_of(guarded) == "within_threshold"


def test_a_close_makes_the_feed_forget_the_account(db, paper):
    guarded = guard_a_position(paper, action={"type": "close_position"})
    guarded.fall()
    guarded.run()
    assert feed.holdings(guarded.account.id) is None


def test_a_broken_automation_is_noted_and_the_others_are_looked_at(guarded, ticks):
    read(guarded)
    broken = create_automation(
        user=guarded.user,
        account=guarded.account,
        kind="margin_guard",
        name="broken",
        config=guarded.automation.config,
        by=guarded.user,
    )
    Automation.objects.filter(pk=broken.pk).update(config={"threshold": "from another version"})
    evaluation.look([(str(broken.id), "test:1"), *ticks])
    broken.refresh_from_db()
    assert broken.reason_code == "broken"
    assert reason_of(guarded) == "within_threshold"
    assert Event.objects.filter(kind="automation_broken", severity="critical").count() == 1


def test_an_answer_that_was_read_already_is_not_counted_twice(guarded):
    read(guarded)
    added = feed.holdings(guarded.account.id).value.trades[0]
    reading.enter_answer(guarded.account.id, AddMargin(added.id, 50_000), added)
    assert feed.holdings(guarded.account.id) is None
