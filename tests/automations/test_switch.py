"""Switching the account under load, with real processes: nothing on the wrong account."""

import os
import time

import pytest
import redis
from django.conf import settings

from accounts.models import ExchangeAccount
from accounts.services import activate_account, connect_account
from automations.models import Execution, QuietSpan
from automations.services import create_automation
from automations.timetable import entries
from tests.automations.conftest import guard_a_position
from tests.forking import KILLED, forked, killed_at
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

STARTED_SECONDS = 30
IN_FORCE_SECONDS = 5
ON_ITS_WAY_SECONDS = 1.5
"""An order that was claimed before a switch may still arrive, and a decision is on its way."""

ONE_SAT = {"type": "add_margin", "amount": 1, "max_per_position": 100_000, "max_per_day": 100_000}
SWITCHES = int(os.environ.get("SWITCHES", "40"))
MOST_SWITCHES, LOOKS = 600, 8
"""It goes on until each guard was looked at so often, which on a quiet machine is at once."""

EVERY_SECONDS = 0.3
"""As often as 200 times in a minute."""

PROGRAMS = ("beat", "sweep", "watch", "worker-evaluate", "worker-refresh", "worker-critical")


@pytest.fixture(autouse=True)
def empty_redis():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


class Two:
    """A user with two accounts, each with a position in danger and a guard that adds a sat to it
    every second, for ever."""

    def __init__(self, paper):
        first = guard_a_position(paper, action=ONE_SAT, cool_down=0, every=1)
        self.paper, self.user = paper, first.user
        other = paper.control.create_account(balance=10_000_000)
        paper.control.open_trade(other.id, side="buy", leverage=10, quantity=10_000)
        account = connect_account(
            user=first.user,
            exchange=first.account.exchange,
            name="other",
            credentials=other.credentials,
            by=first.user,
        )
        guard = create_automation(
            user=first.user,
            account=account,
            kind="margin_guard",
            name="guard of the other",
            config={"threshold": "0.8", "action": ONE_SAT, "cool_down": 0},
            every=1,
            by=first.user,
        )
        self.guards = {first.account.id: first.automation, account.id: guard}
        self.remote = {first.account.id: first.paper_account.id, account.id: other.id}
        first.fall()

    def active(self):
        return ExchangeAccount.objects.get(user=self.user, is_active=True)

    def inactive(self):
        return ExchangeAccount.objects.get(user=self.user, is_active=False)

    def effects(self, account):
        remote = self.remote[account.id]
        ledger = self.paper.control.ledger()
        return sum(entry["account"] == remote and entry["by"] == "api" for entry in ledger)

    def scheduled(self):
        guard = self.guards[self.active().id]
        return {f"{self.user.pk}-{guard.account_id}-{guard.id}"}


@pytest.fixture
def two(transactional_db, paper):
    return Two(paper)


def acts_on_the_active_one_alone(two):
    """From now on: the active account is acted on, the other one no more."""
    active, inactive = two.active(), two.inactive()
    time.sleep(ON_ITS_WAY_SECONDS)
    before, left = two.effects(active), two.effects(inactive)
    await_that(lambda: two.effects(active) > before, STARTED_SECONDS)
    return two.effects(inactive) == left


def test_a_switch_that_is_killed_anywhere_is_whole_or_was_none(two, start_program):
    for program in PROGRAMS:
        start_program(program)
    assert acts_on_the_active_one_alone(two)
    outcomes, step = set(), 0
    while True:
        active, target = two.active(), two.inactive()

        def switch(target=target, step=step):
            with killed_at(step):
                activate_account(account=target, by=target.user)

        ended = forked(switch)
        died_at = time.monotonic()
        is_switched = two.active() == target
        assert two.active() in (active, target)
        await_that(lambda: entries.names() == two.scheduled(), IN_FORCE_SECONDS)
        assert time.monotonic() - died_at < IN_FORCE_SECONDS
        if (ended, is_switched) not in outcomes:
            assert acts_on_the_active_one_alone(two)
        outcomes.add((ended, is_switched))
        if ended == 0:
            break
        assert ended == KILLED
        step += 1
    assert outcomes == {(KILLED, False), (KILLED, True), (0, True)}


def test_switching_back_and_forth_neither_starves_nor_doubles_anything(two, start_program):
    for program in PROGRAMS:
        start_program(program)
    assert acts_on_the_active_one_alone(two)
    before = {guard.id: looks(guard) for guard in two.guards.values()}
    began, switches = time.monotonic(), 0
    while switches < SWITCHES or not all(
        looks(guard) >= before[guard.id] + LOOKS for guard in two.guards.values()
    ):
        assert switches < MOST_SWITCHES
        time.sleep(max(0, began + switches * EVERY_SECONDS - time.monotonic()))
        account = two.inactive()
        activate_account(account=account, by=account.user)
        switches += 1
    slots = time.monotonic() - began
    for guard in two.guards.values():
        looked = looks(guard) - before[guard.id]
        print(f"{switches} switches, {slots:.0f} slots, {looked} looked at")  # noqa: T201
        assert looked <= slots + 2
        assert_each_slot_once(guard)
    await_that(lambda: entries.names() == two.scheduled(), IN_FORCE_SECONDS)
    assert acts_on_the_active_one_alone(two)


def looks(guard):
    quiet = sum(QuietSpan.objects.filter(automation=guard).values_list("count", flat=True))
    return quiet + Execution.objects.filter(automation=guard).count()


def assert_each_slot_once(guard):
    sent = guard.intents.exclude(signed_at=None).values_list("slot", flat=True)
    assert len(sent) == len(set(sent))
    assert guard.intents.filter(state="confirmed").exists()
