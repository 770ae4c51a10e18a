"""The arithmetic of inverse perpetual futures: quoted in USD, margined and settled in sats.

Q is the quantity in USD, P the price the P&L counts from, X the price now, L the leverage and
M the margin in sats. Sources: LN Markets' documentation and published maths; rounding as
observed on the exchange.
"""

from bisect import bisect_left
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from exchanges.types import Side

SATS_PER_BTC = Decimal(100_000_000)
PRICE_TICK = Decimal("0.5")
MAX_PRICE = Decimal(100_000_000)
MOVED_PRICE_TICK = Decimal("1e-8")

FEE_RATES = (Decimal("0.001"), Decimal("0.0008"), Decimal("0.0007"), Decimal("0.0006"))
"""Fraction of the notional taken at opening and at closing, by fee tier."""

FEE_TIER_VOLUMES = (250_000, 1_000_000, 5_000_000)
"""USD traded in 30 days beyond which the next fee tier begins."""


def notional(*, quantity: int, price: Decimal) -> Decimal:
    """Q·10⁸/P: what `quantity` USD are worth in sats at `price`, not rounded."""
    return quantity * SATS_PER_BTC / price


def profit_and_loss(*, side: Side, quantity: int, entry: Decimal, price: Decimal) -> int:
    """P&L in sats at `price`, rounded down: long Q·10⁸·(1/P − 1/X), short the negative."""
    gain = price - entry if side is Side.BUY else entry - price
    exact = quantity * SATS_PER_BTC * gain / (entry * price)
    return int(exact.to_integral_value(ROUND_FLOOR))


def required_margin(*, quantity: int, price: Decimal, leverage: Decimal) -> int:
    """ceil(Q·10⁸/(P·L)) sats."""
    exact = notional(quantity=quantity, price=price) / leverage
    return int(exact.to_integral_value(ROUND_CEILING))


def affordable_quantity(*, margin: int, price: Decimal, leverage: Decimal) -> int:
    """floor(M·L·P/10⁸) USD."""
    exact = margin * leverage * price / SATS_PER_BTC
    return int(exact.to_integral_value(ROUND_FLOOR))


def leverage_of(*, quantity: int, price: Decimal, margin: int) -> Decimal:
    """Q·10⁸/(M·P)."""
    return notional(quantity=quantity, price=price) / margin


def liquidation_price(*, side: Side, quantity: int, price: Decimal, leverage: Decimal) -> Decimal:
    """Price at which margin + P&L is gone: long 1/(1/P + m), short 1/(1/P − m).

    m is the margin per USD in bitcoin, from the margin rounded down to whole sats. The result is
    rounded to the 0.5 tick and capped at 100,000,000 (a short at 1x is never liquidated).
    """
    exact = notional(quantity=quantity, price=price) / leverage
    margin = exact.to_integral_value(ROUND_FLOOR)
    return price_at_loss(side=side, quantity=quantity, entry=price, loss=margin)


def price_at_loss(*, side: Side, quantity: int, entry: Decimal, loss: Decimal) -> Decimal:
    """Price at which the P&L is −`loss` sats, to the nearest 0.5, capped at `MAX_PRICE`."""
    per_usd = loss / SATS_PER_BTC / quantity
    inverse = 1 / entry + (per_usd if side is Side.BUY else -per_usd)
    if inverse <= 1 / MAX_PRICE:
        return MAX_PRICE
    return (1 / inverse / PRICE_TICK).to_integral_value(ROUND_HALF_EVEN) * PRICE_TICK


def price_after_cash_in(*, side: Side, quantity: int, price: Decimal, profit: int) -> Decimal:
    """The P&L's new basis once `profit` sats were paid out: long 1/P' = 1/P − profit/(Q·10⁸).

    Rounded at the eighth decimal in the trader's favour, so that no sat of the rest is lost.
    """
    paid_out = profit / SATS_PER_BTC / quantity
    exact = 1 / (1 / price - (paid_out if side is Side.BUY else -paid_out))
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return exact.quantize(MOVED_PRICE_TICK, rounding)


def fee_tier(volume: int) -> int:
    """0 to 3, from the USD traded in the last 30 days."""
    return bisect_left(FEE_TIER_VOLUMES, volume)


def trading_fee(*, quantity: int, price: Decimal, rate: Decimal) -> int:
    """floor(Q·10⁸/price · rate) sats, charged at opening and again at closing."""
    return int((notional(quantity=quantity, price=price) * rate).to_integral_value(ROUND_FLOOR))


def funding_fee(*, side: Side, quantity: int, fixing_price: Decimal, rate: Decimal) -> int:
    """round(Q·10⁸/fixing price · rate) sats: paid when positive, received when negative.

    At a rate above 0 longs pay shorts.
    """
    exact = notional(quantity=quantity, price=fixing_price) * rate
    fee = int(exact.to_integral_value(ROUND_HALF_EVEN))
    return fee if side is Side.BUY else -fee


def fee_reserve(*, quantity: int, entry: Decimal, liquidation: Decimal) -> int:
    """What is set aside for both fees: at the entry and at the liquidation price, lowest tier."""
    rate = FEE_RATES[0]
    opening = trading_fee(quantity=quantity, price=entry, rate=rate)
    return opening + trading_fee(quantity=quantity, price=liquidation, rate=rate)
