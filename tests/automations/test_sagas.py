"""Reducing an isolated trade: closed, and what stays is opened again, whatever comes between."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.gateway import open_client
from accounts.services import activate_account, connect_account
from automations import pausing, restrictions
from automations.execution import execute
from automations.models import Automation, Errand, Intent, Restriction, TradeLog
from automations.reading import utc_now
from automations.rules.registry import KINDS
from automations.services import create_automation, update_automation
from exchanges import deadline
from exchanges.client import Signature
from exchanges.errors import TransientError
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.automations.halving import BOTH, HALVE, past_the_window, recover_all, states, told
from tests.automations.striking import Killed, kill, strike

pytestmark = pytest.mark.django_db

CLOSE = "/v3/futures/isolated/trade/close"
NEW = "/v3/futures/isolated/trade"


@pytest.fixture
def halved(db, paper):
    """A guard that halves the position."""
    return guard_a_position(paper, action=HALVE, cool_down=0)


def running(guarded):
    return guarded.paper.control.account(guarded.paper_account.id)["trades"]


def close_by_hand(guarded):
    guarded.paper.control.close_trade(guarded.paper_account.id, guarded.trade["id"])


def test_half_of_it_is_left_as_it_was(db, paper):
    guarded = guard_a_position(paper, action=HALVE)
    trade_id = guarded.trade["id"]
    fields = {"stop_loss": Decimal(91_500), "take_profit": Decimal(120_000)}
    for name, price in fields.items():
        act(guarded, f"set_{name}", trade_id, price=price)
    guarded.fall()

    execution = guarded.run()

    assert guarded.effects()[2:] == BOTH
    [left] = running(guarded)
    assert left["quantity"] == 5_000
    assert (left["stoploss"], left["takeprofit"]) == (91_500, 120_000)
    assert left["side"] == "buy"
    assert (execution.status, execution.trade_id) == ("success", trade_id)
    assert Intent.objects.get(leg=1).became == left["id"]
    assert list(TradeLog.objects.order_by("id").values_list("action", "outcome")) == [
        ("close_position", "confirmed"),
        ("reopen_position", "confirmed"),
    ]


def act(guarded, name, *args, **options):
    """A person acts by the API."""
    signature = Signature(utc_now(), utc_now() + timedelta(seconds=5))
    getattr(open_client(guarded.account).isolated, name)(*args, **options, signature=signature)


def test_a_close_that_is_refused_is_all(halved):
    halved.fall()
    with strike("claimed", lambda: close_by_hand(halved)):
        execution = halved.run()
    assert (halved.effects(), states()) == ([], ["rejected", "lapsed"])
    assert execution.status == "error"
    assert told("closed_only") == 0


class TestCloseUnknown:
    """The answer to the close is lost."""

    def test_found_as_asked_the_rest_is_opened_again(self, halved):
        halved.fall()
        halved.paper.control.fault("cut_after", path=CLOSE)
        assert halved.run().status == "pending"
        assert states() == ["unknown", "planned"]
        execution = recover_all(halved)
        assert (halved.effects(), states()) == (BOTH, ["satisfied", "confirmed"])
        assert execution.status == "success"
        assert [trade["quantity"] for trade in running(halved)] == [5_000]

    @pytest.mark.parametrize(
        "end",
        [
            lambda guarded: guarded.fall("90000"),
            lambda guarded: (past_the_window(), close_by_hand(guarded)),
        ],
        ids=["liquidated", "closed by a person, later"],
    )
    def test_ended_otherwise_nothing_is_opened(self, halved, end):
        halved.fall()
        halved.paper.control.fault("cut_before", path=CLOSE)
        halved.run()
        end(halved)
        execution = recover_all(halved)
        assert (halved.effects(), states()) == ([], ["satisfied", "lapsed"])
        assert execution.status == "error"
        assert told("closed_only") == 1
        assert "not opened again" in execution.error

    def test_not_there_and_cannot_come_it_is_given_up(self, halved):
        halved.fall()
        halved.paper.control.fault("cut_before", path=CLOSE)
        halved.run()
        recover_all(halved, late=True)
        assert (halved.effects(), states()) == ([], ["lapsed", "lapsed"])
        assert told("closed_only") == 0
        assert halved.run("tick:2").status == "success"
        assert halved.effects() == BOTH

    def test_found_too_late_nothing_is_opened(self, halved):
        halved.fall()
        halved.paper.control.fault("cut_after", path=CLOSE)
        halved.run()
        Intent.objects.filter(leg=1).update(deadline=Intent.objects.get(leg=0).created_at)
        recover_all(halved)
        assert (halved.effects(), states()) == (["close"], ["satisfied", "lapsed"])
        assert told("closed_only") == 1


def impose(guarded, what):
    restrictions.impose(what, by=guarded.user, reason="test", account=guarded.account)


def switch(guarded):
    credentials = guarded.paper.control.create_account(balance=1).credentials
    other = connect_account(user=guarded.user, exchange=guarded.account.exchange, name="other",
                            credentials=credentials, by=guarded.user)  # fmt: skip
    activate_account(account=other, by=other.user)


def pause(guarded):
    pausing.pause(guarded.automation, by=guarded.user, reason="test")


@pytest.mark.parametrize(
    ("happens", "is_opened"),
    [
        (lambda guarded: guarded.fall("92862"), True),
        (lambda guarded: guarded.fall("92862.5"), False),
        (lambda guarded: guarded.fall("91000"), True),
        (lambda guarded: impose(guarded, Restriction.What.OPENING), True),
        (lambda guarded: impose(guarded, Restriction.What.PROTECTION), False),
        (switch, True),
        (pause, True),
    ],
    ids=[
        "the price is just not worse", "the price is worse", "the price is better",
        "opening is stopped", "all is stopped", "the account is switched", "it is paused",
    ],
)  # fmt: skip
def test_between_close_and_reopening(halved, happens, is_opened):
    halved.fall()
    with strike("settled", lambda: happens(halved)):
        execution = halved.run()
    assert halved.effects() == (BOTH if is_opened else ["close"])
    assert states() == ["confirmed", "confirmed" if is_opened else "lapsed"]
    assert execution.status == ("success" if is_opened else "error")
    assert told("closed_only") == (not is_opened)


def spend(guarded):
    """Put what is free into another trade."""
    free = guarded.paper.control.account(guarded.paper_account.id)["balance"]
    margin = free - 40_000
    guarded.paper.control.open_trade(
        guarded.paper_account.id, side="buy", leverage=1, margin=margin
    )


def test_a_reopening_that_is_refused_is_told(halved):
    halved.fall()
    with strike("settled", lambda: spend(halved)):
        execution = halved.run()
    assert (halved.effects(), states()) == (["close"], ["confirmed", "rejected"])
    assert execution.status == "error"
    assert told("closed_only") == 1


@pytest.mark.parametrize(
    ("fault", "effects", "state"),
    [("cut_after", BOTH, "confirmed"), ("cut_before", ["close"], "lapsed")],
)
def test_a_reopening_of_unknown_outcome_is_looked_for(halved, fault, effects, state):
    halved.fall()
    halved.paper.control.fault(fault, path=NEW)
    assert halved.run().status == "pending"
    execution = recover_all(halved, late=state == "lapsed")
    assert (halved.effects(), states()) == (effects, ["confirmed", state])
    assert execution.status == ("success" if state == "confirmed" else "error")
    assert told("closed_only") == (state == "lapsed")


SENT = ("sent", "answered")
BEFORE = ("claimed", "signed", "leaving")


@pytest.mark.parametrize(
    ("place", "time", "effects"),
    [
        ("accepted", 1, BOTH),
        ("planned", 1, BOTH),
        *((place, 1, []) for place in BEFORE),
        *((place, 1, BOTH) for place in (*SENT, "settled")),
        *((place, 2, ["close"]) for place in BEFORE),
        *((place, 2, BOTH) for place in (*SENT, "settled")),
    ],
)
def test_killed_on_the_way(halved, place, time, effects):
    halved.fall()
    with strike(place, kill, time=time), suppress(Killed):
        halved.run()
    execution = recover_all(halved, late=not set(BOTH) <= set(effects))
    assert halved.effects() == effects
    assert Errand.objects.count() == 0
    assert execution.status == ("success" if effects == BOTH else "error")
    assert told("closed_only") == (effects == ["close"])


def test_a_market_that_cannot_be_asked_between_is_asked_again(halved, monkeypatch):
    monkeypatch.setitem(KINDS, "margin_guard", replace(KINDS["margin_guard"], backoff=0))
    halved.fall()
    fault = {"kind": "cut_before", "path": "/v3/futures/ticker"}
    with (
        strike("settled", lambda: halved.paper.control.fault(**fault)),
        pytest.raises(TransientError),
    ):
        halved.run()
    assert (halved.effects(), states()) == (["close"], ["confirmed", "planned"])
    assert recover_all(halved).status == "success"
    assert halved.effects() == BOTH


class TestLineage:
    """Cool-downs and caps follow the position to the trade that runs in its stead."""

    def test_its_cool_down(self, db, paper):
        guarded = guard_a_position(paper, action=HALVE, cool_down=600)
        for price, slot in (("92400", "tick:1"), ("91600", "tick:2")):
            guarded.fall(price)
            last = guarded.run(slot)
        assert last.reason_code in ("cooling_down", "within_threshold")
        guarded.fall(just_used_up(running(guarded)[0]))
        assert guarded.run("tick:3").reason_code == "cooling_down"
        assert guarded.effects() == BOTH

    def test_its_caps(self, db, paper):
        adding = guard_a_position(
            paper, action={**ADD_MARGIN, "max_per_position": 50_000}, cool_down=0
        )
        adding.fall()
        adding.run("tick:1")
        halving = replace(adding, automation=halve(adding))
        adding.fall("91700")
        halving.run("tick:2")
        assert adding.effects() == ["add_margin", *BOTH]
        [heir] = running(adding)
        adding.fall(just_used_up(heir))
        assert adding.run("tick:3").reason_code == "cap_per_position"


def halve(guarded) -> Automation:
    return create_automation(
        user=guarded.user, account=guarded.account, kind="margin_guard", name="halves",
        config={"threshold": "0.8", "action": HALVE}, by=guarded.user,
    )  # fmt: skip


def just_used_up(trade) -> str:
    """A price a little above the liquidation of a long."""
    liquidation, entry = (Decimal(str(trade[name])) for name in ("liquidation", "price"))
    return str(int(liquidation + (entry - liquidation) / 20))


def test_on_paper_both_steps_are_shadows(halved):
    update_automation(automation=halved.automation, mode=Automation.Mode.SHADOW, by=halved.user)
    halved.fall()
    execution = halved.run()
    assert (halved.effects(), states()) == ([], ["shadow", "shadow"])
    assert execution.status == "completed"


def test_an_execution_that_came_again_does_nothing(halved):
    halved.fall()
    halved.run()
    execute(halved.automation, slot="tick:1", cause="tick")
    assert halved.effects() == BOTH


def test_a_run_whose_time_is_over_between_the_steps_is_seen_through(halved):
    """The limit is the run's; what was closed has a limit of its own to be opened again."""
    halved.fall()
    with strike("settled", lambda: deadline._ends_at.set(0.0)):
        execute(halved.automation, slot="tick:1", cause="tick")
    assert (halved.effects(), states()) == (["close"], ["confirmed", "planned"])
    execution = recover_all(halved)
    assert (halved.effects(), execution.status) == (BOTH, "success")
    assert told("closed_only") == 0
