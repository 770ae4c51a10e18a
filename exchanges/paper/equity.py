"""What an account is worth: all it holds, as if everything were closed without fees. Pure."""

from decimal import ROUND_FLOOR

from exchanges.inverse_futures import SATS_PER_BTC
from exchanges.paper.account import Account
from exchanges.paper.book import Book
from exchanges.paper.swaps import CENTS_PER_DOLLAR, best_price


def equity(account: Account, book: Book) -> int:
    """Sats: the balance, what live trades hold, the cross margin, both with their P&L at the last
    price, and the synthetic dollars at the ask."""
    live = account.live.values()
    isolated = sum(trade.held + trade.pl_at(book.price) for trade in live)
    cross = account.cross.margin + account.cross.pl_at(book.price)
    worth = account.usd * SATS_PER_BTC / best_price(book).ask / CENTS_PER_DOLLAR
    return account.balance + isolated + cross + int(worth.to_integral_value(ROUND_FLOOR))
