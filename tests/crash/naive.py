"""The baseline: a worker that decides, calls, and on an error just calls again.

It keeps nothing: no intent, no turn, no outcome. The broker gives its message to another worker
when it dies (late acknowledgement), which is all the safety it has.
"""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from accounts.gateway import open_client
from automations import execution, recovery, sensing, tasks
from automations.perform import perform
from automations.reading import utc_now
from automations.rules.registry import kind_of
from exchanges.client import ExchangeClient, Signature
from exchanges.errors import PermanentError, TransientError, UnknownOutcome
from exchanges.failpoints import failpoint
from tests.crash.strikes import now_on

PAUSE = 0.2
"""Seconds between two tries."""

FOR_EVER = timedelta(hours=1)
"""It looks at no clock before it sends."""


def put_in() -> None:
    """Have this process' worker and sweep be naive."""
    tasks.carry_out = carry_out
    tasks.start_execution = start_execution
    execution.drain = recovery.drain = lambda account: {}
    recovery.settle_account = lambda account: None


def start_execution(automation: Any, *, slot: str, cause: str) -> None:
    """Call a worker."""
    tasks.execute.apply_async(args=(str(automation.id), slot, cause), queue="critical")


def carry_out(automation: Any, *, slot: str, cause: str) -> None:
    """Look, decide, and do it until somebody says it is done."""
    now_on(automation.account_id)
    failpoint("accepted")
    client = open_client(automation.account)
    snapshot = sensing.from_exchange(automation, client)
    decision = kind_of(automation.kind).evaluate(snapshot, automation.config, automation.memory)
    failpoint("planned")
    for action in decision.actions:
        _insist(client, action)
    failpoint("settled")


def _insist(client: ExchangeClient, action: Any) -> None:
    while True:
        failpoint("claimed")
        now = utc_now()
        try:
            signature = Signature(now, now + FOR_EVER)
            perform(client, action, client_id=str(uuid4()), signature=signature)
            failpoint("answered")
        except (TransientError, UnknownOutcome):
            time.sleep(PAUSE)
        except PermanentError:
            return
        else:
            return
