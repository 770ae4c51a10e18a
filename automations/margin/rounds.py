"""The rounds at one exchange, in threads of their own, so that one that hangs holds up no other.

What is remembered is always recalled before what it is compared with is read: whatever another
monitor has changed since then is found by its statement, and nothing is told twice.

A round looks at all accounts that are fresh in the feed, without any request; what is stale is read
anew beside it. The next one begins when its time has come and this one is over: only a market that
cannot be read takes longer, and without a price there is nothing to check.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from threading import Event
from time import monotonic
from typing import TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import Q, QuerySet

from accounts.errors import AccountError
from accounts.gateway import open_client, open_market
from accounts.models import ExchangeAccount
from automations import reading, selectors, sensing
from automations.margin import alerts
from automations.margin.alerts import ACCOUNT
from automations.margin.checking import Memory, check, is_fresh
from automations.margin.metrics import BLIND, ROUND_SECONDS
from automations.models import MarginAlert
from automations.reading import StaleMarket, utc_now
from exchanges import feed
from exchanges.errors import ExchangeError, TransientError
from exchanges.models import Exchange
from exchanges.registry import adapter
from exchanges.types import Aged, Capability, Holdings, Ticker

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 500
"""Accounts whose holdings come in one round trip."""

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further attempt to read what is stale."""

READERS = 8
"""How many accounts are read anew at the same time."""

OVERDUE = 30.0
"""Seconds after which a reading that is not over, or not even begun, counts as failed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An account that is being read anew, and since when, by the monotonic clock."""

    work: Future[None]
    at: float


class Rounds:
    """At most one round at a time, and at most one reading of each account."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="round")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._round: Future[None] | None = None
        self._readings: dict[UUID, Reading] = {}

    def begin(self, exchange: Exchange) -> None:
        """Begin a round, unless the one before is not over."""
        if self._round is None or self._round.done():
            self._round = self._thread.submit(_guarded, lambda: self._look(exchange))

    def stop(self) -> None:
        """Begin nothing any more; the process ends when what is under way is over."""
        for pool in (self._thread, self._readers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _look(self, exchange: Exchange) -> None:
        with ROUND_SECONDS.labels(exchange.slug).time():
            watched = selectors.watched_accounts().filter(exchange=exchange)
            memory = Memory(Q(account__exchange=exchange))
            try:
                price = self._market(exchange).value.last_price
            except (ExchangeError, AccountError) as error:
                _blind(watched, error)
            else:
                self._check_all(exchange, list(watched.values_list("pk", flat=True)), price, memory)
        blind = MarginAlert.objects.filter(account__exchange=exchange, trade_id=ACCOUNT)
        BLIND.labels(exchange.slug).set(blind.count())

    def _check_all(
        self, exchange: Exchange, accounts: list[UUID], price: Decimal, memory: Memory
    ) -> None:
        self._readings = {key: each for key, each in self._readings.items() if not each.work.done()}
        for batch in _batches(accounts):
            now = utc_now()
            for account_id, holdings in zip(batch, feed.holdings_of(batch), strict=True):
                if holdings is None or not self._is_enough(holdings, exchange, now):
                    self._read_beside(account_id, memory)
                    continue
                with _kept_to(account_id):
                    check(account_id, holdings, price, memory)

    def _is_enough(self, holdings: Aged[Holdings], exchange: Exchange, now: datetime) -> bool:
        """Fresh, and whole: an automation that only looks at trades reads no cross margin."""
        has_cross = Capability.CROSS in adapter(exchange.adapter).capabilities
        return is_fresh(holdings, now) and not (has_cross and holdings.value.cross is None)

    def _market(self, exchange: Exchange) -> Aged[Ticker]:
        """As the feed has it, or read anew. Raises `ExchangeError` or `AccountError`."""
        known = feed.ticker(exchange.slug)
        if known and utc_now() - known.at <= sensing.ACTING.market:
            return known
        return self._insist(lambda: reading.read_ticker(exchange.slug, open_market(exchange)))

    def _read_beside(self, account_id: UUID, memory: Memory) -> None:
        begun = self._readings.get(account_id)
        if begun is None:
            work = self._readers.submit(_guarded, lambda: self._check_anew(account_id))
            self._readings[account_id] = Reading(work, monotonic())
        elif monotonic() - begun.at >= OVERDUE and not memory.alerts_of(account_id).get(ACCOUNT):
            alerts.blind(_account(account_id), StaleMarket("It takes too long to read it."))

    def _check_anew(self, account_id: UUID) -> None:
        """Read one account and check it; one that stays unreadable is alerted as such."""
        account = _account(account_id)
        with _kept_to(account_id):
            self._check_closely(account)

    def _check_closely(self, account: ExchangeAccount) -> None:
        try:
            memory, holdings = self._insist(lambda: (Memory(Q(account=account)), _read(account)))
            price = self._market(account.exchange).value.last_price
        except (ExchangeError, AccountError) as error:
            log.warning("Account %s cannot be read: %s", account.id, error)
            alerts.blind(account, error)
        else:
            check(account.id, holdings, price, memory)

    def _insist(self, read: Callable[[], T]) -> T:
        """Read, and try again for a while; raises what the last attempt raised."""
        for pause in PAUSES:
            try:
                return read()
            except TransientError:
                self._stopping.wait(pause)
        return read()


def _account(account_id: UUID) -> ExchangeAccount:
    return ExchangeAccount.objects.select_related("exchange", "user").get(pk=account_id)


def _read(account: ExchangeAccount) -> Aged[Holdings]:
    client = open_client(account, is_protective=True)
    holdings = reading.read_holdings(account, client, reading.watched_of(account))
    if not is_fresh(holdings, utc_now()):
        raise StaleMarket("The exchange answers so slowly that its answers are too old.")
    return holdings


def _blind(accounts: QuerySet[ExchangeAccount], why: Exception) -> None:
    """Each is told once; those that know already are left out."""
    told = MarginAlert.objects.filter(trade_id=ACCOUNT)
    for account in accounts.exclude(margin_alerts__in=told):
        alerts.blind(account, why)


def _batches(accounts: list[UUID]) -> Iterator[list[UUID]]:
    rest = iter(accounts)
    while batch := list(islice(rest, BATCH)):
        yield batch


@contextmanager
def _kept_to(account_id: UUID) -> Iterator[None]:
    """Bad data of one account hinder no other, and are no ground to think it safe."""
    try:
        yield
    except Exception:
        log.exception("The margin of account %s cannot be checked.", account_id)
        alerts.blind(_account(account_id), StaleMarket("What it holds cannot be made sense of."))


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("A look at margins broke off.")
    finally:
        connections.close_all()
