"""The pure exchange in one hand: a book, a clock that ticks by the second, counted ids."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from exchanges.paper import decisions, funding, moves
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.commands import MAX_QUANTITY, OpenTrade
from exchanges.paper.market import Depth
from exchanges.types import Credentials

START = datetime(2026, 1, 1, tzinfo=UTC)


class Desk:
    """One account, `balance` sats, and every change that was made."""

    def __init__(self, *, price=100_000, balance=10_000_000):
        self.book = Book(Decimal(price))
        self.changes: list[Change] = []
        self._steps = count(1)
        self.open_account("trader", balance=balance)

    @property
    def account(self):
        return self.book.account("trader")

    @property
    def balance(self):
        return self.account.balance

    def open_account(self, name, *, balance):
        self._accept(
            Change(
                at=START,
                kind=Kind.ACCOUNT,
                by=By.CONTROL,
                price=self.book.price,
                request={"username": name, "balance": balance},
                account_id=name,
                balance=balance,
                credentials=Credentials(f"{name}-key", f"{name}-secret", f"{name}-passphrase"),
            )
        )

    def open(self, *, by="trader", **order):
        """A market order for 1,000 USD at 10x, unless told otherwise."""
        size = {} if "margin" in order or "quantity" in order else {"quantity": 1000}
        order = {"type": "market", "side": "buy", "leverage": 10} | size | order
        [trade] = self.act(decisions.open_trade, OpenTrade.read(_exact(order)), by=by)
        return trade

    def act(self, decision, command, *, by="trader"):
        step = next(self._steps)
        occasion = decisions.Occasion(
            book=self.book,
            account=self.book.account(by),
            at=START + timedelta(seconds=step),
            by=By.API,
            id=f"trade-{step}",
        )
        changes = decision(occasion, command)
        self._accept(*changes)
        return [change.trade for change in changes]

    def move(self, *prices):
        """Let the price move; answers what it did, as (kind, trade)."""
        effects = []
        for price in prices:
            at = START + timedelta(seconds=next(self._steps))
            changes = moves.move_price(self.book, Decimal(price), at=at, by=By.CONTROL)
            self._accept(*changes)
            effects += [(change.kind, change.trade) for change in changes[1:]]
        return effects

    def fund(self, rate):
        """A funding at this rate; answers what it did, as (kind, trade)."""
        self.set_terms(funding_rate=Decimal(rate))
        at = START + timedelta(seconds=next(self._steps))
        changes = funding.settle(self.book, at=at, settlement_id=f"settlement-{at:%M%S}")
        self._accept(*changes)
        return [(change.kind, change.trade) for change in changes[1:]]

    def set_terms(self, **terms):
        """Other terms, the rest as it was; answers what that did, as (kind, trade)."""
        at = START + timedelta(seconds=next(self._steps))
        terms = replace(self.book.market.terms, **terms)
        changes = moves.set_terms(self.book, terms, at=at)
        self._accept(*changes)
        return [(change.kind, change.trade) for change in changes[1:]]

    def spread(self, usd):
        """Ask and bid this far apart for every size."""
        return self.set_terms(depths=(Depth(MAX_QUANTITY, Decimal(usd)),))

    def now(self, trade):
        """The trade as it stands."""
        return self.account.live.get(trade.id) or self.account.history[trade.id]

    def _accept(self, *changes):
        for change in changes:
            self.book.apply(change)
        self.changes += changes


def _exact(order):
    """Numbers as the server would have read them."""
    numbers = ("price", "stoploss", "takeprofit", "leverage")
    return {
        name: Decimal(str(value)) if name in numbers else value for name, value in order.items()
    }
