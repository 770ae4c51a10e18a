"""What a margin guard can do for a position, if it can; each says what it does, or why it does not.

Adding margin is a step that must not be repeated while an earlier one's outcome is unknown. To
close names a state, and stays allowed: an ambiguous top-up must not forbid the close that saves
the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import assert_never

from automations.rules import actions, reopening
from automations.rules.actions import Action, OrderCross
from automations.rules.base import Level, Reason, Severity
from automations.rules.guarding import (
    AddLess,
    AddMargin,
    ClosePosition,
    Fallback,
    ReducePosition,
    TakeBack,
)
from automations.rules.levels import crossing, first_price
from automations.rules.measures import CROSS, MAX_LEVERAGE, Position
from automations.rules.purse import DAY, Purse
from automations.rules.unfinished import unfinished
from automations.snapshots import Snapshot
from exchanges.inverse_futures import notional, required_margin

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Actions on one position, and why; without actions, why not."""

    actions: tuple[Action, ...]
    reason: Reason

    @classmethod
    def none(cls, code: str, text: str, severity: Severity = Severity.INFO) -> "Remedy":
        """Nothing, for this reason."""
        return cls((), Reason(code, text, severity))

    @classmethod
    def doing(cls, text: str, *doing: Action) -> "Remedy":
        """These actions; `text` says so in a few words."""
        return cls(doing, Reason("doing", text))


@dataclass(frozen=True, slots=True)
class Room:
    """How many sats may be added as far as one thing is concerned; `text` says how it stands."""

    code: str
    sats: int
    text: str


def remedy(
    position: Position,
    snapshot: Snapshot,
    setting: AddMargin | ReducePosition | ClosePosition,
    purse: Purse,
) -> Remedy:
    """What is done about a position that has reached the threshold."""
    match setting:
        case AddMargin():
            return _add(position, snapshot, setting, purse)
        case ReducePosition():
            return _reduce(position, snapshot, setting, purse)
        case ClosePosition():
            return _close(position, snapshot)
        case _:
            assert_never(setting)


def turning_points(
    position: Position,
    snapshot: Snapshot,
    setting: AddMargin | Fallback,
    purse: Purse,
) -> Iterator[Level]:
    """The prices at which `remedy` would answer otherwise."""
    match setting:
        case AddMargin(target=target, fallback=fallback):
            for room in _rooms(position, snapshot, setting, purse) if target else ():
                yield from _too_little(position, target or Decimal(1), room, snapshot.price)
            if fallback:
                yield from turning_points(position, snapshot, fallback, purse)
        case ReducePosition():
            left = _left_of(position, setting)
            if position.name != CROSS and left:
                at = reopening.unaffordable_from(position, left, snapshot, purse)
                yield from crossing(position.name, position.losing, at, price=snapshot.price)
        case ClosePosition() | AddLess():
            return
        case _:
            assert_never(setting)


def take_back(
    position: Position, snapshot: Snapshot, setting: TakeBack, purse: Purse
) -> Remedy | None:
    """Cash in what was added, once the position does without it."""
    amount = _returnable(position, purse)
    if amount <= 0 or _blocked(position, snapshot):
        return None
    if not _does_without(position, amount, setting, snapshot.price):
        return None
    text = f"it has recovered: taking back {amount:,} sats that were added."
    return Remedy.doing(text, actions.CashIn(position.name, amount))


def taken_back_from(
    position: Position, snapshot: Snapshot, setting: TakeBack, purse: Purse
) -> Iterator[Level]:
    """The price from which something may be taken back."""
    amount = _returnable(position, purse)
    if amount <= 0:
        return
    near = position.price_near_loss(setting.below * (position.margin - amount))
    at = first_price(
        lambda price: _does_without(position, amount, setting, price),
        near=near,
        direction=position.gaining,
    )
    yield from crossing(position.name, position.gaining, at, price=snapshot.price)


def _add(position: Position, snapshot: Snapshot, setting: AddMargin, purse: Purse) -> Remedy:
    """Add margin, or what is to be done instead."""
    if blocked := _blocked(position, snapshot):
        return blocked
    amount = setting.amount or _to_reach(setting.target, position, snapshot.price)
    rooms = list(_rooms(position, snapshot, setting, purse))
    scarce = next((room for room in rooms if amount > room.sats), None)
    if scarce is None:
        return _adding(position, amount)
    short, least = f"{scarce.text}, {amount:,} are needed", min(room.sats for room in rooms)
    match setting.fallback:
        case AddLess() if least > 0:
            return _said_after(short, _adding(position, least))
        case ReducePosition() | ClosePosition() as other:
            return _said_after(short, remedy(position, snapshot, other, purse))
        case _:
            return Remedy.none(scarce.code, f"{short}.", Severity.CRITICAL)


