"""Synthetic dollars: bitcoin against dollars at the price of the moment. Pure.

Bitcoin are sold at the bid and bought at the ask; what is less than a cent or a sat stays with the
exchange. The book counts in sats and cents. How dollars are written in requests and in answers,
LN Markets' official sources disagree about; `UsdUnit` is the one place that decides it.
"""

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import NamedTuple

from exchanges.inverse_futures import SATS_PER_BTC
from exchanges.paper.book import Book
from exchanges.paper.changes import Change, Kind
from exchanges.paper.commands_account import SwapAssets
from exchanges.paper.decisions import Occasion
from exchanges.paper.refusals import Refusal
from exchanges.types import Asset, BestPrice, Side, Swap

MIN_SATS = 1_000
CENTS_PER_DOLLAR = 100


class UsdUnit(StrEnum):
    """How dollars are written: in cents, in dollars, or as the documentation of the official
    Python SDK 0.2.0 has it, cents in requests and dollars in answers."""

    DOCUMENTED = "documented"
    CENTS = "cents"
    DOLLARS = "dollars"

    @property
    def cents_asked(self) -> int:
        """Cents in one unit of a request."""
        return CENTS_PER_DOLLAR if self is UsdUnit.DOLLARS else 1

    @property
    def cents_answered(self) -> int:
        """Cents in one unit of an answer."""
        return 1 if self is UsdUnit.CENTS else CENTS_PER_DOLLAR


class Exchanged(NamedTuple):
    """Both sides of a swap, bitcoin in sats, dollars in cents."""

    given: int
    taken: int


def best_price(book: Book) -> BestPrice:
    """What a swap pays for bitcoin, and what it takes for them."""
    return BestPrice(ask=book.price_for(Side.BUY, 1), bid=book.price_for(Side.SELL, 1))


def swap(occasion: Occasion, command: SwapAssets, *, unit: UsdUnit) -> list[Change]:
    """At least 1,000 sats, in or out."""
    account = occasion.account
    price = best_price(occasion.book)
    if command.in_asset is Asset.BTC:
        amounts = _sold(_whole(command.in_amount, "sat"), bid=price.bid)
        balance = occasion.balance_after(amounts.given)
        usd = account.usd + amounts.taken
    else:
        cents = _whole(command.in_amount * unit.cents_asked, "cent")
        amounts = _bought(cents, ask=price.ask)
        if cents > account.usd:
            raise Refusal(
                f"Insufficient synthetic USD balance: {cents} cents needed, {account.usd} there"
            )
        balance = account.balance + amounts.taken
        usd = account.usd - cents
    record = Swap(
        id=occasion.id,
        in_amount=amounts.given,
        in_asset=command.in_asset,
        out_amount=amounts.taken,
        out_asset=command.out_asset,
        created_at=occasion.at,
    )
    return [occasion.change(Kind.SWAP, command, balance=balance, usd=usd, records=(record,))]


def done_at(swap: Swap) -> datetime:
    """When it was done. Raises `ValueError`: one that the exchange keeps has a time."""
    if swap.created_at is None:
        raise ValueError(f"swap {swap.id} has no time")
    return swap.created_at


def _sold(sats: int, *, bid: Decimal) -> Exchanged:
    _check(sats)
    return Exchanged(sats, _floor(sats * bid * CENTS_PER_DOLLAR / SATS_PER_BTC))


def _bought(cents: int, *, ask: Decimal) -> Exchanged:
    sats = _floor(cents * SATS_PER_BTC / ask / CENTS_PER_DOLLAR)
    _check(sats)
    return Exchanged(cents, sats)


def _check(sats: int) -> None:
    if sats < MIN_SATS:
        raise Refusal(f"inAmount: at least {MIN_SATS} sats or their worth, not {sats}")


def _whole(amount: Decimal, unit: str) -> int:
    if amount % 1:
        raise Refusal(f"inAmount: must be in whole {unit}s")
    return int(amount)


def _floor(exact: Decimal) -> int:
    return int(exact.to_integral_value(ROUND_FLOOR))
