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
    """Make the position smaller.

    An isolated trade cannot be reduced: it is closed, and what stays is opened again. On cross
    margin it is one opposite order.
    """

    type: Literal["reduce_position"]
    percent: Decimal = Field(ge=1, le=99, decimal_places=2)
    """By how many % of its quantity."""
    max_slippage: Decimal = Field(default=Decimal("0.5"), gt=0, le=10, decimal_places=2)
    """What stays of an isolated trade is opened again unless the price has got worse by more than
    this many %."""


class ClosePosition(RuleConfig):
    """Close the position at the market."""

    type: Literal["close_position"]


class AddLess(RuleConfig):
    """Add what balance and caps still allow."""

    type: Literal["partial"]


Fallback = Annotated[AddLess | ReducePosition | ClosePosition, Field(discriminator="type")]


class TakeBack(RuleConfig):
    """Take back what was added, once an isolated trade does without it."""

    below: Annotated[Decimal, Field(ge=Decimal("0.01"), le=Decimal("0.9"), decimal_places=4)]
    """The fraction of the margin that may be used when what was added is out again."""


class AddMargin(RuleConfig):
    """Add margin: a fixed amount, or as much as brings the margin used down to a target."""

    type: Literal["add_margin"]
    amount: Sats | None = None
    """Sats to add each time; give this or `target`."""
    target: Share | None = None
    """The fraction of the margin that is to be used afterwards; give this or `amount`."""
    max_per_position: Sats
    """Sats that are added to one position at most, whatever is taken back."""
    max_per_day: Sats
    """Sats that are added to all positions together within 24 hours at most."""
    fallback: Fallback | None = None
    """What is done when free balance or caps are too small; without it nothing is."""
    take_back: TakeBack | None = None
    """When what was added is taken back; without it never."""

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
    """When a position is in danger, and what is done about it."""

    threshold: Decimal = Field(ge=Decimal("0.001"), le=Decimal("0.99"), decimal_places=4)
    """The value of the measure, as a fraction, from which it acts."""
    measure: Literal["margin_used", "margin_ratio", "liquidation_distance"] = Field(
        default="margin_used", validate_default=True
    )
    """`margin_used`: the loss as a fraction of the margin, at or above the threshold;
    `margin_ratio`: the exchange's own, at or above, which comes very late;
    `liquidation_distance`: from price to liquidation as a fraction of the price, at or below."""
    action: AddMargin | ReducePosition | ClosePosition = Field(discriminator="type")
    """What is done."""
    scope: Scope = Scope()
    """For which positions."""
    cool_down: StrictInt = Field(default=60, ge=0, le=86_400)
    """Seconds to wait after each action, per position."""

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
        below = action.take_back and action.take_back.below
        for name, level in (("target", action.target), ("take_back.below", below)):
            if level is not None and level >= threshold:
                raise ValueError(f"{name}: must be below the threshold of {threshold}")
        return action

    @field_validator("scope")
    @classmethod
    def _can_be_taken_back(cls, scope: Scope, info: ValidationInfo) -> Scope:
        action = info.data.get("action")
        if isinstance(action, AddMargin) and action.take_back and not scope.isolated:
            raise ValueError("isolated: must be true with take_back, which is for isolated trades")
        return scope

    def needs(self) -> frozenset[Capability]:
        """Isolated or cross margin, as the scope says."""
        return self.scope.needs()
