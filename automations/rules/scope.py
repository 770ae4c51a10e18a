"""Which positions a rule looks at."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationInfo, field_validator

from automations.rules.base import RuleConfig
from automations.rules.measures import CROSS, Position, of_cross, of_trade
from automations.snapshots import Snapshot
from exchanges.types import Capability, Side

TradeId = Annotated[StrictStr, Field(min_length=1, max_length=64)]


class Scope(RuleConfig):
    """The positions that are looked at: by side, by trade, by kind of margin."""

    side: Literal["both", "long", "short"] = "both"
    """Of which side."""
    only: tuple[TradeId, ...] | None = Field(default=None, min_length=1, max_length=100)
    """Of the isolated trades only these, by their ids; without it all of them."""
    exclude: tuple[TradeId, ...] = Field(default=(), max_length=100)
    """Isolated trades that are left alone, by their ids."""
    isolated: StrictBool = True
    """Whether isolated trades are looked at."""
    cross: StrictBool = Field(default=False, validate_default=True)
    """Whether the cross-margin position is looked at."""

    @field_validator("exclude")
    @classmethod
    def _not_chosen_as_well(cls, exclude: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        both = set(exclude) & set(info.data.get("only") or ())
        if both:
            raise ValueError(f"names what `only` names as well: {', '.join(sorted(both))}")
        return exclude

    @field_validator("isolated")
    @classmethod
    def _has_what_is_chosen(cls, isolated: bool, info: ValidationInfo) -> bool:
        if not isolated and info.data.get("only"):
            raise ValueError("must be true where `only` names trades, which are isolated")
        return isolated

    @field_validator("cross")
    @classmethod
    def _something(cls, cross: bool, info: ValidationInfo) -> bool:
        if not cross and not info.data.get("isolated", True):
            raise ValueError("must be true where `isolated` is false, or nothing is looked at")
        return cross

    def needs(self) -> frozenset[Capability]:
        """The parts of the port that its positions are in."""
        kinds = {Capability.ISOLATED: self.isolated, Capability.CROSS: self.cross}
        return frozenset(kind for kind, is_meant in kinds.items() if is_meant)

    def positions(self, snapshot: Snapshot) -> list[Position]:
        """The running positions that it includes."""
        return [position for position in self._all(snapshot) if self.includes(position)]

    def includes(self, position: Position) -> bool:
        """Whether `position` is meant."""
        if self.side not in ("both", "long" if position.side is Side.BUY else "short"):
            return False
        if position.name == CROSS:
            return self.cross
        return (
            self.isolated
            and position.name not in self.exclude
            and (self.only is None or position.name in self.only)
        )

    def _all(self, snapshot: Snapshot) -> Iterable[Position]:
        if self.isolated:
            yield from map(of_trade, snapshot.holdings.value.trades)
        if self.cross and (cross := of_cross(snapshot.cross)):
            yield cross
