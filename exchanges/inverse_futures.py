"""The arithmetic of inverse perpetual futures: quoted in USD, margined and settled in sats.

Q is the quantity in USD, P the price the P&L counts from, X the price now, L the leverage and
M the margin in sats. Sources: LN Markets' documentation and published maths; rounding as
observed on the exchange.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from exchanges.types import Side

SATS_PER_BTC = Decimal(100_000_000)
PRICE_TICK = Decimal("0.5")
MAX_PRICE = Decimal(100_000_000)


def notional(*, quantity: int, price: Decimal) -> Decimal:
    """Q·10⁸/P: what `quantity` USD are worth in sats at `price`, not rounded."""
    return quantity * SATS_PER_BTC / price


def profit_and_loss(*, side: Side, quantity: int, entry: Decimal, price: Decimal) -> int:
    """P&L in sats at `price`, rounded down: long Q·10⁸·(1/P − 1/X), short the negative."""
    long_pl = notional(quantity=quantity, price=entry) - notional(quantity=quantity, price=price)
    return int((long_pl if side is Side.BUY else -long_pl).to_integral_value(ROUND_FLOOR))


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
