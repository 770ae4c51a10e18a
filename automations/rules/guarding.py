"""What a margin guard can be told: its config, and how each setting is worded."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, ValidationInfo, field_validator, model_validator

from automations.rules.base import RuleConfig
from automations.rules.scope import Scope
from exchanges.types import Capability

MAX_SATS = 100_000_000_000

Sats = Annotated[StrictInt, Field(ge=1, le=MAX_SATS)]
Share = Annotated[Decimal, Field(ge=Decimal("0.05"), le=Decimal("0.99"), decimal_places=4)]


class ReducePosition(RuleConfig):
    """Reduce the position by `percent` of its quantity.

    An isolated trade cannot be reduced: it is closed and what is left opened again, unless the
    price has moved by more than `max_slippage` %. On cross margin it is one opposite order.
    """

    type: Literal["reduce_position"]
    percent: Decimal = Field(ge=1, le=99, decimal_places=2)
    max_slippage: Decimal = Field(default=Decimal("0.5"), gt=0, le=10, decimal_places=2)


class ClosePosition(RuleConfig):
    """Close the position at the market."""

    type: Literal["close_position"]


class AddLess(RuleConfig):
    """Add what balance and caps still allow."""

    type: Literal["partial"]


Fallback = Annotated[AddLess | ReducePosition | ClosePosition, Field(discriminator="type")]


class TakeBack(RuleConfig):
    """Take what was added back once no more than `below` of the margin is used.

    So much is left in that not more than `below` is used afterwards.
    """

    below: Annotated[Decimal, Field(ge=Decimal("0.01"), le=Decimal("0.9"), decimal_places=4)]


class AddMargin(RuleConfig):
    """Add `amount` sats, or as many as bring the margin used down to `target`.

    Never more than the two caps (sats; a day is 24 hours). `fallback` is what is done when the
    free balance is too small.
    """

    type: Literal["add_margin"]
    amount: Sats | None = None
    target: Share | None = None
    max_per_position: Sats
    max_per_day: Sats
    fallback: Fallback | None = None
    take_back: TakeBack | None = None

    @field_validator("max_per_position", "max_per_day")
    @classmethod
    def _room_for_one(cls, cap: int, info: ValidationInfo) -> int:
        amount = info.data.get("amount") or 0
        if cap < amount:
            raise ValueError(f"must be at least the amount of {amount:,}, or nothing is ever added")
        return cap

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.amount is None) == (self.target is None):
            raise ValueError("amount, target: give exactly one of the two")
        return self


class MarginGuardConfig(RuleConfig):
    """`threshold` is of the `measure`; `cool_down` is seconds per position.

    margin_used           max(0, −P&L) / margin: acts at or above the threshold
    margin_ratio          the exchange's own ratio: at or above; it comes very late
    liquidation_distance  |price − liquidation| / price: at or below
    """

    threshold: Decimal = Field(ge=Decimal("0.001"), le=Decimal("0.99"), decimal_places=4)
    measure: Literal["margin_used", "margin_ratio", "liquidation_distance"] = "margin_used"
    action: AddMargin | ReducePosition | ClosePosition = Field(discriminator="type")
    scope: Scope = Scope()
    cool_down: StrictInt = Field(default=60, ge=0, le=86_400)

    @field_validator("measure")
    @classmethod
    def _threshold_fits(cls, measure: str, info: ValidationInfo) -> str:
        if measure != "liquidation_distance" and info.data.get("threshold", 1) < Decimal("0.05"):
            raise ValueError(f"with {measure} the threshold must be at least 0.05")
        return measure

    @field_validator("action")
    @classmethod
    def _goes_below_the_threshold(
        cls, action: AddMargin | ReducePosition | ClosePosition, info: ValidationInfo
    ) -> AddMargin | ReducePosition | ClosePosition:
        threshold = info.data.get("threshold")
        if not isinstance(action, AddMargin) or threshold is None:
            return action
        if info.data.get("measure") != "margin_used":
            if action.target is not None or action.take_back is not None:
                raise ValueError("target, take_back: only with the measure margin_used")
            return action
        for name, level in (
            ("target", action.target),
            ("take_back.below", action.take_back and action.take_back.below),
        ):
            if level is not None and level >= threshold:
                raise ValueError(f"{name}: must be below the threshold of {threshold}")
        return action

    def needs(self) -> frozenset[Capability]:
        """Isolated or cross margin, as the scope says."""
        return self.scope.needs()
