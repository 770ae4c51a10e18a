"""Several automations on one account and position: in order, each on what the one before left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Event
from automations import errands, evaluation, proposals, reading, restrictions
from automations.execution import drain, execute
from automations.models import (
    AccountLimits,
    Automation,
    Execution,
    Intent,
    Proposal,
    QuietSpan,
    Restriction,
    Turn,
)
from automations.rules.registry import KINDS
from automations.services import create_automation, update_automation
from exchanges.errors import TransientError
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.automations.striking import strike

pytestmark = pytest.mark.django_db

ENTRY = {"side": "long", "quantity": 500, "leverage": "10", "times": 5, "cool_down": 0}
CLOSING = {"action": {"type": "close_sl", "trigger": "-50"}}


def another(guarded, kind, config, *, name="another", mode="live"):
    """The same account with one more automation."""
    automation = create_automation(
        user=guarded.user,
        account=guarded.account,
        kind=kind,
        name=name,
        config=config,
        mode=mode,
        by=guarded.user,
    )
    return replace(guarded, automation=automation)


def accept(guarded, slot="tick:1"):
    errands.accept(guarded.automation, slot=slot, cause="tick")


def in_order():
    """The kinds that ran, as they ran, and why."""
    rows = Execution.objects.order_by("started_at")
    return [(row.automation.kind, row.reason_code) for row in rows]


def impose(guarded, what):
    return restrictions.impose(what, by=guarded.user, reason="test", account=guarded.account)


def test_protect_then_exit_then_the_rest_each_on_a_fresh_reading(guarded):
    entry = another(guarded, "auto_entry", ENTRY)
    exits = another(guarded, "tp_sl", CLOSING)
    guarded.fall()
    for each in (entry, exits, guarded):
        accept(each)
    drain(guarded.account)
    assert guarded.effects() == ["add_margin", "close", "new_trade"]
    assert in_order() == [
        ("margin_guard", "threshold_reached"),
        ("tp_sl", "trigger_reached"),
        ("auto_entry", "trigger_reached"),
    ]


def test_a_close_by_one_is_seen_by_the_others(db, paper):
    guarded = guard_a_position(paper, action={"type": "close_position"})
    exits = another(guarded, "tp_sl", CLOSING)
    guarded.fall()
    for each in (exits, guarded):
        accept(each)
    drain(guarded.account)
    assert guarded.effects() == ["close"]
    assert in_order()[1] == ("tp_sl", "no_positions")


def test_what_protects_goes_ahead_of_what_waits_already(guarded):
    entries = [another(guarded, "auto_entry", ENTRY, name=f"entry {n}") for n in range(2)]
    guarded.fall()
    for each in entries:
        accept(each)
    with strike("settled", lambda: accept(guarded)):
        drain(guarded.account)
    assert guarded.effects() == ["new_trade", "add_margin", "new_trade"]


class TestStops:
    """A person stops something: from the moment it is committed."""

    @pytest.mark.parametrize("place", ["accepted", "planned"])
    def test_opening_is_stopped_also_between_plan_and_claim(self, guarded, place):
        entry = another(guarded, "auto_entry", ENTRY)
        with strike(place, lambda: impose(entry, Restriction.What.OPENING)):
            execution = entry.run()
        assert entry.effects() == []
        assert execution.reason_code == (
            "opening_stopped" if place == "accepted" else "trigger_reached"
        )
        assert execution.status == ("completed" if place == "accepted" else "error")

    @pytest.mark.parametrize(
        ("what", "effects"),
        [(Restriction.What.OPENING, ["add_margin"]), (Restriction.What.PROTECTION, [])],
    )
    def test_protection_is_stopped_by_its_own_switch_only(self, guarded, what, effects):
        impose(guarded, what)
        guarded.fall()
        guarded.run()
        assert guarded.effects() == effects

    def test_lifted_it_goes_on(self, guarded):
        entry = another(guarded, "auto_entry", ENTRY)
        stop = impose(entry, Restriction.What.OPENING)
        entry.run("tick:1")
        restrictions.lift(stop, by=guarded.user)
        entry.run("tick:2")
        assert entry.effects() == ["new_trade"]

    def test_what_is_held_back_writes_no_row_per_tick(self, guarded):
        entry = another(guarded, "auto_entry", ENTRY)
        impose(entry, Restriction.What.OPENING)
        entry.run("tick:0")
        for slot in range(1, 4):
            looked = evaluation.look([(str(entry.automation.id), f"test:{slot}")])
            assert (looked.due, looked.stale) == ([], {})
        assert Execution.objects.filter(automation=entry.automation).count() == 2
        assert QuietSpan.objects.get().count == 3


class TestProposals:
    """With a person's yes only."""

    @pytest.fixture
    def asking(self, guarded):
        update_automation(
            automation=guarded.automation, mode=Automation.Mode.CONFIRM, by=guarded.user
        )
        guarded.fall()
        return guarded

    def propose(self, asking):
        """A run that asks writes no execution."""
        accept(asking)
        drain(asking.account)
        return Proposal.objects.get()

    def test_nothing_is_sent_before_it(self, asking):
        proposal = self.propose(asking)
        assert (proposal.state, asking.effects()) == ("open", [])
        assert Event.objects.filter(kind="confirmation_wanted").count() == 1

    def test_while_it_is_awaited_ticks_are_quiet(self, asking):
        self.propose(asking)
        looked = evaluation.look([(str(asking.automation.id), "test:2")])
        assert (looked.due, looked.stale) == ([], {})
        asking.automation.refresh_from_db()
        assert asking.automation.reason_code == "confirmation_wanted"

    def test_after_it_the_same_is_done_once(self, asking):
        slot = proposals.confirm(self.propose(asking), by=asking.user)
        drain(asking.account)
        drain(asking.account)
        execution = asking.execution(slot)
        assert (execution.status, execution.requested_by) == ("success", asking.user)
        assert asking.effects() == ["add_margin"]

    def test_prices_are_looked_at_again(self, asking):
        slot = proposals.confirm(self.propose(asking), by=asking.user)
        asking.fall("99000")
        drain(asking.account)
        assert asking.execution(slot).reason_code == "within_threshold"
        assert asking.effects() == []

    def test_manual_mode_makes_all_of_them_ask(self, guarded):
        impose(guarded, Restriction.What.UNCONFIRMED)
        guarded.fall()
        assert self.propose(guarded).state == "open"
        assert guarded.effects() == []


