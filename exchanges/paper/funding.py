"""Funding: three times a day, one side of the market pays the other. Pure.

    fee = round(quantity · 10⁸ / fixing price · rate) sats

Longs pay when the rate is positive, shorts when it is negative. What a trade pays comes out of
its margin, so that its liquidation creeps nearer; one that cannot pay is liquidated. What it
receives goes to the balance.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from exchanges import inverse_futures as futures
from exchanges.paper import moves_cross
from exchanges.paper.account import Account
from exchanges.paper.book import Book
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.market import Terms
from exchanges.paper.trades import released
from exchanges.types import FundingFee, FundingSettlement, TradeStatus


def settle(book: Book, *, at: datetime, settlement_id: str) -> list[Change]:
    """The settlement of the whole market, then what it costs and brings every account."""
    terms = book.market.terms
    settlement = FundingSettlement(
        id=settlement_id, at=at, rate=terms.funding_rate, fixing_price=book.price
    )
    change = Change(
        at=at, kind=Kind.SETTLEMENT, by=By.MARKET, price=book.price, records=(settlement,)
    )
    changes = [change]
    for account in book.accounts.values() if settlement.rate else ():
        changes.extend(_isolated(account, settlement, terms))
        changes.extend(moves_cross.after_funding(account, settlement, price=book.price, at=at))
    return changes


def _isolated(account: Account, settlement: FundingSettlement, terms: Terms) -> Iterator[Change]:
    price, at = settlement.fixing_price, settlement.at
    effect = partial(Change, at=at, by=By.MARKET, price=price, account_id=account.id)
    balance = account.balance
    for trade in account.trades(TradeStatus.RUNNING):
        fee = futures.funding_fee(
            side=trade.side, quantity=trade.quantity, fixing_price=price, rate=settlement.rate
        )
        available = terms.price_for(trade.exit_side, trade.quantity, last=price)
        funded = trade
        if fee < trade.margin and fee != 0:
            funded = trade.funded(fee)
            balance += max(-fee, 0)
            record = FundingFee(fee=fee, settlement_id=settlement.id, at=at, trade_id=trade.id)
            yield effect(kind=Kind.FUNDING, trade=funded, balance=balance, records=(record,))
        if fee >= trade.margin or funded.is_lost(available):
            ended = funded.liquidated(at=at, fee_rate=account.fee_rate(at))
            balance += released(funded, ended)
            yield effect(kind=Kind.LIQUIDATION, trade=ended, balance=balance)
