"""What may be asked of the exchange: the bodies of its requests, typed and checked.

Numbers must be JSON numbers; fields that the exchange does not know are ignored, as it does.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from exchanges.inverse_futures import MAX_PRICE, PRICE_TICK
from exchanges.paper.refusals import Refusal
from exchanges.paper.scopes import Scope
from exchanges.types import CandleRange, OrderType, Side

MAX_LEVERAGE = 100
MAX_QUANTITY = 500_000
MAX_EXPOSURE = 10_000_000
"""USD of all live isolated trades of an account."""
MIN_TRAILING_DISTANCE = Decimal("0.001")
MAX_TRAILING_DISTANCE = Decimal(10)
MAX_SATS = 2_100_000_000_000_000
MAX_PAGE = 1000
T = TypeVar("T")


def _number(value: object) -> object:
    if type(value) in (int, Decimal):
        return value
    raise ValueError("must be a number")


def _on_tick(value: Decimal) -> Decimal:
    if value % PRICE_TICK:
        raise ValueError(f"must be a multiple of {PRICE_TICK}")
    return value


Number = Annotated[Decimal, BeforeValidator(_number)]
Price = Annotated[Number, Field(gt=0, le=MAX_PRICE), AfterValidator(_on_tick)]
Level = Annotated[Number, Field(ge=0, le=MAX_PRICE), AfterValidator(_on_tick)]
Stop = Annotated[Number, Field(ge=0, le=MAX_PRICE)]
Sats = Annotated[int, Field(strict=True, gt=0, le=MAX_SATS)]
PlacedType = Literal[OrderType.LIMIT, OrderType.MARKET]


class Command(BaseModel):
    """Base of all requests: camelCase on the wire, immutable."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    @classmethod
    def read(cls, body: object) -> Self:
        """Check a parsed body. Raises `Refusal` naming the field and what is allowed."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise Refusal(_sentence(error, allowed=cls.model_fields)) from None

    def as_json(self) -> dict[str, Any]:
        """The request as it stands in the ledger."""
        return self.model_dump(by_alias=True, exclude_none=True)


class StopMode(StrEnum):
    """Whether a stop loss stands at its price or follows the market at a distance."""

    FIXED = "fixed"
    TRAILING = "trailing"


def _check_stop(value: Decimal, mode: StopMode, *, name: str) -> None:
    if mode is StopMode.FIXED and value % PRICE_TICK:
        raise ValueError(f"{name}: must be a multiple of {PRICE_TICK}")
    follows = mode is StopMode.TRAILING and value
    if follows and not MIN_TRAILING_DISTANCE <= value <= MAX_TRAILING_DISTANCE:
        raise ValueError(
            f"{name}: {MIN_TRAILING_DISTANCE} to {MAX_TRAILING_DISTANCE} of the price when "
            "trailing, 0 for none"
        )


class OpenTrade(Command):
    """A new isolated trade: exactly one of `margin` (sats) and `quantity` (USD).

    `stoploss` is a price, or the fraction of the price at which it trails.
    """

    side: Side
    type: Literal[OrderType.MARKET, OrderType.LIMIT]
    leverage: Annotated[Number, Field(ge=1, le=MAX_LEVERAGE)]
    margin: Sats | None = None
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)] | None = None
    price: Price | None = None
    stoploss: Stop | None = None
    stoploss_mode: StopMode = StopMode.FIXED
    takeprofit: Level | None = None
    client_id: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.margin is None) == (self.quantity is None):
            raise ValueError("margin, quantity: exactly one of the two")
        if (self.price is None) == (self.type is OrderType.LIMIT):
            raise ValueError("price: required for a limit order, forbidden for a market order")
        _check_stop(self.stoploss or Decimal(0), self.stoploss_mode, name="stoploss")
        return self


class OnTrade(Command):
    """Names the trade to close or cancel, or whose stop loss or take profit is removed."""

    id: Annotated[str, Field(max_length=64)]


class MoveMargin(OnTrade):
    """Adds to or takes from what a running trade holds."""

    amount: Sats


class SetStopLoss(OnTrade):
    """A new stop loss, as a price or as the fraction at which it trails; 0 removes it."""

    value: Stop
    mode: StopMode = StopMode.FIXED

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _check_stop(self.value, self.mode, name="value")
        return self


class SetTakeProfit(OnTrade):
    """A new take profit; 0 removes it."""

    value: Level


class Nothing(Command):
    """A request that needs no body."""


class Page(Command):
    """Which part of a history is wanted; `cursor` is what the page before answered."""

    since: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = Field(None, alias="to")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    cursor: str | None = None

    def of(
        self, items: Sequence[T], *, key: Callable[[T], str], at: Callable[[T], datetime]
    ) -> tuple[list[T], bool]:
        """What of `items` is on the page, in their order, and whether there are more.

        Raises `Refusal` when the cursor is the `key` of none of them.
        """
        if self.cursor is not None:
            keys = [key(item) for item in items]
            if self.cursor not in keys:
                raise Refusal("cursor: must be the nextCursor of an earlier answer")
            items = items[keys.index(self.cursor) + 1 :]
        matching = [item for item in items if self._covers(at(item))]
        return matching[: self.limit], len(matching) > self.limit

    def _covers(self, at: datetime) -> bool:
        since, until = self.since or at, self.until or at
        return since <= at <= until


class FeesOf(Command):
    """Whose funding fees are wanted: those of one trade, or all."""

    trade_id: str | None = None


class CandlePage(Command):
    """Which candles are wanted; the cursor is the time of the oldest one on the page before."""

    span: CandleRange = Field(CandleRange.M1, alias="range")
    since: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = Field(None, alias="to")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    cursor: AwareDatetime | None = None


class ControlCommand(Command):
    """Base of what the control API takes: snake_case, and no field that it does not know."""

    model_config = ConfigDict(extra="forbid", alias_generator=None)


class CreateAccount(ControlCommand):
    """A new account that starts with `balance` sats, and a key for it.

    `permissions` are what the key may do, by default all but withdraw.
    """

    balance: Annotated[int, Field(strict=True, ge=0, le=MAX_SATS)]
    username: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    permissions: tuple[Scope, ...] | None = None


def _sentence(error: ValidationError, *, allowed: Iterable[str]) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    reason = str(first.get("ctx", {}).get("error", first["msg"]))
    if first["type"] == "extra_forbidden":
        reason = f"unknown, allowed: {', '.join(allowed)}"
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {reason}" if field else reason
