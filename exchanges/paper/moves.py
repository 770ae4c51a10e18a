"""What a move of the price, or a change of the market's terms, does to every account. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial

from exchanges.paper import moves_cross
from exchanges.paper.account import Account
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.market import Terms
from exchanges.paper.trades import IsolatedTrade, released
from exchanges.types import TradeStatus


@dataclass(frozen=True, slots=True)
class Move:
    """A step of the last price from `before` to `price`, which may be the same, under `terms`."""

    at: datetime
    before: Decimal
    price: Decimal
    terms: Terms

    def touches(self, level: Decimal) -> bool:
        """Whether the price was at `level` on its way."""
        return min(self.before, self.price) <= level <= max(self.before, self.price)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move does to one trade: due at `level`, it sets `freed` sats free."""

    kind: Kind
    trade: IsolatedTrade
    level: Decimal
    freed: int = 0


def move_price(book: Book, price: Decimal, *, at: datetime, by: By) -> list[Change]:
    """The new price, then what it does: touched limits fill, then running trades end.

    A limit fills at its own price when the move touches or jumps over it. A liquidation takes
    place at the liquidation price; stop loss and take profit fill at the new price, which after
    a jump is not their level. A jump past both stop loss and liquidation liquidates. What a jump
    does to one account is in the order in which it passed the levels.
    """
    move = Move(at, book.price, price, book.market.terms)
    change = Change(at=at, kind=Kind.PRICE, by=by, price=price, request={"price": price})
    return [change, *_effects(book, move)]


def set_terms(book: Book, terms: Terms, *, at: datetime) -> list[Change]:
    """New terms from now on; a wider spread may liquidate."""
    move = Move(at, book.price, book.price, terms)
    change = Change(at=at, kind=Kind.TERMS, by=By.CONTROL, price=book.price, records=(terms,))
    return [change, *_effects(book, move)]


def _effects(book: Book, move: Move) -> Iterator[Change]:
    for account in book.accounts.values():
        yield from _isolated(account, move)
        yield from moves_cross.after_move(account, before=move.before, price=move.price, at=move.at)


def _isolated(account: Account, move: Move) -> Iterator[Change]:
    fee_rate = cache(partial(account.fee_rate, move.at))
    effects = [
        effect
        for trade in account.live.values()
        for effect in _effects_on(trade, move, fee_rate=fee_rate)
    ]
    balance = account.balance
    for effect in sorted(effects, key=lambda effect: abs(effect.level - move.before)):
        balance += effect.freed
        yield Change(
            at=move.at,
            kind=effect.kind,
            by=By.MARKET,
            price=move.price,
            account_id=account.id,
            trade=effect.trade,
            balance=balance,
        )


def _effects_on(
    trade: IsolatedTrade, move: Move, *, fee_rate: Callable[[], Decimal]
) -> Iterator[Effect]:
    if trade.status is TradeStatus.OPEN:
        if not move.touches(trade.price):
            return
        trade = trade.filled(at=move.at, fee_rate=fee_rate())
        yield Effect(Kind.FILLED, trade, trade.price)
    available = move.terms.price_for(trade.exit_side, trade.quantity, last=move.price)
    due = trade.exit_at(move.price, available=available)
    if due is not None:
        ended = trade.exited(due.exit, price=available, at=move.at, fee_rate=fee_rate())
        yield Effect(Kind(due.exit.value), ended, due.level, freed=released(trade, ended))
        return
    trailed = trade.trailed(move.price)
    if trailed != trade:
        yield Effect(Kind.TRAILED, trailed, move.price)
