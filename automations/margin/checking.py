"""One account: what it holds against what is remembered of it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.models import ExchangeAccount
from automations import sensing
from automations.margin import alerts, unguarded
from automations.margin.alerts import ACCOUNT, Circumstances
from automations.margin.danger import Danger, changes
from automations.margin.metrics import CHECKED
from automations.models import MarginAlert, UnguardedPosition
from exchanges.types import Aged, Holdings


class Memory:
    """The alerts of the accounts that `which` selects, and which of them lack a guard."""

    def __init__(self, which: Q) -> None:
        self._alerts: defaultdict[UUID, dict[str, MarginAlert]] = defaultdict(dict)
        for alert in MarginAlert.objects.filter(which).select_related("account__user"):
            self._alerts[alert.account_id][alert.trade_id] = alert
        left = UnguardedPosition.objects.filter(which, ended_at=None)
        self._unguarded = set(left.values_list("account_id", flat=True))

    def alerts_of(self, account_id: UUID) -> Mapping[str, MarginAlert]:
        """By what they name."""
        return self._alerts.get(account_id, {})

    def is_unguarded(self, account_id: UUID) -> bool:
        """Whether positions of it have lost their guards."""
        return account_id in self._unguarded


def is_fresh(holdings: Aged[Holdings] | None, now: datetime) -> bool:
    """Whether even a decision to act might rest on them."""
    return holdings is not None and now - holdings.at <= sensing.ACTING.account


def check(account_id: UUID, holdings: Aged[Holdings], price: Decimal, memory: Memory) -> None:
    """Tell what has changed of an account that was read just now, at this last price in USD."""
    CHECKED.inc()
    known = memory.alerts_of(account_id)
    levels = {name: Danger(each.level) for name, each in known.items() if name != ACCOUNT}
    found = list(changes(holdings.value, price, levels))
    if not (found or ACCOUNT in known or memory.is_unguarded(account_id)):
        return
    account = ExchangeAccount.objects.select_related("exchange", "user").get(pk=account_id)
    if ACCOUNT in known:
        alerts.sees_again(known[ACCOUNT])
    if found:
        alerts.enter(account, found, known, Circumstances(price, holdings.value.balance))
    if memory.is_unguarded(account_id):
        unguarded.settle(account, holdings)
