"""Which positions a rule looks at."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, StrictBool, StrictStr, ValidationInfo, field_validator

from automations.rules.base import RuleConfig
from automations.rules.measures import CROSS, Position, of_cross, of_trade
from automations.snapshots import Snapshot
from exchanges.types import Capability, Side


class Scope(RuleConfig):
    """A side or both, only some trades, all but some; `cross` is the cross-margin position.

    Trades are named by their ids; `isolated` and `cross` say which kind of margin is meant.
    """

    side: Literal["both", "long", "short"] = "both"
    only: tuple[StrictStr, ...] | None = Field(default=None, min_length=1)
    exclude: tuple[StrictStr, ...] = ()
    isolated: StrictBool = True
    cross: StrictBool = False

    @field_validator("exclude")
    @classmethod
    def _not_chosen_as_well(cls, exclude: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        both = set(exclude) & set(info.data.get("only") or ())
        if both:
            raise ValueError(f"names what `only` names as well: {', '.join(sorted(both))}")
        return exclude

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
        side = "long" if position.side is Side.BUY else "short"
        chosen = self.only is None or position.name in self.only or position.name == CROSS
        return chosen and position.name not in self.exclude and self.side in ("both", side)

    def _all(self, snapshot: Snapshot) -> Iterable[Position]:
        holdings = snapshot.holdings.value
        if self.isolated:
            yield from map(of_trade, holdings.trades)
        cross = of_cross(holdings.cross) if self.cross and holdings.cross else None
        if cross:
            yield cross
