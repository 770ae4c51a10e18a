"""No sequence of outcomes, kills and restarts makes a guard spend more than its caps.

Judged by what an exchange in memory has executed, not by what the platform has counted.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from hypothesis import given, settings
from hypothesis import strategies as st

from automations import concluding, execution, intents, reading
from automations.models import Automation, Intent, Turn
from automations.rules.registry import KINDS
from automations.services import create_automation
from exchanges.errors import NotSent, Refused, TransientError, UnknownOutcome
from exchanges.types import AccountInfo, Capability
from tests.accounts.builders import a_user, an_account
from tests.builders import ticker, trade

pytestmark = pytest.mark.django_db(transaction=True)

AMOUNT, PER_POSITION, PER_DAY = 10_000, 20_000, 30_000
ACTION = {
    "type": "add_margin",
    "amount": AMOUNT,
    "max_per_position": PER_POSITION,
    "max_per_day": PER_DAY,
}


class Killed(BaseException):
    """The process is gone."""


FATES = {
    "done": (True, None),
    "rejected": (False, Refused("declined", code="declined")),
    "not sent": (False, NotSent("no connection")),
    "done, not answered": (True, UnknownOutcome("cut")),
    "lost, not answered": (False, UnknownOutcome("cut")),
    "killed before": (False, Killed()),
    "killed behind": (True, Killed()),
}
"""What becomes of an order: whether it is executed, and what its sender sees then."""


@dataclass
class Exchange:
    """Three losing positions, and what was added to them: by guard, trade and hour."""

    fates: Sequence[str] = ()
    freezes: bool = False
    hour: int = 0
    capabilities = frozenset({Capability.ISOLATED})
    ledger: list[tuple[UUID, str, int]] = field(default_factory=list)
    executed: set[UUID] = field(default_factory=set)

    def __post_init__(self):
        self.trades = [trade(trade_id=str(uuid4())) for _ in range(3)]
        self.isolated = self

    def account(self):
        return AccountInfo(id="1", username="u", balance=10_000_000, fee_tier=0)

    def running_trades(self):
        return self.trades

    def ticker(self):
        if self.freezes:
            self.freezes = False
            Turn.objects.update(until=Now())
            self.wake_behind()
        return ticker(92_400, at=reading.utc_now())

    def add_margin(self, trade_id, *, amount, signature):
        running = {found.id: found for found in self.trades}
        fate, *self.fates = [*self.fates, "done"] if trade_id in running else ["rejected"]
        is_executed, error = FATES[fate]
        if is_executed:
            intent = Intent.objects.get(state="sending", signed_at=signature.signed_at)
            self.ledger.append((intent.automation_id, trade_id, self.hour))
            self.executed.add(intent.id)
        if error:
            raise error
        return running[trade_id]


class Story:
    """Two guards on one account, and everything that happens to them."""

    def __init__(self):
        user = a_user(f"user-{uuid4()}")
        self.account = an_account(user, is_active=True)
        config = {"threshold": "0.5", "action": ACTION, "cool_down": 0}
        guard = {"user": user, "account": self.account, "kind": "margin_guard", "config": config}
        self.guards = [create_automation(**guard, name=name, by=user) for name in ("one", "two")]
        self.exchange = Exchange()

    def runs(self, guard, fates=()):
        self.exchange.fates = fates
        automation = Automation.objects.select_related("account__exchange", "account__user")
        found = automation.get(pk=self.guards[guard].pk)
        with suppress(TransientError, Killed):
            execution.execute(found, slot=f"tick:{uuid4()}", cause="tick")

    def freezes(self, guard):
        """A run loses its turn while it reads the market; another one acts meanwhile."""
        self.exchange.freezes, self.exchange.wake_behind = True, lambda: self.runs(guard)
        self.runs(guard)

    def settles(self):
        for intent in self.account.intents.filter(state="unknown"):
            if intent.id in self.exchange.executed:
                intents.settle_found(intent, Intent.State.CONFIRMED, self.exchange.trades[0])
            else:
                intents.settle_absent(intent)
            concluding.conclude(intent.execution)

    def restarts(self):
        connection.close()

    def waits(self, hours):
        self.exchange.hour += hours
        ago = timedelta(hours=hours)
        times = ("created_at", "signed_at", "deadline")
        self.account.intents.update(**{name: F(name) - ago for name in times})

    def closes(self):
        """A position is closed by hand."""
        self.exchange.trades = self.exchange.trades[:-1] or self.exchange.trades

    def spent(self, guard, *, on=None):
        """Sats the guard has added to a trade, or to any within 24 hours."""
        return AMOUNT * sum(
            by == guard.id and (trade_id == on if on else hour > self.exchange.hour - 24)
            for by, trade_id, hour in self.exchange.ledger
        )


GUARDS = st.sampled_from([0, 1])
RUNS = st.tuples(st.just("runs"), GUARDS, st.lists(st.sampled_from(list(FATES)), max_size=3))
FREEZES = st.tuples(st.just("freezes"), GUARDS)
WAITS = st.tuples(st.just("waits"), st.sampled_from([13, 25]))
OTHERS = st.sampled_from([("settles",), ("restarts",), ("closes",)])


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(RUNS | RUNS | WAITS | FREEZES | OTHERS, min_size=5, max_size=9))
def test_no_sequence_exceeds_a_cap(steps):
    story = Story()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "open_client", lambda account, **_: story.exchange)
        patch.setitem(KINDS, "margin_guard", replace(KINDS["margin_guard"], backoff=0))
        for step, *arguments in steps:
            getattr(story, step)(*arguments)
            for guard in story.guards:
                assert story.spent(guard) <= PER_DAY
                for position in {trade_id for _, trade_id, _ in story.exchange.ledger}:
                    assert story.spent(guard, on=position) <= PER_POSITION
