"""What follows from a request, or from a move of the price. Pure.

A decision looks at the book, raises `Refusal`, or answers with the changes that make it so. It
changes nothing itself. To add a request: its body in `commands`, its decision here, a line in
the table of `api`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache, partial

from exchanges.paper.account import Account
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.commands import (
    Command,
    MoveMargin,
    Nothing,
    OnTrade,
    OpenTrade,
    SetStopLoss,
    SetTakeProfit,
)
from exchanges.paper.records import Record
from exchanges.paper.refusals import Refusal
from exchanges.paper.trades import IsolatedTrade, place
from exchanges.types import OrderType, TradeStatus


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request as it reaches the book: its account, when it came and was signed, a fresh id."""

    book: Book
    account: Account
    at: datetime
    by: By
    id: str
    signed_at: datetime | None = None

    def change(
        self,
        kind: Kind,
        command: Command,
        trade: IsolatedTrade | None = None,
        *,
        balance: int | None = None,
        usd: int | None = None,
        records: tuple[Record, ...] = (),
    ) -> Change:
        """The change this request makes to its account: what is None stays as it is."""
        return Change(
            at=self.at,
            kind=kind,
            by=self.by,
            price=self.book.price,
            request=command.as_json(),
            account_id=self.account.id,
            trade=trade,
            balance=balance,
            usd=usd,
            records=records,
            signed_at=self.signed_at,
        )

    def balance_after(self, sats: int) -> int:
        """The balance without `sats`. Raises `Refusal` when there is less."""
        if sats > self.account.balance:
            raise Refusal(f"Insufficient balance: {sats} sats needed, {self.account.balance} free")
        return self.account.balance - sats


def open_trade(occasion: Occasion, order: OpenTrade) -> list[Change]:
    """A market order runs at once, at the last price; so does a limit already touched."""
    price = order.price or occasion.book.price
    trade = place(order, trade_id=occasion.id, price=price, at=occasion.at)
    balance = occasion.balance_after(trade.held)
    if order.type is OrderType.MARKET or price == occasion.book.price:
        trade = trade.filled(at=occasion.at, fee_rate=occasion.account.fee_rate(occasion.at))
    return [occasion.change(Kind.NEW_TRADE, order, trade, balance=balance)]


def close_trade(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Close the whole running trade at the last price."""
    before = occasion.account.trade(command.id, TradeStatus.RUNNING)
    after = before.closed(
        price=occasion.book.price, at=occasion.at, fee_rate=occasion.account.fee_rate(occasion.at)
    )
    balance = occasion.account.balance + released(before, after)
    return [occasion.change(Kind.CLOSE, command, after, balance=balance)]


def cancel_trade(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Take back a limit order; everything it held is free again."""
    before = occasion.account.trade(command.id, TradeStatus.OPEN)
    balance = occasion.account.balance + before.held
    return [occasion.change(Kind.CANCEL, command, before.canceled(at=occasion.at), balance=balance)]


def cancel_all(occasion: Occasion, command: Nothing) -> list[Change]:
    """Take back every limit order."""
    balance = occasion.account.balance
    changes = []
    for before in occasion.account.trades(TradeStatus.OPEN):
        balance += before.held
        after = before.canceled(at=occasion.at)
        changes.append(occasion.change(Kind.CANCEL, command, after, balance=balance))
    return changes


def add_margin(occasion: Occasion, command: MoveMargin) -> list[Change]:
    """Move sats from the balance into a running trade."""
    before = occasion.account.trade(command.id, TradeStatus.RUNNING)
    balance = occasion.balance_after(command.amount)
    after = before.with_more_margin(command.amount)
    return [occasion.change(Kind.ADD_MARGIN, command, after, balance=balance)]


def cash_in(occasion: Occasion, command: MoveMargin) -> list[Change]:
    """Move sats from a running trade, its profit first, to the balance."""
    before = occasion.account.trade(command.id, TradeStatus.RUNNING)
    after = before.cashed_in(command.amount, mark=occasion.book.price)
    balance = occasion.account.balance + command.amount
    return [occasion.change(Kind.CASH_IN, command, after, balance=balance)]


def set_stop_loss(occasion: Occasion, command: SetStopLoss) -> list[Change]:
    """0 removes it, like `remove_stop_loss`."""
    return _with_stop_loss(occasion, command, level=command.value or None)


def remove_stop_loss(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Refused, as a level that changes nothing is, when there is none."""
    return _with_stop_loss(occasion, command, level=None)


def set_take_profit(occasion: Occasion, command: SetTakeProfit) -> list[Change]:
    """0 removes it, like `remove_take_profit`."""
    return _with_take_profit(occasion, command, level=command.value or None)


def remove_take_profit(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Refused, as a level that changes nothing is, when there is none."""
    return _with_take_profit(occasion, command, level=None)


def move_price(book: Book, price: Decimal, *, at: datetime, by: By) -> list[Change]:
    """The new price, then what it does: touched limits fill, then running trades end.

    A limit fills at its own price when the move touches or jumps over it. A liquidation takes
    place at the liquidation price; stop loss and take profit sell at the new price, which after
    a jump is not their level. A jump past both stop loss and liquidation liquidates.
    """
    changes = [Change(at=at, kind=Kind.PRICE, by=by, price=price, request={"price": price})]
    for account in book.accounts.values():
        changes.extend(_account_after_move(account, before=book.price, price=price, at=at))
    return changes


def released(before: IsolatedTrade, after: IsolatedTrade) -> int:
    """Sats that return to the balance when a running trade ends."""
    return before.held + after.pl - after.closing_fee


def _account_after_move(
    account: Account, *, before: Decimal, price: Decimal, at: datetime
) -> Iterator[Change]:
    effect = partial(Change, at=at, by=By.MARKET, price=price, account_id=account.id)
    fee_rate = cache(partial(account.fee_rate, at))
    balance = account.balance
    for trade in account.live.values():
        running = trade
        if trade.status is TradeStatus.OPEN:
            if not min(before, price) <= trade.price <= max(before, price):
                continue
            running = trade.filled(at=at, fee_rate=fee_rate())
            yield effect(kind=Kind.FILLED, trade=running, balance=balance)
        reason = running.exit_at(price)
        if reason is not None:
            ended = running.exited(reason, price=price, at=at, fee_rate=fee_rate())
            balance += released(running, ended)
            yield effect(kind=Kind(reason.value), trade=ended, balance=balance)


def _with_stop_loss(occasion: Occasion, command: OnTrade, *, level: Decimal | None) -> list[Change]:
    before = occasion.account.trade(command.id, TradeStatus.OPEN, TradeStatus.RUNNING)
    after = before.with_stop_loss(level, market=occasion.book.price)
    return [occasion.change(Kind.STOP_LOSS, command, after, balance=occasion.account.balance)]


def _with_take_profit(
    occasion: Occasion, command: OnTrade, *, level: Decimal | None
) -> list[Change]:
    before = occasion.account.trade(command.id, TradeStatus.OPEN, TradeStatus.RUNNING)
    after = before.with_take_profit(level, market=occasion.book.price)
    return [occasion.change(Kind.TAKE_PROFIT, command, after, balance=occasion.account.balance)]
