"""How an account stands with its exchange: what the exchange says becomes visible state.

    state                begins with             ends with           meanwhile
    ok                                                               everything runs
    unreachable          five times no answer    any answer          blind; a probe each 30 s;
                                                                     what protects always tries
    rate_limited         a 429 or no token       any, after 60 s     reads wait; what protects
                                                                     goes first
    maintenance          the exchange's word     the same request    blind; tried at each tick
    credentials_refused  a 401                   any answer          blind; tried once a minute
    geo_blocked          the exchange's word     any answer          blind; tried once a minute
    access_denied        a 403 without a reason  the same request    what is denied is not done;
                                                                     if that is reading: blind
    scope_missing        the exchange's word     the same request    what the key may not do is
                                                                     refused, the rest runs
    tier_limited         the exchange's word     the same request    nothing is opened, what
                                                                     protects goes on

"Blind" is what automations say of themselves when they cannot see: nothing is decided, and the
owner is told. `MEANWHILE` says the last column to people.

The first three troubles pass by themselves, and never displace one that does not. A change writes
one row and one event, whoever notices it first; a request without news writes nothing. Public
requests say nothing about an account. A timestamp that is refused (`ClockSkew`) is the platform's
trouble, and the operator's to see in the log.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Event, ExchangeAccount
from accounts.outbox import record_event
from exchanges.errors import (
    AccessDenied,
    ExchangeError,
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    RateLimited,
    Suspended,
    TierLimited,
)
from exchanges.guard import Call

log = logging.getLogger(__name__)

T = TypeVar("T")
State = ExchangeAccount.State

MEANWHILE: Final[Mapping[State, str]] = {
    State.OK: "Everything runs.",
    State.UNREACHABLE: "Automations are blind. What protects still tries every time.",
    State.RATE_LIMITED: "Reading is put off. What protects goes first.",
    State.MAINTENANCE: "Automations are blind, and look again at each tick.",
    State.CREDENTIALS_REFUSED: "Automations are blind until the exchange takes the key again:"
    " replace it with a working one.",
    State.GEO_BLOCKED: "Automations are blind: the exchange does not serve the place where this"
    " platform runs.",
    State.ACCESS_DENIED: "What the exchange denied is not done. If it denies reading, automations"
    " are blind.",
    State.SCOPE_MISSING: "What the key may not do is refused, the rest runs: give it the"
    " permission at the exchange, or replace it with a key that has it.",
    State.TIER_LIMITED: "The exchange refuses to open positions. What protects goes on.",
}


def meanwhile(account: ExchangeAccount) -> str:
    """What the account's automations do now, for people."""
    if not account.is_connected:
        return "Nothing runs: the account is disconnected."
    if not account.is_active:
        return "Nothing runs: another account is the active one, or none."
    return MEANWHILE[State(account.state)]


PASSING: Final = frozenset({State.UNREACHABLE, State.RATE_LIMITED, State.MAINTENANCE})
ENDS_WITH_SAME_REQUEST: Final = frozenset(
    {State.MAINTENANCE, State.ACCESS_DENIED, State.SCOPE_MISSING, State.TIER_LIMITED}
)
RATE_LIMITED_LASTS: Final = timedelta(seconds=60)
"""A key at its limit gets some answers and some refusals: that is one change, not one each."""

TRADE: Final = "trade"
"""In place of a request: the exchange has listed what the key may do, and this is not in it."""


class Standing:
    """A layer around the requests of one account that keeps its `state`."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._account = account
        self._state = State(account.state)

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request, and note what follows from it for the account."""
        try:
            answer = request()
        except ExchangeError as error:
            state = state_of(error)
            if state is not None:
                self._enter(state, str(error), call.operation)
            raise
        if self._state is not State.OK:
            self._recover(call)
        return answer

    def unreachable(self) -> None:
        """The account got no answer so often that it is left alone."""
        self._enter(State.UNREACHABLE, "The exchange gives this account no answers.")

    def _enter(self, state: State, message: str, operation: str = "") -> None:
        if state is self._state or (state in PASSING and self._state not in {State.OK, *PASSING}):
            return
        rows = self._row().exclude(state=state)
        if state in PASSING:
            rows = rows.filter(state__in={State.OK, *PASSING})
        kept = operation if state in ENDS_WITH_SAME_REQUEST else ""
        self._change(rows, state, message, kept)

    def _recover(self, call: Call) -> None:
        rows = self._row().filter(state=self._state, state_operation__in=["", call.operation])
        if self._state is State.RATE_LIMITED:
            rows = rows.filter(state_at__lt=timezone.now() - RATE_LIMITED_LASTS)
        self._change(rows, State.OK, "", "")

    def _row(self) -> QuerySet[ExchangeAccount]:
        return ExchangeAccount.objects.filter(pk=self._account.pk, disconnected_at=None)

    def _change(
        self, rows: QuerySet[ExchangeAccount], state: State, message: str, operation: str
    ) -> None:
        """Write the change if nobody has; the answer in hand is worth more than the note."""
        try:
            with transaction.atomic():
                if not rows.update(
                    state=state,
                    state_at=timezone.now(),
                    state_message=message,
                    state_operation=operation,
                ):
                    return
                _tell(self._account, state, message)
        except DatabaseError:
            log.exception("The state of account %s could not be written.", self._account.pk)
            return
        self._state = state


def state_of(error: ExchangeError) -> State | None:
    """The state that an error brings; None when it says nothing about the account."""
    match error:
        case InvalidCredentials():
            return State.CREDENTIALS_REFUSED
        case MissingScope():
            return State.SCOPE_MISSING
        case GeoBlocked():
            return State.GEO_BLOCKED
        case TierLimited():
            return State.TIER_LIMITED
        case AccessDenied():
            return State.ACCESS_DENIED
        case Maintenance():
            return State.MAINTENANCE
        case RateLimited():
            return State.RATE_LIMITED
        case Suspended():
            return State.UNREACHABLE
    return None


def _tell(account: ExchangeAccount, state: State, message: str) -> None:
    said = f" It says: {message}" if message else ""
    data: dict[str, Any] = {"state": state.value, "meanwhile": MEANWHILE[state]}
    record_event(
        kind="account_state_changed",
        severity=_severity(state),
        user=account.user,
        account=account,
        message=f"{account.name} at {account.exchange.name}: {state.label.lower()}.{said}"
        f" {MEANWHILE[state]}",
        data=data,
    )


def _severity(state: State) -> Event.Severity:
    if state is State.OK:
        return Event.Severity.INFO
    return Event.Severity.WARNING if state in PASSING else Event.Severity.CRITICAL
