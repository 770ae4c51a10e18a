"""What follows from a request. Pure.

A decision looks at the book, raises `Refusal`, or answers with the changes that make it so. It
changes nothing itself. To add a request: its body in `commands`, its decision here, a line in
the table of `api`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges import inverse_futures as futures
from exchanges.paper.account import LIVE, Account
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.commands import (
    MAX_EXPOSURE,
    Command,
    MoveMargin,
    Nothing,
    OnTrade,
    OpenTrade,
    SetStopLoss,
    SetTakeProfit,
    StopMode,
)
from exchanges.paper.orders import place
from exchanges.paper.records import Record
from exchanges.paper.refusals import Refusal
from exchanges.paper.trades import IsolatedTrade, released
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
    """A market order runs at once, at ask or bid; so does a limit at the last price."""
    book = occasion.book
    price = order.price or _fill_price(occasion, order)
    trade = place(order, trade_id=occasion.id, price=price, at=occasion.at)
    _check_limits(occasion, trade)
    balance = occasion.balance_after(trade.held)
    if order.type is OrderType.MARKET or price == book.price:
        trade = trade.filled(at=occasion.at, fee_rate=occasion.account.fee_rate(occasion.at))
        if trade.is_lost(book.price_for(trade.exit_side, trade.quantity)):
            raise Refusal("leverage: the trade would be liquidated at once")
        trade = trade.checked(book.price)
    return [occasion.change(Kind.NEW_TRADE, order, trade, balance=balance)]


def close_trade(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Close the whole running trade at bid or ask."""
    before = occasion.account.trade(command.id, TradeStatus.RUNNING)
    after = before.closed(
        price=occasion.book.price_for(before.exit_side, before.quantity),
        at=occasion.at,
        fee_rate=occasion.account.fee_rate(occasion.at),
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
    book = occasion.book
    available = book.price_for(before.exit_side, before.quantity)
    after = before.cashed_in(command.amount, mark=book.price, available=available)
    balance = occasion.account.balance + command.amount
    return [occasion.change(Kind.CASH_IN, command, after, balance=balance)]


def set_stop_loss(occasion: Occasion, command: SetStopLoss) -> list[Change]:
    """0 removes it, like `remove_stop_loss`."""
    if command.mode is StopMode.FIXED or not command.value:
        return _with_stop_loss(occasion, command, level=command.value or None)
    before = occasion.account.trade(command.id, *LIVE)
    after = before.with_trailing_stop(command.value, market=occasion.book.price)
    return [occasion.change(Kind.STOP_LOSS, command, after, balance=occasion.account.balance)]


def remove_stop_loss(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Refused, as a level that changes nothing is, when there is none."""
    return _with_stop_loss(occasion, command, level=None)


def set_take_profit(occasion: Occasion, command: SetTakeProfit) -> list[Change]:
    """0 removes it, like `remove_take_profit`."""
    return _with_take_profit(occasion, command, level=command.value or None)


def remove_take_profit(occasion: Occasion, command: OnTrade) -> list[Change]:
    """Refused, as a level that changes nothing is, when there is none."""
    return _with_take_profit(occasion, command, level=None)


def _fill_price(occasion: Occasion, order: OpenTrade) -> Decimal:
    """Ask or bid for the size; an order by margin tells its size by the last price."""
    book = occasion.book
    quantity = order.quantity or futures.affordable_quantity(
        margin=order.margin or 0, price=book.price, leverage=order.leverage
    )
    return book.price_for(order.side, quantity)


def _check_limits(occasion: Occasion, trade: IsolatedTrade) -> None:
    live = occasion.account.live
    exposure = sum(each.quantity for each in live.values()) + trade.quantity
    if exposure > MAX_EXPOSURE:
        raise Refusal(f"quantity: exposure would become {exposure} USD, allowed are {MAX_EXPOSURE}")
    most = occasion.book.market.terms.max_trades
    if most is not None and len(live) >= most:
        raise Refusal(f"Too many trades: {len(live)} are open or running, allowed are {most}")


def _with_stop_loss(occasion: Occasion, command: OnTrade, *, level: Decimal | None) -> list[Change]:
    before = occasion.account.trade(command.id, *LIVE)
    after = before.with_stop_loss(level, market=occasion.book.price)
    return [occasion.change(Kind.STOP_LOSS, command, after, balance=occasion.account.balance)]


def _with_take_profit(
    occasion: Occasion, command: OnTrade, *, level: Decimal | None
) -> list[Change]:
    before = occasion.account.trade(command.id, *LIVE)
    after = before.with_take_profit(level, market=occasion.book.price)
    return [occasion.change(Kind.TAKE_PROFIT, command, after, balance=occasion.account.balance)]
