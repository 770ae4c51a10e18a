"""What nobody else will finish: found in PostgreSQL, settled with the exchange.

Needs neither the broker nor the beat nor a worker: after a crash, a lost message or an empty
Redis, everything that was begun stands in rows.
"""

import logging
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts.errors import AccountError
from accounts.models import ExchangeAccount
from automations import intents
from automations.execution import drain
from automations.models import Errand, Intent
from automations.settlement import LOOK_AGAIN_AFTER, settle_account
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

WORKERS_FIRST = timedelta(seconds=2)
"""How long the workers have for a new errand before the sweep takes it up."""


def accounts_in_need() -> QuerySet[ExchangeAccount]:
    """The accounts with something that was begun and is not finished."""
    own = {"account": OuterRef("pk")}
    errands = Errand.objects.filter(
        **own, not_before__lte=Now(), created_at__lte=Now() - WORKERS_FIRST
    )
    state = Intent.State
    intents = Intent.objects.filter(
        Q(state__in=[state.PLANNED, state.SENDING, state.UNKNOWN])
        | Q(state=state.LAPSED, looked_at__isnull=False, settled_at__lte=Now() - LOOK_AGAIN_AFTER),
        **own,
    )
    return ExchangeAccount.objects.filter(Exists(errands) | Exists(intents)).select_related(
        "exchange", "user"
    )


def recover(account: ExchangeAccount) -> None:
    """Finish what is open on one account; what fails is tried again at the next sweep."""
    try:
        drain(account)
        settle_account(account)
    except ExchangeError as error:
        log.warning("Account %s is not finished yet: %s", account.id, error)
    except AccountError as error:
        for intent in account.intents.filter(state=Intent.State.UNKNOWN):
            intents.ask_operator(intent, f"the exchange cannot be asked any more: {error}")
