"""The judge finds what is wrong, and nothing else: hand-made cases, one fault each."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from axisor.up.site import ROOT
from tests.crash.evidence import Automation, Claim, Effect, Errand, Intent
from tests.crash.judge import RULES, Case, judge

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


INTENT = Intent(
    id="i1",
    automation="a1",
    slot="tick:1",
    leg=0,
    action="add_margin",
    trade="t1",
    amount=100,
    state="confirmed",
    planned_at=NOON,
    claims=(Claim(after(0.13), signed_at=after(0.1234567)),),
)
EFFECT = Effect(1, "add_margin", "t1", 100, at=after(0.2), signed_at=after(0.123))
GUARD = Automation("a1", per_position=200, per_day=300)


def case(
    *,
    effects=(EFFECT,),
    intents=(INTENT,),
    guard=GUARD,
    over=(),
    errands=(),
    slots=None,
) -> Case:
    return Case(
        list(effects),
        list(intents),
        {guard.id: guard},
        after(30),
        set(over),
        list(errands),
        slots,
        patience=timedelta(seconds=20),
    )


def again(seconds: float, **changes) -> tuple[Effect, Intent]:
    """A second intent of another slot, rightly executed."""
    effect = replace(EFFECT, seq=2, at=after(seconds + 0.1), signed_at=after(seconds))
    claim = Claim(after(seconds + 0.01), signed_at=after(seconds))
    intent = replace(INTENT, id="i2", slot="tick:2", planned_at=after(seconds), claims=(claim,))
    return replace(effect, **changes), intent


[CLAIM] = INTENT.claims
EARLIER = Claim(after(0.06), signed_at=after(0.05))
UNSENT = replace(INTENT, state="lapsed", claims=())
PUT_BACK = replace(INTENT, claims=(EARLIER, CLAIM))
CLOSE = replace(INTENT, action="close_position", amount=None, state="satisfied")
LATEST_EFFECT, LATEST = again(15)
WRONG_CLOCK = after(5)
BY_A_WRONG_CLOCK = replace(INTENT, claims=(replace(CLAIM, signed_at=WRONG_CLOCK),))
CLAIMED_LATE = replace(CLAIM, at=after(0.3))
COMMITTED_SLOWLY = replace(CLAIM, at=after(5))
SATISFIED = replace(INTENT, state="satisfied")


@pytest.mark.parametrize(
    "innocent",
    [
        case(),
        case(effects=[], intents=[UNSENT]),
        case(effects=[], intents=[replace(INTENT, state="lapsed")]),
        case(effects=[], intents=[CLOSE], over=["t1"]),
        case(effects=[], intents=[replace(INTENT, is_resolved=True)]),
        case(intents=[replace(INTENT, state="needs_operator")]),
        case(intents=[PUT_BACK]),
        case(effects=[EFFECT, again(1)[0]], intents=[INTENT, again(1)[1]]),
        case(slots={("a1", "tick:1")}),
        case(guard=replace(GUARD, deleted_at=after(5))),
        case(effects=[], intents=[replace(UNSENT, state="planned", planned_at=after(29))]),
        case(effects=[LATEST_EFFECT], intents=[replace(LATEST, state="sending")]),
        case(
            effects=[replace(EFFECT, signed_at=WRONG_CLOCK)],
            intents=[BY_A_WRONG_CLOCK],
            guard=replace(GUARD, deleted_at=after(2)),
        ),
        case(effects=[], intents=[replace(INTENT, state="lapsed", claims=(COMMITTED_SLOWLY,))]),
        case(guard=Automation("a1")),
    ],
    ids=[
        "an effect and its intent",
        "planned and never sent",
        "sent, and it never came",
        "satisfied by somebody else",
        "a person says it was done",
        "a person is asked",
        "put back and signed again, one effect",
        "two of two slots within the caps",
        "the slot was made",
        "deleted afterwards",
        "under way for a second",
        "done, and not yet known to be",
        "signed by a clock that is ahead",
        "signed in time, and frozen before the commit",
        "no caps to keep",
    ],
)
def test_nothing_is_wrong_with(innocent):
    assert judge(innocent) == []


SECOND = replace(EFFECT, seq=2)
THIRD_EFFECT, THIRD = again(2)


@pytest.mark.parametrize(
    ("rule", "guilty"),
    [
        ("written_before", case(intents=[])),
        ("written_before", case(intents=[replace(INTENT, amount=101)])),
        ("written_before", case(intents=[replace(INTENT, trade="t2")])),
        ("written_before", case(effects=[replace(EFFECT, signed_at=after(0.124))])),
        ("written_before", case(intents=[replace(INTENT, planned_at=after(0.3))])),
        (
            "written_before",
            case(intents=[replace(INTENT, claims=(CLAIMED_LATE,))]),
        ),
        (
            "written_before",
            case(intents=[replace(PUT_BACK, claims=(EARLIER, CLAIMED_LATE))]),
        ),
        ("once", case(effects=[EFFECT, SECOND])),
        (
            "once",
            case(
                effects=[replace(EFFECT, seq=2, signed_at=after(0.05)), EFFECT],
                intents=[PUT_BACK],
            ),
        ),
        (
            "once",
            case(
                effects=[EFFECT, again(1)[0]], intents=[INTENT, replace(again(1)[1], slot="tick:1")]
            ),
        ),
        ("not_lost", case(intents=[replace(INTENT, state="lapsed")])),
        ("not_lost", case(intents=[replace(INTENT, state="rejected")])),
        ("not_lost", case(intents=[replace(INTENT, state="planned")])),
        ("not_guessed", case(effects=[])),
        ("not_guessed", case(effects=[], intents=[CLOSE])),
        (
            "not_guessed",
            case(effects=[], intents=[SATISFIED], over=["t1"]),
        ),
        ("not_old", case(intents=[replace(INTENT, planned_at=after(-3))])),
        (
            "in_budget",
            case(
                effects=[EFFECT, again(1)[0], replace(THIRD_EFFECT, seq=3)],
                intents=[INTENT, again(1)[1], replace(THIRD, id="i3", slot="tick:3")],
            ),
        ),
        ("in_budget", case(guard=replace(GUARD, per_day=99))),
        ("not_deleted", case(guard=replace(GUARD, deleted_at=after(-1)))),
        ("slot_known", case(slots={("a1", "tick:2"), ("a2", "tick:1")})),
        ("not_stuck", case(effects=[], intents=[replace(INTENT, state="unknown")])),
        ("not_stuck", case(errands=[Errand("a1", "tick:1", NOON)])),
    ],
    ids=[
        "an effect that nobody meant",
        "an effect of another amount",
        "an effect on another trade",
        "an effect signed at another time",
        "an intent written after its effect",
        "an intent claimed after its effect",
        "an intent claimed again after its effect",
        "two effects of one signature",
        "two effects of two signatures",
        "two intents of one slot and leg",
        "lapsed, and it was done",
        "rejected, and it was done",
        "planned again, and it was done",
        "confirmed, and it was not done",
        "a close that is called satisfied, and the trade runs",
        "an addition that is called satisfied, which nobody can see",
        "an old wish",
        "more than the position's cap",
        "more than the day's cap",
        "signed after the deletion",
        "a slot of nobody's",
        "an intent unknown for long",
        "an errand that waits for long",
    ],
)
def test_it_finds(rule, guilty):
    assert rule in {violation.rule for violation in judge(guilty)}


def test_every_rule_is_tried():
    tried = {
        mark.args[1][i][0] for mark in test_it_finds.pytestmark for i in range(len(mark.args[1]))
    }
    assert tried == {rule.__name__ for rule in RULES}


def test_it_shares_no_code_with_the_platform():
    names = "axisor", "automations", "accounts", "exchanges", "django"
    program = f"import sys, tests.crash.judge; sys.exit(any(n in sys.modules for n in {names}))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_violation_names_the_automation_and_says_what_happened():
    [violation] = judge(case(effects=[EFFECT, SECOND], guard=replace(GUARD, per_day=None)))
    assert (violation.rule, violation.automation) == ("once", "a1")
    assert violation.text == "tick:1, leg 0: 2 effects"
