"""How near to liquidation positions are, and when that is news. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from automations.rules.measures import CROSS, Position, of_cross, of_trade
from exchanges.types import Holdings


class Danger(StrEnum):
    """A level of margin used; the worse one stands last."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse, from 1 on."""
        return list(Danger).index(self) + 1


BEGINS_AT = {Danger.WARNING: Decimal("0.8"), Danger.CRITICAL: Decimal("0.9")}
"""Margin used from which a level holds: 0 without a loss, 1 at liquidation."""

HYSTERESIS = Decimal("0.05")
"""A level that holds ends only when the margin used is less than this below where it begins."""


@dataclass(frozen=True, slots=True)
class Change:
    """A position's level is another one than before; None is well.

    `position` is None for one that is not there any more.
    """

    name: str
    before: Danger | None
    now: Danger | None
    position: Position | None

    @property
    def is_worse(self) -> bool:
        """Whether a level was crossed upwards."""
        return _rank(self.now) > _rank(self.before)


def level_of(margin_used: Decimal, before: Danger | None) -> Danger | None:
    """The level of a position that was at `before`; None where it is well."""
    for level in reversed(Danger):
        slack = HYSTERESIS if _rank(before) >= level.rank else 0
        if margin_used >= BEGINS_AT[level] - slack:
            return level
    return None


def changes(holdings: Holdings, price: Decimal, before: Mapping[str, Danger]) -> Iterator[Change]:
    """What has changed since `before`, the levels of all positions in danger by their names.

    A cross-margin position that was not read stays as it was.
    """
    gone = {name for name in before if name != CROSS or holdings.cross is not None}
    for position in positions_of(holdings):
        was = before.get(position.name)
        gone.discard(position.name)
        now = level_of(position.margin_used(price), was)
        if now is not was:
            yield Change(position.name, was, now, position)
    for name in sorted(gone):
        yield Change(name, before[name], None, None)


def positions_of(holdings: Holdings) -> Iterator[Position]:
    """The running positions: isolated trades, and the cross-margin position."""
    yield from map(of_trade, holdings.trades)
    if holdings.cross and (cross := of_cross(holdings.cross)):
        yield cross


def _rank(level: Danger | None) -> int:
    return level.rank if level else 0
