"""At which price something becomes so, and what to watch for it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from decimal import Decimal

from automations.rules.base import Direction, Level
from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.types import Side


def first_price(
    holds: Callable[[Decimal], bool], *, near: Decimal, direction: Direction
) -> Decimal | None:
    """The first price, in ticks on the way of `direction`, at which `holds` becomes true.

    It must stay true from one price on, all the way; None when it never is. The search begins
    `near` it, with steps that double, so that it looks at a few prices only.
    """
    sign = 1 if direction == "at_or_above" else -1

    def is_so(step: int) -> bool:
        return holds(sign * step * PRICE_TICK)

    first, last = sorted((sign, sign * int(MAX_PRICE / PRICE_TICK)))
    low = high = min(max(sign * int(near / PRICE_TICK), first), last)
    reach = 1
    while not is_so(high):
        if high == last:
            return None
        low, high, reach = high, min(high + reach, last), reach * 2
    while low > first and is_so(low):
        low, high, reach = max(low - reach, first), low, reach * 2
    steps = range(low, high + 1)
    return sign * steps[bisect_left(steps, True, key=is_so)] * PRICE_TICK


def crossing(
    name: str, direction: Direction, at: Decimal | None, *, price: Decimal
) -> Iterator[Level]:
    """The level at which `price` gets to `at`, or back, when it is there or beyond.

    None without `at`. `name` is the position's, empty for what concerns none.
    """
    if at is None:
        return
    is_there = price >= at if direction == "at_or_above" else price <= at
    if not is_there:
        yield Level(name, direction, at)
    elif direction == "at_or_above":
        yield Level(name, "at_or_below", at - PRICE_TICK)
    else:
        yield Level(name, "at_or_above", at + PRICE_TICK)


def wants_above(side: Side, *, is_stop: bool) -> bool:
    """Whether a stop loss, or else a take profit, of this side lies above the price."""
    return (side is Side.BUY) != is_stop


def is_misplaced(level: Decimal, price: Decimal, side: Side, *, is_stop: bool) -> bool:
    """Whether the exchange would refuse a stop loss or take profit with the market at `price`."""
    return level <= price if wants_above(side, is_stop=is_stop) else level >= price