class TestShadow:
    """On paper: decided and recorded, never sent, and counted all the same."""

    def test_its_cool_down_and_count_go_on(self, guarded):
        shadow = another(guarded, "auto_entry", {**ENTRY, "times": 2}, mode="shadow")
        codes = [shadow.run(f"tick:{slot}").reason_code for slot in range(3)]
        assert codes == ["trigger_reached", "trigger_reached", "entries_done"]
        assert shadow.effects() == []
        assert set(Intent.objects.values_list("state", flat=True)) == {"shadow"}

    def test_its_cool_down(self, db, paper):
        guarded = guard_a_position(paper, action=ADD_MARGIN, cool_down=600)
        update_automation(
            automation=guarded.automation, mode=Automation.Mode.SHADOW, by=guarded.user
        )
        guarded.fall()
        codes = [guarded.run(f"tick:{slot}").reason_code for slot in range(2)]
        assert codes == ["threshold_reached", "cooling_down"]
        assert guarded.effects() == []

    def test_live_again_it_starts_afresh(self, guarded):
        entry = another(guarded, "auto_entry", {**ENTRY, "times": 1}, mode="shadow")
        entry.run("tick:1")
        update_automation(automation=entry.automation, mode=Automation.Mode.LIVE, by=entry.user)
        codes = [entry.run(f"tick:{slot}").reason_code for slot in (2, 3)]
        assert codes == ["trigger_reached", "entries_done"]
        assert entry.effects() == ["new_trade"]

    def test_it_uses_up_nobodys_limits_and_asks_nobody(self, guarded):
        AccountLimits.objects.create(account=guarded.account, orders_per_day=1)
        impose(guarded, Restriction.What.UNCONFIRMED)
        shadow = another(guarded, "auto_entry", ENTRY, mode="shadow")
        for slot in range(2):
            assert shadow.run(f"tick:{slot}").reason_code == "trigger_reached"
        assert Proposal.objects.count() == 0


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"orders_per_day": 1}, "account_orders_per_day"),
        ({"sats_per_day": 99_999}, "account_sats_per_day"),
        ({"exposure": 10_999}, "account_exposure"),
    ],
)
def test_what_one_used_is_missing_to_the_other(guarded, limits, code):
    AccountLimits.objects.create(account=guarded.account, **limits)
    one, two = (another(guarded, "auto_entry", ENTRY, name=name) for name in ("one", "two"))
    assert one.run().reason_code == "trigger_reached"
    assert two.run().reason_code == code
    assert guarded.effects() == ["new_trade"]


def test_an_order_that_nobody_has_seen_yet_counts_as_exposure(guarded):
    AccountLimits.objects.create(account=guarded.account, exposure=10_999)
    one, two = (another(guarded, "auto_entry", ENTRY, name=name) for name in ("one", "two"))
    guarded.paper.control.fault("cut_before", path="/v3/futures/isolated/trade")
    one.run()
    assert two.run().reason_code == "account_exposure"


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_race_stay_within_the_accounts_limit(guarded):
    AccountLimits.objects.create(account=guarded.account, orders_per_day=3)
    entries = [another(guarded, "auto_entry", ENTRY, name=f"entry {n}") for n in range(6)]
    together = threading.Barrier(len(entries))

    def run(entry):
        together.wait()
        try:
            execute(entry.automation, slot="tick:1", cause="tick")
        except TransientError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(len(entries)) as pool:
        list(pool.map(run, entries))
    drain(guarded.account)
    assert guarded.effects() == ["new_trade"] * 3
    assert Intent.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_each_counts_what_it_finds_when_it_loses_its_turn(guarded, monkeypatch):
    """A run whose turn another one takes while it reads the market plans nothing."""
    monkeypatch.setitem(KINDS, "auto_entry", replace(KINDS["auto_entry"], backoff=0))
    AccountLimits.objects.create(account=guarded.account, orders_per_day=1)
    one, two = (another(guarded, "auto_entry", ENTRY, name=name) for name in ("one", "two"))
    read, interferes = reading.from_exchange, [lambda: take_the_turn(two)]

    def slowly(*args):
        view = read(*args)
        while interferes:
            interferes.pop()()
        return view

    monkeypatch.setattr(reading, "from_exchange", slowly)
    accept(one)
    drain(guarded.account)
    drain(guarded.account)
    assert guarded.effects() == ["new_trade"]


def take_the_turn(guarded):
    Turn.objects.update(until=timezone.now())
    execute(guarded.automation, slot="tick:1", cause="tick")
