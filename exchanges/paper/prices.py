"""Where prices come from: scenarios drawn from a seed, and candles out of a CSV file. Pure."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.clock import EPOCH, whole_milliseconds
from exchanges.types import Candle

EXTREME_PROBABILITY = Decimal("0.05")
"""How often a step of the volatile scenario is an extreme event."""

COLUMNS = ("time", "open", "high", "low", "close", "volume")
MAX_CELL = 40
MAX_FAULTS_TOLD = 10
MAX_LINES = 100_000
MAX_VOLUME = Decimal("1e18")


class Scenario(StrEnum):
    """How a market goes.

    Each step adds a fraction of the starting price, with r drawn anew from [0, 1), or from
    [-0.5, 0.5) where the market has no direction:

        bull      0.001 + 0.002·r             bear      −0.002 + 0.003·r
        sideways  0.005·r                     volatile  0.01·r, or 0.05·r on an extreme event
    """

    BULL = "bull"
    BEAR = "bear"
    SIDEWAYS = "sideways"
    VOLATILE = "volatile"


class BadCandles(ValueError):
    """What is wrong with a CSV of candles: every bad line with its number and field."""


def scenario_prices(
    scenario: Scenario, *, start: Decimal, seed: int, steps: int
) -> Iterator[Decimal]:
    """The next `steps` prices after `start`, in USD; the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - it must be reproducible, not secret
    price = start
    for _ in range(steps):
        price = min(max(price + start * _growth(scenario, draw), PRICE_TICK), MAX_PRICE)
        yield on_tick(price)


def on_tick(price: Decimal) -> Decimal:
    """The nearest multiple of 0.5 that a price may have."""
    ticks = (price / PRICE_TICK).to_integral_value(ROUND_HALF_EVEN)
    return min(max(ticks * PRICE_TICK, PRICE_TICK), MAX_PRICE)


def read_candles(text: str) -> list[Candle]:
    """The candles of a CSV: `time,open,high,low,close[,volume]`, oldest first.

    `time` is ISO 8601 with a zone, or whole milliseconds since 1970. A first line that begins
    with "time" is a heading. Prices are rounded to the 0.5 tick. Raises `BadCandles`.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > MAX_LINES:
        raise BadCandles(f"{len(lines)} lines: at most {MAX_LINES}")
    candles: list[Candle] = []
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""] or (number == 1 and cells[0].lower() == COLUMNS[0]):
            continue
        try:
            candles.append(_read_line(cells, after=candles[-1].at if candles else None))
        except ValueError as error:
            faults.append(f"line {number}, {error}")
    if faults:
        raise BadCandles(_told(faults))
    if not candles:
        raise BadCandles("no candles: at least one line of " + ",".join(COLUMNS))
    return candles


def path_of(candles: Sequence[Candle]) -> list[Decimal]:
    """The prices to play: open, of high and low the one nearer to it first, close."""
    prices: list[Decimal] = []
    for candle in candles:
        extremes = [candle.low, candle.high]
        if candle.high - candle.open < candle.open - candle.low:
            extremes.reverse()
        prices += [candle.open, *extremes, candle.close]
    return prices


def _growth(scenario: Scenario, draw: random.Random) -> Decimal:
    r = Decimal(draw.random())
    centred = r - Decimal("0.5")
    match scenario:
        case Scenario.BULL:
            return Decimal("0.001") + r * Decimal("0.002")
        case Scenario.BEAR:
            return Decimal("-0.002") + r * Decimal("0.003")
        case Scenario.SIDEWAYS:
            return centred * Decimal("0.005")
        case Scenario.VOLATILE:
            is_extreme = draw.random() < EXTREME_PROBABILITY
            return centred * Decimal("0.05" if is_extreme else "0.01")


def _read_line(cells: Sequence[str], *, after: datetime | None) -> Candle:
    if len(cells) not in (len(COLUMNS) - 1, len(COLUMNS)):
        raise ValueError(f"columns: {','.join(COLUMNS)}, volume may be missing, not {len(cells)}")
    given = dict(zip(COLUMNS, cells, strict=False))
    at = _time(given["time"])
    if after is not None and at <= after:
        raise ValueError(f"time: must be later than the line before, {after.isoformat()}")
    opened, high, low, close = (_price(name, given[name]) for name in COLUMNS[1:5])
    if high < max(opened, close):
        raise ValueError("high: must not be below open or close")
    if low > min(opened, close):
        raise ValueError("low: must not be above open or close")
    volume = _number("volume", given.get("volume", "0"))
    if not 0 <= volume <= MAX_VOLUME:
        raise ValueError(f"volume: 0 to {MAX_VOLUME}")
    return Candle(at, on_tick(opened), on_tick(high), on_tick(low), on_tick(close), volume)


def _time(text: str) -> datetime:
    try:
        if text.isdecimal():
            return EPOCH + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return whole_milliseconds(at)
    except (ValueError, OverflowError):
        pass
    raise ValueError("time: must be ISO 8601 with a zone, or milliseconds since 1970")


def _price(name: str, text: str) -> Decimal:
    price = _number(name, text)
    if not 0 < price <= MAX_PRICE:
        raise ValueError(f"{name}: more than 0, up to {MAX_PRICE}")
    return price


def _number(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text if len(text) <= MAX_CELL else "")
    except ArithmeticError:
        raise ValueError(f"{name}: must be a number of at most {MAX_CELL} characters") from None
    if not value.is_finite():
        raise ValueError(f"{name}: must be finite")
    return value


def _told(faults: Sequence[str]) -> str:
    told = "; ".join(faults[:MAX_FAULTS_TOLD])
    more = len(faults) - MAX_FAULTS_TOLD
    return f"{told}; and {more} more" if more > 0 else told
