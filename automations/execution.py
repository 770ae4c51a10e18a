"""Carrying out what an account has to do, exactly once.

The crash path is the normal path: a run first finishes what earlier ones on the same account
left open, then runs the account's errands. Workers come here for a message, `sweep` for what
nobody came for; a message that comes twice finds the execution of its slot and does nothing.

A run asks for nothing once its automation's `timeout` is over (`exchanges.deadline`), which is told
as `automation_timeout` each time. If it had planned nothing yet, it is tried again like others that
failed in passing; else the plan lapses, and only what was sent has its answer waited for.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import close_old_connections, transaction

from accounts.errors import AccountError
from accounts.gateway import open_client
from accounts.models import ExchangeAccount
from automations import (
    deciding,
    errands,
    intents,
    journal,
    planning,
    proposals,
    reading,
    sagas,
    selectors,
    sensing,
    turns,
)
from automations.calling import call_a_worker
from automations.concluding import conclude
from automations.models import Automation, Errand, Execution, Intent
from automations.perform import perform
from automations.reading import utc_now
from automations.rules.registry import kind_of
from exchanges import deadline
from exchanges.client import ExchangeClient
from exchanges.errors import PermanentError, TransientError, UnknownOutcome
from exchanges.failpoints import failpoint

log = logging.getLogger(__name__)

GRACE = 12
"""Seconds a run may need beyond its limit, to hear of what it sent and write it down."""

Failures = dict[tuple[UUID, str], TransientError]
"""What may be tried again, by automation and slot."""


def execute(automation: Automation, *, slot: str, cause: str) -> None:
    """Execute `automation` for `slot`, or leave that to the run that has the account's turn.

    Raises `TransientError` when nothing was sent and it may be tried again.
    """
    errands.accept(automation, slot=slot, cause=cause)
    failpoint("accepted")
    failures = drain(automation.account)
    if (automation.id, slot) in failures:
        raise failures[automation.id, slot]


def drain(account: ExchangeAccount) -> Failures:
    """Take the account's turn, finish what is open and run its errands, until none is due.

    The first in rank is looked up anew each time: what came meanwhile goes ahead of what waits.
    Returns what may be tried again, by automation and slot. An errand that comes while the turn
    is given back is seen by the look after it, or by the one who brought it. One that could not
    have its whole time any more, where the caller's is limited, is left to another worker.
    """
    failures: Failures = {}
    try:
        while True:
            with turns.turn(account.id) as fence:
                mark_interrupted(account, fence)
                finish_open(account, fence)
                _run_what_is_due(account, fence, failures)
            waits = errands.due(account.id).first()
            if waits is None:
                return failures
            if not _has_time_for(waits):
                call_a_worker(waits.automation, slot=waits.slot, cause=waits.cause)
                return failures
    except turns.AccountBusy:
        return failures
    except AccountError as error:
        for errand in errands.due(account.id):
            _fail(errand, error)
        return failures


def mark_interrupted(account: ExchangeAccount, fence: int) -> None:
    """What an earlier run was sending is of unknown outcome: the turn is ours, so it is over."""
    for intent in Intent.objects.filter(
        account=account, state=Intent.State.SENDING, fence__lt=fence
    ).select_related("automation__user", "account"):
        intents.mark_unknown(intent, "The run that sent it was interrupted.")


def finish_open(account: ExchangeAccount, fence: int) -> None:
    """Send what earlier runs of this account have planned and not sent, while there is time."""
    unfinished = Execution.objects.filter(account=account, finished_at=None).select_related(
        "automation__user", "account"
    )
    for execution in sorted(unfinished, key=lambda each: kind_of(each.automation.kind).rank):
        kind = kind_of(execution.automation.kind)
        client = open_client(account, is_protective=kind.is_protective)
        with deadline.within(execution.automation.policy.timeout):
            _carry_out(execution, client, fence)


def _run_what_is_due(account: ExchangeAccount, fence: int, failures: Failures) -> None:
    while (errand := errands.due(account.id).first()) and _has_time_for(errand):
        client = open_client(account, is_protective=errand.is_protective)
        with deadline.within(errand.automation.policy.timeout):
            _run(errand, client, fence, failures)


def _has_time_for(errand: Errand) -> bool:
    return deadline.seconds_left() >= errand.automation.policy.timeout + GRACE


def _run(errand: Errand, client: ExchangeClient, fence: int, failures: Failures) -> None:
    """Run one errand; whatever becomes of it stays with it."""
    automation, began_at = errand.automation, utc_now()
    if not errands.begin(errand):
        _fail(errand, RuntimeError("It broke off each time it was tried."))
        return
    try:
        _decide_and_act(automation, errand, client, fence)
    except turns.AccountBusy:
        raise
    except TransientError as error:
        if _is_tried_again(errand, error, began_at):
            failures[automation.id, errand.slot] = error
    except PermanentError as error:
        _fail(errand, error)
    except SoftTimeLimitExceeded:
        close_old_connections()  # one that was stopped in a query could record nothing
        _stop(errand, began_at)
        raise
    except Exception as error:
        log.exception("The execution of automation %s broke off.", automation.id)
        close_old_connections()
        _fail(errand, error)
        raise


def _is_tried_again(errand: Errand, error: TransientError, began_at: datetime) -> bool:
    """Record a failure that passes; one that has no time left for what it planned is the last."""
    was_stopped = deadline.is_over()
    if errands.is_last_run(errand) or (was_stopped and errands.is_done(errand)):
        _stop(errand, began_at) if was_stopped else _fail(errand, error)
        return False
    if was_stopped:
        journal.tell_timeout(errand)
    errands.put_off(errand)
    return True


def _decide_and_act(
    automation: Automation, errand: Errand, client: ExchangeClient, fence: int
) -> None:
    if errands.is_done(errand):
        with transaction.atomic():
            errands.finish(automation, errand.slot)
        return
    if not selectors.runnable([automation.id]):
        journal.record_withdrawn(errand)
        return
    if errands.is_overtaken(errand):
        journal.record_overtaken(errand)
        return
    started_at = utc_now()
    snapshot = sensing.from_exchange(automation, client)
    turns.extend(automation.account_id, fence)
    automation.refresh_from_db(fields=["memory"])
    decision = deciding.decide(automation, snapshot, errand)
    execution = journal.execution_of(
        automation,
        slot=errand.slot,
        cause=errand.cause,
        requested_by=errand.requested_by_id,
        started_at=started_at,
        snapshot=snapshot,
        decision=decision,
    )
    if decision.asks and decision.actions:
        proposals.propose(execution, errand, decision, snapshot)
        return
    planning.plan(execution, decision, snapshot, fence=fence)
    failpoint("planned")
    _carry_out(execution, client, fence)


def _fail(errand: Errand, error: Exception) -> None:
    """Record a run that failed for good."""
    _give_up(errand, why=journal.words(error))
    journal.record_failure(errand, error)


def _stop(errand: Errand, began_at: datetime) -> None:
    """Record a run that was stopped at its limit for good; what it has half done is finished."""
    with transaction.atomic():
        journal.record_timeout(errand, began_at=began_at)
        _give_up(errand, why="It was stopped at its limit of time.", keeps=sagas.has_begun)


def _give_up(
    errand: Errand, *, why: str, keeps: Callable[[Intent], bool] = lambda _: False
) -> None:
    """What it was sending is unknown; what it was not lapses, but for what it `keeps`."""
    of_slot = errand.automation.intents.filter(slot=errand.slot)
    for intent in of_slot.select_related("execution"):
        if keeps(intent):
            continue
        intents.mark_unknown(intent, f"The run broke off while sending: {why}")
        intents.lapse(intent, f"The run failed: {why}")
        conclude(intent.execution)


def _carry_out(execution: Execution, client: ExchangeClient, fence: int) -> None:
    for intent in execution.intents.filter(state=Intent.State.PLANNED).order_by("leg"):
        if sagas.may_follow(intent, client):
            _send(intent, client, fence)
    conclude(execution)


def _send(intent: Intent, client: ExchangeClient, fence: int) -> None:
    signature = intents.claim(intent, fence=fence)
    if signature is None:
        intents.lapse(intent, "It could not be claimed: late, paused, stopped, or not alone.")
        return
    failpoint("claimed")
    action, answer = intents.action_of(intent), None
    try:
        answer = perform(client, action, client_id=str(intent.id), signature=signature)
        failpoint("answered")
    except TransientError as error:
        intents.put_back(intent, str(error))
        raise
    except PermanentError as error:
        intents.reject(intent, str(error))
    except UnknownOutcome as error:
        intents.mark_unknown(intent, str(error))
    else:
        intents.confirm(intent, answer)
    failpoint("settled")
    reading.enter_answer(intent.account_id, action, answer)
