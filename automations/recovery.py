"""What nobody else will finish: found in PostgreSQL, settled with the exchange.

Needs neither the broker nor the beat nor a worker: after a crash, a lost message or an empty
Redis, everything that was begun stands in rows.
"""

import logging
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from accounts.errors import AccountError
from accounts.models import ExchangeAccount
from automations import intents
from automations.execution import drain
from automations.models import Errand, Intent
from automations.settlement import late_candidates, settle_account
from exchanges.errors import ExchangeError

log = logging.getLogger(__name__)

WORKERS_FIRST = timedelta(seconds=2)
"""How long the workers have for a new errand before the sweep takes it up."""


def accounts_in_need() -> QuerySet[ExchangeAccount]:
    """The accounts with something that was begun and is not finished."""
    errands = Errand.objects.filter(not_before__lte=Now(), created_at__lte=Now() - WORKERS_FIRST)
    state = Intent.State
    begun = Intent.objects.filter(state__in=[state.PLANNED, state.SENDING, state.UNKNOWN])
    its_own = {"account": OuterRef("pk")}
    needy = ExchangeAccount.objects.filter(
        Exists(errands.filter(**its_own))
        | Exists(begun.filter(**its_own))
        | Exists(late_candidates().filter(**its_own))
    )
    return needy.select_related("exchange", "user").defer("sealed_credentials")


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