def _reduce(
    position: Position, snapshot: Snapshot, setting: ReducePosition, purse: Purse
) -> Remedy:
    """Reduce by a share of the quantity: one opposite order on cross, close and reopen else."""
    left = _left_of(position, setting)
    if not left:
        return _close(position, snapshot)
    if blocked := _blocked(position, snapshot):
        return blocked
    if position.name == CROSS:
        taken = position.quantity - left
        order = OrderCross(position.opposite, taken, reduces=True)
        return Remedy.doing(f"reducing it by {taken:,} USD.", order)
    missing = reopening.missing(position, left, snapshot.price, snapshot, purse)
    if missing > 0:
        text = f"{left:,} USD could not be opened again: {missing:,} sats are missing for it."
        return Remedy.none("balance_too_small", text, Severity.CRITICAL)
    fees = reopening.fees(position, left, snapshot.price)
    text = f"closing it and opening {left:,} USD again, for about {fees:,} sats of fees."
    return Remedy.doing(text, *reopening.steps(position, left, snapshot, setting.max_slippage))


def _close(position: Position, snapshot: Snapshot) -> Remedy:
    blocked = _blocked(position, snapshot) if position.name == CROSS else None
    return blocked or Remedy.doing("closing the position.", position.closing())


def _blocked(position: Position, snapshot: Snapshot) -> Remedy | None:
    reason = unfinished(snapshot, position.name)
    return Remedy((), reason) if reason else None


def _rooms(
    position: Position, snapshot: Snapshot, setting: AddMargin, purse: Purse
) -> Iterator[Room]:
    """What limits an addition, in the order in which it is told."""
    on_it, today = purse.spent_on(position), purse.spent_since(snapshot.now - DAY)
    most, most_a_day, free = setting.max_per_position, setting.max_per_day, purse.balance
    text = f"{on_it:,} of {most:,} sats are spent on this position"
    yield Room("cap_per_position", most - on_it, text)
    text = f"{today:,} of {most_a_day:,} sats are spent in 24 hours"
    yield Room("cap_per_day", most_a_day - today, text)
    yield Room("balance_too_small", free, f"the free balance is {free:,} sats")
    if position.name != CROSS:
        whole = int(notional(quantity=position.quantity, price=position.basis))
        text = f"its margin is {position.margin:,} of at most {whole:,} sats, at a leverage of 1"
        yield Room("leverage_minimum", whole - position.margin, text)


def _too_little(position: Position, target: Decimal, room: Room, price: Decimal) -> Iterator[Level]:
    """Where what the target needs begins to be more than there is room for."""
    at = first_price(
        lambda at: _to_reach(target, position, at) > room.sats,
        near=position.price_near_loss(target * (position.margin + room.sats)),
        direction=position.losing,
    )
    yield from crossing(position.name, position.losing, at, price=price)


def _to_reach(target: Decimal | None, position: Position, price: Decimal) -> int:
    """Sats that bring the margin used down to `target`."""
    loss = max(0, -position.pl(price))
    margin = (loss / (target or Decimal(1))).to_integral_value(ROUND_CEILING)
    return max(1, int(margin) - position.margin)


def _adding(position: Position, amount: int) -> Remedy:
    text = f"adding {amount:,} sats of margin."
    if position.name == CROSS:
        return Remedy.doing(text, actions.DepositCross(amount))
    return Remedy.doing(text, actions.AddMargin(position.name, amount))


def _said_after(short: str, remedy: Remedy) -> Remedy:
    reason = remedy.reason
    return Remedy(remedy.actions, Reason(reason.code, f"{short}: {reason.text}", reason.severity))


def _left_of(position: Position, setting: ReducePosition) -> int:
    """USD that stay."""
    taken = (position.quantity * setting.percent / HUNDRED).to_integral_value(ROUND_CEILING)
    return position.quantity - int(taken)


def _returnable(position: Position, purse: Purse) -> int:
    """Sats added that the leverage allows to be taken out again; of cross margin none."""
    if position.name == CROSS:
        return 0
    least = required_margin(quantity=position.quantity, price=position.basis, leverage=MAX_LEVERAGE)
    return min(purse.added_to(position), position.margin - least)


def _does_without(position: Position, amount: int, setting: TakeBack, price: Decimal) -> bool:
    """Whether no more than the given share is used of what stays when `amount` is taken out."""
    return -position.pl(price) <= setting.below * (position.margin - amount)
