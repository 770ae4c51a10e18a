"""Ten bugs, each put into a running platform from outside, to see whether the judge finds it.

Protections overlap here: an intent that lost its fence is still stopped by its state, its
deadline and the exchange's window. So each bug takes away the protection it is named for and, as
said at each, what would cover for it; with less the judge would have nothing to find.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from typing import Any

UNIQUE_SLOTS = (
    ("automations_execution", "execution_once_per_slot"),
    ("automations_errand", "errand_once_per_slot"),
    ("automations_intent", "intent_once_per_leg"),
)


@dataclass(frozen=True, slots=True)
class Plant:
    """A bug: what it does to the code, and the database's constraints that it has to do without.

    `dropped` are pairs of table and name, unique keys and checks alike.
    """

    put_in: Callable[[], None]
    dropped: tuple[tuple[str, str], ...] = ()


def switch_on(name: str) -> None:
    """Put the bug called `name` into this process; none for the empty name."""
    if name:
        PLANTS[name].put_in()


def _no_unique_key() -> None:
    """A message that comes again makes a new errand, also when its slot was executed.

    That a later tick overtakes it would cover for that, so it does not count.
    """
    from automations import errands
    from automations.models import Errand

    def accept(automation: Any, *, slot: str, cause: str) -> None:
        Errand.objects.create(
            automation=automation, account_id=automation.account_id, slot=slot, cause=cause
        )

    errands.accept = accept
    errands.is_done = lambda errand: False
    errands.is_overtaken = lambda errand: False


def _no_fence() -> None:
    """A run that froze and woke goes on with what it had in mind, and claims it in spite of all.

    Without a fence the intent's state and deadline would stop it, so they are not asked.
    """
    from django.db.models import Q

    from automations import concluding, execution, intents, planning
    from automations.models import Intent

    def carry_out(run: Any, client: Any, fence: int) -> None:
        planned_or_taken = Q(state=Intent.State.PLANNED) | Q(fence__gt=fence)
        for intent in run.intents.filter(planned_or_taken).order_by("leg"):
            execution._send(intent, client, fence)
        concluding.conclude(run)

    execution._carry_out = carry_out
    intents._claimable = lambda intent, fence: Intent.objects.filter(pk=intent.pk)
    planning.CLAIM_WITHIN = timedelta(hours=1)


def _no_window() -> None:
    """What is not at the exchange at the first look is believed not to come any more."""
    from automations import intents, settlement
    from automations.evidence import Verdict

    original = settlement._wait_or_give_up

    def give_up(intent: Any, client: Any, evidence: Any, verdict: Any) -> None:
        if verdict is Verdict.ABSENT:
            intents.settle_absent(intent)
        else:
            original(intent, client, evidence, verdict)

    settlement._wait_or_give_up = give_up


def _intent_after_call() -> None:
    """The call first; what was done is written down afterwards."""
    from accounts.gateway import open_client
    from automations import intents, planning
    from automations.perform import perform
    from exchanges.client import Signature

    original = planning.plan

    def plan(execution: Any, decision: Any, snapshot: Any, *, fence: int) -> None:
        now = intents.utc_now()
        signature = Signature(now, now + intents.SEND_WITHIN)
        client, named = open_client(execution.account), str(execution.id)
        answers = [
            perform(client, action, client_id=named, signature=signature)
            for action in decision.actions
        ]
        original(execution, decision, snapshot, fence=fence)
        for intent, answer in zip(execution.intents.order_by("leg"), answers, strict=True):
            intents.claim(intent, fence=fence)
            intents.confirm(intent, answer)

    planning.plan = plan


def _server_error_is_not_done() -> None:
    """A 5xx, a timeout, a cut: nothing was done, and the intent goes back to be sent again."""
    from exchanges.errors import Unavailable, UnknownOutcome
    from exchanges.lnmarkets.channel import Channel

    original = Channel.act

    def act(self: Any, *request: Any, **signed: Any) -> Any:
        try:
            return original(self, *request, **signed)
        except UnknownOutcome as error:
            raise Unavailable(str(error)) from None

    Channel.act = act


def _failed_list_is_empty() -> None:
    """A list that could not be read shows no effect, so there was none."""
    from automations import settlement
    from automations.evidence import Evidence, Verdict
    from exchanges.errors import ExchangeError

    gather, examine = settlement._gather, settlement._examine

    def gather_or_nothing(intent: Any, client: Any) -> Any:
        try:
            return gather(intent, client)
        except ExchangeError:
            return Evidence(client.time(), ())

    def examine_or_absent(intent: Any, evidence: Any) -> Any:
        return examine(intent, evidence) if evidence.found else Verdict.ABSENT

    settlement._gather, settlement._examine = gather_or_nothing, examine_or_absent


def _signs_again() -> None:
    """An acting call without an answer is signed with the present time and sent again."""
    from datetime import UTC, datetime

    from exchanges.client import Signature
    from exchanges.errors import UnknownOutcome
    from exchanges.lnmarkets.channel import Channel

    original = Channel.act

    def act(self: Any, *request: Any, **signed: Any) -> Any:
        try:
            return original(self, *request, **signed)
        except UnknownOutcome:
            now = datetime.now(UTC)
            again = Signature(now, now + timedelta(seconds=1))
            return original(self, *request, **signed | {"signature": again})

    Channel.act = act


def _slot_made_anew() -> None:
    """Whoever gets a message makes the slot, so each delivery is one of its own."""
    from automations import tasks

    original = tasks.carry_out

    def carry_out(automation: Any, *, slot: str, cause: str) -> None:
        original(automation, slot=f"tick:{time.time_ns()}", cause=cause)

    tasks.carry_out = carry_out


def _budget_outside() -> None:
    """What is spent is counted, and some time later, without a lock, more is.

    The turn would keep the two runs of one account apart, so it is given to everybody.
    """
    from django.db import transaction

    from automations import errands, planning, turns
    from automations.models import Intent

    def plan(execution: Any, decision: Any, snapshot: Any, *, fence: int) -> None:
        time.sleep(uniform(0, 0.3))
        with transaction.atomic():
            execution.save(force_insert=True)
            errands.finish(execution.automation, execution.slot)
            Intent.objects.bulk_create(
                planning._intent(
                    execution,
                    action,
                    leg,
                    snapshot,
                    execution.automation.user.account_generation,
                )
                for leg, action in enumerate(decision.actions)
            )

    due = errands.due
    errands.due = lambda account_id: due(account_id).order_by("?")
    planning.plan = plan
    turns.TAKE = turns.TAKE.replace(turns.FREE, "TRUE").replace("turn.fence + 1", "1")
    turns._give_back = lambda account_id, fence: None
    turns.extend = lambda account_id, fence: None


def _no_deadline() -> None:
    """What was once planned is sent whenever somebody gets to it: it never lapses."""
    from automations import intents, planning

    planning.CLAIM_WITHIN = timedelta(hours=1)
    intents.lapse = lambda intent, error: None


def _naive() -> None:
    from tests.crash.naive import put_in

    put_in()


PLANTS: dict[str, Plant] = {
    "no_unique_key": Plant(_no_unique_key, UNIQUE_SLOTS),
    "no_fence": Plant(_no_fence),
    "no_window": Plant(_no_window),
    "intent_after_call": Plant(_intent_after_call),
    "server_error_is_not_done": Plant(_server_error_is_not_done),
    "failed_list_is_empty": Plant(_failed_list_is_empty),
    "signs_again": Plant(_signs_again),
    "slot_made_anew": Plant(_slot_made_anew),
    "budget_outside": Plant(_budget_outside),
    "no_deadline": Plant(_no_deadline),
    "naive": Plant(_naive),
}
BUGS = tuple(name for name in PLANTS if name != "naive")
