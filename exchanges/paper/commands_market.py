"""What may be asked of the market by the control API, typed and checked."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from exchanges.inverse_futures import PRICE_TICK
from exchanges.paper.clock import MAX_ADVANCE, MAX_SPEED, whole_milliseconds
from exchanges.paper.commands import MAX_QUANTITY, ControlCommand, Number, Price
from exchanges.paper.javascript import iso
from exchanges.paper.market import Depth, Terms
from exchanges.paper.prices import Scenario
from exchanges.paper.refusals import Refusal

MAX_STEPS = 100_000
MAX_INTERVAL_MS = 3_600_000
MAX_FUNDING_RATE = Decimal("0.1")
MAX_SPREAD = 10_000
MAX_DEPTHS = 20


def _from_text(value: object) -> object:
    """Decimals may be written as text, which loses no digit in any language."""
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError("must be a number") from None


PriceOrText = Annotated[Price, BeforeValidator(_from_text)]
NumberOrText = Annotated[Number, BeforeValidator(_from_text)]
Interval = Annotated[int, Field(ge=0, le=MAX_INTERVAL_MS)]


class SetPrice(ControlCommand):
    """The new last price in USD."""

    price: PriceOrText


class PlayPrices(ControlCommand):
    """Prices to come, `interval_ms` apart, the first at once."""

    prices: Annotated[list[PriceOrText], Field(min_length=1, max_length=MAX_STEPS)]
    interval_ms: Annotated[Interval, Field(strict=True)]


class PlayScenario(ControlCommand):
    """`steps` prices drawn from `seed`, from the last price on, `interval_ms` apart."""

    name: Scenario
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)]
    steps: Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)]
    interval_ms: Annotated[Interval, Field(strict=True)]


class PlayCandles(ControlCommand):
    """How the candles of a CSV are played; without `interval_ms` they become history only."""

    interval_ms: Interval | None = None


class MoveClock(ControlCommand):
    """Where the clock jumps to, never back, and how fast it goes from there; 0 stops it."""

    at: AwareDatetime | None = None
    advance_seconds: (
        Annotated[NumberOrText, Field(gt=0, le=int(MAX_ADVANCE.total_seconds()))] | None
    ) = None
    speed: Annotated[NumberOrText, Field(ge=0, le=MAX_SPEED)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.at is not None and self.advance_seconds is not None:
            raise ValueError("at, advance_seconds: only one of the two")
        if not self.model_fields_set:
            raise ValueError("at, advance_seconds, speed: at least one of them")
        return self

    def target(self, now: datetime) -> datetime:
        """Where the clock is to jump to when it shows `now`. Raises `Refusal`."""
        advance = timedelta(milliseconds=int((self.advance_seconds or 0) * 1000))
        target = whole_milliseconds(self.at) if self.at else now + advance
        if not now <= target <= now + MAX_ADVANCE:
            raise Refusal(
                f"at: the clock shows {iso(now)}, it may jump ahead {MAX_ADVANCE.days} days at most"
            )
        return target


class SetDepth(ControlCommand):
    """Ask and bid are `spread` USD apart for orders of up to `max_size` USD."""

    max_size: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
    spread: Annotated[NumberOrText, Field(ge=0, le=MAX_SPREAD, multiple_of=2 * PRICE_TICK)]


class SetTerms(ControlCommand):
    """New terms of the market; what is not named stays as it is."""

    funding_rate: Annotated[NumberOrText, Field(ge=-MAX_FUNDING_RATE, le=MAX_FUNDING_RATE)] = (
        Decimal(0)
    )
    depths: Annotated[list[SetDepth], Field(min_length=1, max_length=MAX_DEPTHS)] = Field(
        default_factory=list
    )
    max_trades: Annotated[int, Field(strict=True, ge=0)] | None = None

    @model_validator(mode="after")
    def _covers_all_sizes(self) -> Self:
        sizes = [depth.max_size for depth in self.depths]
        if "depths" in self.model_fields_set and (
            sizes != sorted(set(sizes)) or sizes[-1] != MAX_QUANTITY
        ):
            raise ValueError(f"depths: max_size must rise, the last must be {MAX_QUANTITY}")
        return self

    def after(self, terms: Terms) -> Terms:
        """What holds from now on, where `terms` held before."""
        given = self.model_fields_set
        depths = tuple(Depth(depth.max_size, depth.spread) for depth in self.depths)
        return Terms(
            funding_rate=self.funding_rate if "funding_rate" in given else terms.funding_rate,
            depths=depths if "depths" in given else terms.depths,
            max_trades=self.max_trades if "max_trades" in given else terms.max_trades,
        )
