"""The running exchange: the pure book, made durable by the ledger, with a clock and fresh ids.

Everything happens on one thread, one request after the other, and in this order: settle what
fell due, decide, write to the ledger, apply to the book. A disk that refuses leaves the book as
it was. The times in the ledger never go back.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from exchanges.paper.account import Account
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.clock import Clock, whole_milliseconds
from exchanges.paper.commands import Command, CreateAccount
from exchanges.paper.commands_account import NewKey
from exchanges.paper.commands_market import MoveClock, SetTerms
from exchanges.paper.decisions import Occasion
from exchanges.paper.funding import settle
from exchanges.paper.ledger import Ledger
from exchanges.paper.market import MarketRecord, next_funding_at
from exchanges.paper.moves import move_price, set_terms
from exchanges.paper.scopes import DEFAULT_SCOPES, ApiKey
from exchanges.paper.swaps import UsdUnit
from exchanges.types import Candle, Credentials

CANDLES_PER_LINE = 1000
C = TypeVar("C", bound=Command)
Decision = Callable[[Occasion, C], list[Change]]


class PaperExchange:
    """The book of the ledger at `path`; a new ledger begins at `price`.

    `usd_unit` is how dollars are written in swaps. Raises `LedgerUnusable`.
    """

    def __init__(
        self, path: Path, *, price: Decimal, usd_unit: UsdUnit = UsdUnit.DOCUMENTED
    ) -> None:
        self.usd_unit = usd_unit
        self.book = Book(price)
        self.skew = timedelta(0)
        self._listeners: list[Callable[[Change], None]] = []
        self._ledger = Ledger(path)
        try:
            self._ledger.replay(self.book.apply)
            self._latest = self.book.market.changed_at
            if not len(self._ledger):
                self.move_price(price)
        except Exception:
            self._ledger.close()
            raise

    def close(self) -> None:
        """Give the ledger back."""
        self._ledger.close()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call `listener` with every change, right after the book has undergone it."""
        self._listeners.append(listener)

    def now(self) -> datetime:
        """What the exchange's clock tells, in whole milliseconds; it is wrong by `skew`."""
        return self._time() + self.skew

    def pass_time(self) -> datetime:
        """Do what fell due meanwhile; answers the time of the book, which has no skew."""
        now = self._time()
        self._settle_until(now)
        return now

    def ledger(self, *, after: int) -> list[dict[str, Any]]:
        """The lines of the ledger behind number `after`."""
        return self._ledger.entries(after=after)

    def create_account(self, command: CreateAccount) -> Account:
        """Open an account with a fresh API key."""
        account_id = str(uuid4())
        username = command.username or f"paper-{account_id[:8]}"
        scopes = DEFAULT_SCOPES if command.permissions is None else command.permissions
        change = Change(
            at=self.pass_time(),
            kind=Kind.ACCOUNT,
            by=By.CONTROL,
            price=self.book.price,
            request={"username": username, "balance": command.balance},
            account_id=account_id,
            balance=command.balance,
            credentials=_fresh_credentials(),
            records=(ApiKey(str(uuid4()), scopes),),
        )
        self._accept([change])
        return self.book.account(account_id)

    def create_key(self, account: Account, command: NewKey) -> ApiKey:
        """Give the account one more API key."""
        scopes = DEFAULT_SCOPES if command.permissions is None else command.permissions
        key = ApiKey(str(uuid4()), scopes)
        change = Change(
            at=self.pass_time(),
            kind=Kind.KEY,
            by=By.CONTROL,
            price=self.book.price,
            request=command.as_json(),
            account_id=account.id,
            credentials=_fresh_credentials(),
            records=(key,),
        )
        self._accept([change])
        return key

    def move_price(self, price: Decimal) -> None:
        """Set the last price, with all that follows from it."""
        self._accept(move_price(self.book, price, at=self.pass_time(), by=By.CONTROL))

    def set_terms(self, command: SetTerms) -> None:
        """Set what is named of spreads, funding rate and limits, with all that follows."""
        terms = command.after(self.book.market.terms)
        self._accept(set_terms(self.book, terms, at=self.pass_time()))

    def move_clock(self, command: MoveClock) -> None:
        """Let the clock jump ahead, settling on the way what falls due, or change its speed.

        Raises `Refusal` for a jump back, or too far ahead.
        """
        at = command.target(self.pass_time())
        self._settle_until(at)
        speed = self.book.market.clock.speed if command.speed is None else command.speed
        clock = Clock(at=at, real_at=whole_milliseconds(datetime.now(UTC)), speed=speed)
        self._accept([self._of_market(Kind.CLOCK, clock, at=at)])

    def load_candles(self, candles: Sequence[Candle]) -> None:
        """Keep candles of the past, as far as they are new."""
        new, at = self.book.market.candles.unknown(candles), self.pass_time()
        self._accept(
            [
                self._of_market(Kind.CANDLES, *new[first : first + CANDLES_PER_LINE], at=at)
                for first in range(0, len(new), CANDLES_PER_LINE)
            ]
        )

    def act(
        self,
        decision: Decision[C],
        account: Account,
        command: C,
        *,
        by: By,
        signed_at: datetime | None = None,
    ) -> list[Change]:
        """Decide and accept; answers what changed. Raises `Refusal`."""
        occasion = Occasion(self.book, account, self.pass_time(), by, str(uuid4()), signed_at)
        changes = decision(occasion, command)
        self._accept(changes)
        return changes

    def _time(self) -> datetime:
        self._latest = max(self._latest, self.book.market.clock.read(datetime.now(UTC)))
        return self._latest

    def _settle_until(self, now: datetime) -> None:
        while len(self._ledger) and (due := next_funding_at(self.book.market.changed_at)) <= now:
            self._accept(settle(self.book, at=due, settlement_id=str(uuid4())))

    def _of_market(self, kind: Kind, *records: MarketRecord, at: datetime) -> Change:
        return Change(at=at, kind=kind, by=By.CONTROL, price=self.book.price, records=records)

    def _accept(self, changes: Sequence[Change]) -> None:
        if changes:
            self._ledger.append(changes)
        for change in changes:
            self.book.apply(change)
            for listener in self._listeners:
                listener(change)


def _fresh_credentials() -> Credentials:
    return Credentials(*(secrets.token_urlsafe(24) for _ in range(3)))
