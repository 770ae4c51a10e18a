"""The watch: what the feed knows, through everything that goes wrong."""

from datetime import timedelta
from decimal import Decimal
from threading import Event

import pytest

from accounts.models import ExchangeAccount
from automations import evaluation, pausing
from automations.reading import utc_now
from automations.services import update_automation
from automations.watch import market
from automations.watch.account import AccountWatch
from automations.watch.watching import THREADS
from exchanges import feed
from exchanges.models import Exchange
from tests.automations.watch.conftest import Watching
from tests.exchanges.lnmarkets.clients import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def price():
    known = feed.ticker("paper")
    return known and known.value.last_price


def known_as(guarded, source):
    """Whether market and account are known and fresh, the market from that source."""
    seen = feed.seen("paper", guarded.account.id)
    return seen.ticker and seen.holdings and seen.ticker.source == source


def is_up():
    health = feed.health("paper")
    return health is not None and health.is_up


def test_ticks_look_without_asking_the_exchange(guarded, watching):
    eventually(lambda: known_as(guarded, "stream"))
    guarded.fall()
    eventually(lambda: price() == Decimal(92_400))
    looked = evaluation.look([(str(guarded.automation.id), "test:1")])
    assert (len(looked.due), looked.stale) == (1, {})


def test_what_happens_on_the_account_is_read_at_once(patient, guarded, watching):
    eventually(lambda: known_as(guarded, "stream") and is_up())
    control, account = guarded.paper.control, guarded.paper_account.id
    control.open_trade(account, side="sell", leverage=5, quantity=100)
    eventually(lambda: len(held(guarded)) == 2)
    control.close_trade(account, guarded.trade["id"])
    eventually(lambda: len(held(guarded)) == 1)


def held(guarded):
    known = feed.holdings(guarded.account.id)
    return known.value.trades if known else ()


def test_what_a_hand_does_silently_is_found(guarded, watching):
    eventually(lambda: held(guarded))
    control, trade = guarded.paper.control, guarded.trade
    control.add_margin(guarded.paper_account.id, trade["id"], amount=1_000)
    eventually(lambda: held(guarded) and held(guarded)[0].margin == trade["margin"] + 1_000)


def test_http_takes_over_and_the_stream_comes_back_by_itself(guarded, watching):
    eventually(lambda: known_as(guarded, "stream"))
    control = guarded.paper.control
    control.fault("stream_refuse")
    control.fault("stream_cut", times=10)
    eventually(lambda: not is_up())
    control.set_price(99_000)
    eventually(lambda: price() == 99_000 and known_as(guarded, "rest"))
    control.clear_faults()
    eventually(is_up)
    eventually(lambda: known_as(guarded, "stream"))


def test_a_stream_that_went_deaf_is_made_anew(guarded, watching, monkeypatch):
    monkeypatch.setattr(market, "DEAF_AFTER", market.ASK_EVERY)
    eventually(lambda: known_as(guarded, "stream"))
    up_since = feed.health("paper").since
    guarded.paper.control.fault("stream_silent")
    guarded.paper.control.set_price(98_000)
    eventually(lambda: price() == 98_000 and known_as(guarded, "rest"))
    eventually(lambda: not is_up())
    guarded.paper.control.clear_faults()
    eventually(lambda: is_up() and feed.health("paper").since > up_since)
    eventually(lambda: known_as(guarded, "stream"))


def test_a_redis_that_was_emptied_is_filled_at_once(patient, guarded, watching, broker):
    eventually(lambda: known_as(guarded, "stream"))
    broker.flushdb()
    eventually(lambda: known_as(guarded, "stream"))


def test_a_dead_watchs_share_is_taken_over(guarded, watching):
    second = Watching()
    eventually(lambda: len(second.watch._members._known) == 2)
    eventually(lambda: len(watching.accounts | second.accounts) == 1)
    eventually(lambda: not watching.accounts & second.accounts)
    has_it, other = (
        (watching, second) if watching.accounts else (second, watching)
    )  # fmt: skip
    has_it.watch._members.leave = lambda: None
    has_it.stop()
    eventually(lambda: other.accounts == {guarded.account.id})
    second.stop()


def test_what_is_not_active_is_not_watched(guarded, watching):
    """One that guards nothing: what loses its guard is watched on."""
    eventually(lambda: watching.accounts)
    update_automation(automation=guarded.automation, mode="shadow", by=guarded.user)
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    eventually(lambda: not watching.accounts and not watching.watch._markets)


def test_an_announcement_is_kept(guarded, watching):
    eventually(is_up)
    guarded.paper.control.announce("Maintenance", "The engine rests at noon")
    eventually(lambda: Exchange.objects.get(slug="paper").announcement)
    exchange = Exchange.objects.get(slug="paper")
    assert "Maintenance The engine rests at noon" in exchange.announcement
    assert exchange.announced_at <= utc_now()


def seconds(number):
    return timedelta(seconds=number)


def test_a_key_is_asked_with_once_a_second_at_most(guarded):
    watch, now = AccountWatch(guarded.account, wake=lambda: None), utc_now()
    assert watch.takes_turn(None, now)
    assert not watch.takes_turn(None, now + seconds(9)), "it is being read"
    watch.read()
    assert not watch.takes_turn(None, now + seconds(0.9))
    assert watch.takes_turn(None, now + seconds(1))


@pytest.mark.parametrize(("age", "is_due"), [(4.9, False), (5.1, True)])
def test_an_account_is_read_every_five_seconds(guarded, age, is_due):
    watch, now = AccountWatch(guarded.account, wake=lambda: None), utc_now()
    assert watch.takes_turn(now - seconds(age), now) is is_due


def test_an_account_that_cannot_be_read_is_asked_ever_more_rarely(guarded):
    guarded.paper.control.fault("cut_before", times=9)
    watch, pauses = AccountWatch(guarded.account, wake=lambda: None), []
    for _ in range(5):
        watch.takes_turn(None, watch._not_before)
        begun = utc_now()
        watch.read()
        pauses.append(round((watch._not_before - begun).total_seconds()))
    assert pauses == [2, 4, 8, 8, 8]


def test_an_account_is_well_again_once_the_watch_can_read_it(guarded, watching):
    eventually(lambda: watching.accounts)
    ExchangeAccount.objects.update(state="unreachable")
    eventually(lambda: ExchangeAccount.objects.get().state == "ok")


def test_the_market_does_not_queue_behind_accounts(guarded, watching):
    eventually(lambda: watching.accounts and price())
    hang = Event()
    for _ in range(THREADS + 1):
        watching.watch._submit(f"accounts of {guarded.account.exchange_id}", hang.wait)
    guarded.paper.control.fault("stream_silent")
    guarded.paper.control.set_price(98_000)
    try:
        eventually(lambda: price() == 98_000)
    finally:
        hang.set()
