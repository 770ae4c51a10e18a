"""What people have stopped: at once, for whom, until when, and who hears of it."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Event, User
from automations import restrictions
from automations.models import Restriction
from automations.services import create_automation
from tests.automations.conftest import ADD_MARGIN, guard_a_position

pytestmark = pytest.mark.django_db

ENTRY = {"side": "long", "quantity": 100, "leverage": 2}


@pytest.fixture
def operator(db):
    return User.objects.create_superuser("operator")


@pytest.fixture
def both(guarded):
    """A guard that protects, and on the same account an entry that opens."""
    entry = create_automation(
        user=guarded.user,
        account=guarded.account,
        kind="auto_entry",
        name="entry",
        config=ENTRY,
        by=guarded.user,
    )
    guarded.fall()
    return guarded, entry


def run_both(both, slot="tick:1"):
    guard, entry = both
    guard.run(slot)
    guard.automation = entry
    return guard.run(slot)


@pytest.mark.parametrize(
    ("what", "effects", "code"),
    [
        (None, ["add_margin", "new_trade"], "trigger_reached"),
        ("opening", ["add_margin"], "opening_stopped"),
        ("protection", [], "stopped"),
    ],
)
def test_what_a_stop_stops(both, operator, what, effects, code):
    if what:
        restrictions.impose(what, by=operator, reason="trouble")
    entered = run_both(both)
    assert both[0].effects() == effects
    assert entered.reason_code == code


@pytest.mark.parametrize(
    ("scope", "is_stopped"),
    [("everywhere", True), ("user", True), ("account", True), ("other user", False)],
)
def test_where_it_holds(guarded, operator, scope, is_stopped):
    scopes = {
        "everywhere": {},
        "user": {"user": guarded.user},
        "account": {"account": guarded.account},
        "other user": {"user": operator},
    }
    restrictions.impose("protection", by=operator, reason="trouble", **scopes[scope])
    guarded.fall()
    guarded.run()
    assert (guarded.effects() == []) == is_stopped


def test_one_users_stop_leaves_the_others_alone(guarded, paper):
    other = guard_a_position(paper, action=ADD_MARGIN, trader="other", cool_down=0)
    restrictions.impose("protection", by=guarded.user, reason="mine", user=guarded.user)
    guarded.fall()
    guarded.run()
    other.run()
    assert (guarded.effects(), other.effects()) == ([], ["add_margin"])


def test_lifted_it_goes_on(guarded, operator):
    stop = restrictions.impose("protection", by=operator, reason="trouble")
    guarded.fall()
    guarded.run("tick:1")
    assert restrictions.lift(stop, by=operator)
    assert not restrictions.lift(stop, by=operator)
    guarded.run("tick:2")
    assert guarded.effects() == ["add_margin"]
    stop.refresh_from_db()
    assert (stop.lifted_by, stop.lifted_at is None) == (operator, False)


def test_twice_is_once(guarded, operator):
    first = restrictions.impose("opening", by=operator, reason="one")
    again = restrictions.impose("opening", by=guarded.user, reason="two")
    assert (again.pk, again.reason) == (first.pk, "one")
    assert Event.objects.filter(kind="restriction").count() == 1


def test_the_owner_hears_of_it_and_of_its_end(guarded, operator):
    stop = restrictions.impose("opening", by=operator, reason="trouble", account=guarded.account)
    restrictions.lift(stop, by=operator)
    ended, begun = Event.objects.filter(kind="restriction")
    assert begun.message == "operator stopped all opening on main: trouble"
    assert "lifted" in ended.message
    assert {begun.user, ended.user} == {guarded.user}


def test_everybody_with_something_running_hears_of_a_stop_everywhere(guarded, operator):
    restrictions.impose("opening", by=operator, reason="trouble")
    assert Event.objects.get(kind="restriction").user == guarded.user


def test_it_has_one_scope(guarded, operator):
    with pytest.raises(IntegrityError, match="restriction_has_one_scope"), transaction.atomic():
        restrictions.impose(
            "opening", by=operator, reason="x", user=guarded.user, account=guarded.account
        )
    assert not Restriction.objects.exists()
