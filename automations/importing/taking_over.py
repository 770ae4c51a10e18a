"""Taking rows over for a user: their accounts, their P&L, and one transaction for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from django.db import transaction
from pydantic import ValidationError as ConfigError

from accounts.audit import record_audit
from accounts.errors import AccountError, InvalidField
from accounts.gateway import open_client
from accounts.models import Event, ExchangeAccount, User
from accounts.outbox import record_event
from accounts.selectors import accounts_of
from automations import services
from automations.importing.conversion import Converted, Rates, convert
from automations.importing.ids import imported_id
from automations.importing.rows import Refused, Row
from automations.models import Automation
from automations.rules.registry import kind_of
from automations.validation import config_errors
from exchanges.errors import ExchangeError

Result = Literal["migrated", "converted", "refused", "already there"]
RESULTS: tuple[Result, ...] = ("migrated", "converted", "refused", "already there")
NAME_LENGTH = 100
IMPORTED = "automations_imported"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row, and why; `converted` says what means something else now."""

    row: Row
    result: Result
    words: str


@dataclass(slots=True)
class Import:
    """Rows for one user. `fallback` takes what names no account of the user; `rates` are of the
    trades that old P&L were meant for, None to look at what runs.
    """

    user: User
    fallback: ExchangeAccount | None
    rates: Rates | None
    activate: bool
    _read: dict[ExchangeAccount, Rates] = field(default_factory=dict)

    def run(self, rows: Iterable[Row], *, for_good: bool) -> list[Outcome]:
        """Take all rows over that can be, in one transaction; kept only when it is `for_good`."""
        prepared = [self._prepare(row) for row in rows]  # asks the exchange: not in there
        with transaction.atomic():
            outcomes = [self._take(each) for each in prepared]
            self._tell(outcomes)
            if not for_good:
                transaction.set_rollback(True)
        return outcomes

    def _prepare(self, row: Row) -> "Prepared | Outcome":
        if Automation.objects.filter(pk=imported_id(self.user.pk, row.id)).exists():
            return _already_there(row)
        try:
            account = self._account_of(row)
            return Prepared(row, account, convert(row, lambda: self._rates_of(account)))
        except Refused as error:
            return Outcome(row, "refused", str(error))

    def _take(self, prepared: "Prepared | Outcome") -> Outcome:
        if isinstance(prepared, Outcome):
            return prepared
        row, converted = prepared.row, prepared.converted
        automation = Automation(
            id=imported_id(self.user.pk, row.id),
            user=self.user,
            account=prepared.account,
            kind=converted.kind,
            name=(row.name or f"{kind_of(converted.kind).title} {row.id}")[:NAME_LENGTH],
            config=converted.config,
            is_active=self.activate and row.is_active,
        )
        if Automation.objects.filter(pk=automation.pk).exists():
            return _already_there(row)  # the same id twice in one file
        try:
            services.add_automation(automation=automation, by=None, reason="imported")
        except ConfigError as error:
            problems = config_errors(error, kind=converted.kind).items()
            said = " ".join(f"{name}: {' '.join(found)}" for name, found in problems)
            return Outcome(row, "refused", said)
        except InvalidField as error:
            return Outcome(row, "refused", error.message)
        words = [*converted.changes, *converted.notes, f"On account {prepared.account.name}."]
        return Outcome(row, "converted" if converted.changes else "migrated", " ".join(words))

    def _account_of(self, row: Row) -> ExchangeAccount:
        connected = accounts_of(self.user.pk).filter(disconnected_at=None)
        account = connected.filter(name=row.account).first() if row.account else None
        found = account or self.fallback
        if found is not None:
            return found
        if row.account:
            raise Refused(f"Its account {row.account} is not there: --account takes its place.")
        active = connected.filter(is_active=True).first()
        if active is None:
            raise Refused("It names no account, and none is active: name one by --account.")
        return active

    def _rates_of(self, account: ExchangeAccount) -> Rates:
        if self.rates is not None:
            return self.rates
        if account not in self._read:
            self._read[account] = _running(account)
        return self._read[account]

    def _tell(self, outcomes: list[Outcome]) -> None:
        said = {each.row.id: f"{each.result}: {each.words}" for each in outcomes}
        record_event(
            user=self.user,
            kind=IMPORTED,
            severity=Event.Severity.INFO,
            message=f"Automations of the old system were imported: {totals(outcomes)}",
            data=said,
        )
        record_audit(IMPORTED, by=None, subject=f"user/{self.user.pk}", user=self.user, data=said)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that was converted, for an account."""

    row: Row
    account: ExchangeAccount
    converted: Converted


def _already_there(row: Row) -> Outcome:
    return Outcome(row, "already there", "It was imported before, and is left as it is.")


def totals(outcomes: list[Outcome]) -> str:
    """How many came to which result."""
    counts = ((sum(each.result == result for each in outcomes), result) for result in RESULTS)
    return ", ".join(f"{count} {result}" for count, result in counts) + "."


def _running(account: ExchangeAccount) -> Rates:
    try:
        trades = open_client(account).isolated.running_trades()
    except (ExchangeError, AccountError) as error:
        raise Refused(f"The trades of account {account.name} cannot be read: {error}") from None
    return frozenset(Decimal(trade.quantity) / trade.margin for trade in trades)
