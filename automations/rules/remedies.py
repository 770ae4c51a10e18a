"""What a margin guard can do for a position, if it can; each says what it does, or why it does not.

Adding margin is a step that must not be repeated while an earlier one's outcome is unknown. To
close names a state, and stays allowed: an ambiguous top-up must not forbid the close that saves
the rest.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

from automations.rules import actions
from automations.rules.actions import Action, OrderCross, ReopenTrade
from automations.rules.base import Reason, Severity
from automations.rules.guarding import (
    AddLess,
    AddMargin,
    ClosePosition,
    ReducePosition,
    TakeBack,
)
from automations.rules.measures import CROSS, Position
from automations.rules.purse import DAY, Purse
from automations.snapshots import Snapshot
from exchanges.inverse_futures import (
    FEE_RATES,
    PRICE_TICK,
    leverage_of,
    required_margin,
    trading_fee,
)
from exchanges.types import Side, Trade

HUNDRED = Decimal(100)
MIN_LEVERAGE, MAX_LEVERAGE = Decimal(1), Decimal(100)


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


def add(position: Position, snapshot: Snapshot, setting: AddMargin, purse: Purse) -> Remedy:
    """Add margin, or what is to be done instead."""
    blocked = _blocked(position, snapshot)
    if blocked:
        return blocked
    amount = setting.amount or _to_reach(setting.target, position, snapshot)
    capped = _capped(position, amount, setting, purse, snapshot)
    if capped:
        return capped
    if amount <= purse.balance:
        return _adding(position, amount)
    short = f"the free balance is {purse.balance:,} sats and {amount:,} are needed"
    match setting.fallback:
        case None:
            return Remedy.none("balance_too_small", f"{short}.", Severity.CRITICAL)
        case AddLess():
            if purse.balance <= 0:
                return Remedy.none("balance_too_small", f"{short}.", Severity.CRITICAL)
            return _adding(position, purse.balance)
        case ReducePosition() as setting:
            return _instead(short, reduce(position, snapshot, setting, purse))
        case ClosePosition():
            return _instead(short, close(position, snapshot))
        case _:
            assert_never(setting.fallback)


def reduce(position: Position, snapshot: Snapshot, setting: ReducePosition, purse: Purse) -> Remedy:
    """Reduce by a share of the quantity: one opposite order on cross, close and reopen else."""
    taken = int((position.quantity * setting.percent / HUNDRED).to_integral_value(ROUND_CEILING))
    left = position.quantity - taken
    if left < 1:
        return close(position, snapshot)
    if position.name == CROSS:
        blocked = _blocked(position, snapshot)
        order = OrderCross(position.opposite, taken, reduces=True)
        return blocked or Remedy.doing(f"reducing it by {taken:,} USD.", order)
    return _close_and_reopen(position, left, snapshot, setting, purse)


def close(position: Position, snapshot: Snapshot) -> Remedy:
    """Close it whole."""
    blocked = _blocked(position, snapshot) if position.name == CROSS else None
    return blocked or Remedy.doing("closing the position.", position.closing())


def take_back(
    position: Position, snapshot: Snapshot, setting: TakeBack, purse: Purse
) -> Remedy | None:
    """Cash in what was added, as far as the position stays at or below the given use."""
    added = purse.added_to(position)
    if position.name == CROSS or added <= 0 or _blocked(position, snapshot):
        return None
    if position.margin_used(snapshot.price) > setting.below:
        return None
    loss = max(0, -position.pl(snapshot.price))
    needed = int((loss / setting.below).to_integral_value(ROUND_CEILING))
    least = required_margin(quantity=position.quantity, price=position.basis, leverage=MAX_LEVERAGE)
    amount = min(added, position.margin - max(needed, least))
    if amount <= 0:
        return None
    text = f"It has recovered: taking back {amount:,} of {added:,} sats that were added."
    return Remedy.doing(text, actions.CashIn(position.name, amount))


def _blocked(position: Position, snapshot: Snapshot) -> Remedy | None:
    """What must not be done twice waits for what was begun."""
    if position.name in snapshot.under_way:
        return Remedy.none("under_way", "an earlier action on it is just being sent.")
    if position.name in snapshot.unsettled:
        text = "the outcome of an earlier action on it is not known yet."
        return Remedy.none("unsettled", text, Severity.CRITICAL)
    return None


def _to_reach(target: Decimal | None, position: Position, snapshot: Snapshot) -> int:
    """Sats that bring the margin used down to `target`."""
    loss = max(0, -position.pl(snapshot.price))
    margin = (loss / (target or Decimal(1))).to_integral_value(ROUND_CEILING)
    return max(1, int(margin) - position.margin)


def _capped(
    position: Position, amount: int, setting: AddMargin, purse: Purse, snapshot: Snapshot
) -> Remedy | None:
    on_it, today = purse.spent_on(position), purse.spent_since(snapshot.now - DAY)
    if on_it + amount > setting.max_per_position:
        text = f"{on_it:,} of {setting.max_per_position:,} sats are spent on this position"
        return Remedy.none("cap_per_position", f"{text}, {amount:,} are needed.", Severity.CRITICAL)
    if today + amount > setting.max_per_day:
        text = f"{today:,} of {setting.max_per_day:,} sats are spent in 24 hours"
        return Remedy.none("cap_per_day", f"{text}, {amount:,} are needed.", Severity.CRITICAL)
    return None


def _adding(position: Position, amount: int) -> Remedy:
    text = f"adding {amount:,} sats of margin."
    if position.name == CROSS:
        return Remedy.doing(text, actions.DepositCross(amount))
    margin = position.margin + amount
    after = leverage_of(quantity=position.quantity, price=position.basis, margin=margin)
    if after < MIN_LEVERAGE:
        text = "more margin would bring the leverage below 1."
        return Remedy.none("leverage_minimum", text, Severity.CRITICAL)
    return Remedy.doing(text, actions.AddMargin(position.name, amount))


def _instead(short: str, remedy: Remedy) -> Remedy:
    reason = remedy.reason
    return Remedy(remedy.actions, Reason(reason.code, f"{short}: {reason.text}", reason.severity))


def _close_and_reopen(
    position: Position, left: int, snapshot: Snapshot, setting: ReducePosition, purse: Purse
) -> Remedy:
    price = snapshot.price
    trade = next(t for t in snapshot.holdings.value.trades if t.id == position.name)
    leverage = min(max(trade.leverage, MIN_LEVERAGE), MAX_LEVERAGE).quantize(
        Decimal("0.01"), ROUND_FLOOR
    )
    fees = _fee(position.quantity, price) + _fee(left, price)
    needed = required_margin(quantity=left, price=price, leverage=leverage) + 2 * _fee(left, price)
    released = position.margin + position.pl(price)
    if needed + fees > purse.balance + released:
        text = f"opening the rest again takes {needed:,} sats, which are not there after the close."
        return Remedy.none("balance_too_small", text, Severity.CRITICAL)
    reopen = ReopenTrade(
        trade_id=position.name,
        side=position.side,
        quantity=left,
        leverage=leverage,
        worst_price=_worst(position, price, setting.max_slippage),
        stop_loss=_kept(trade, trade.stop_loss, price, is_stop=True),
        take_profit=_kept(trade, trade.take_profit, price, is_stop=False),
    )
    text = f"closing it and opening {left:,} USD again, for about {fees:,} sats of fees."
    return Remedy.doing(text, actions.CloseTrade(position.name), reopen)


def _fee(quantity: int, price: Decimal) -> int:
    return trading_fee(quantity=quantity, price=price, rate=FEE_RATES[0])


def _worst(position: Position, price: Decimal, slippage: Decimal) -> Decimal:
    """The highest price at which a long, the lowest at which a short is opened again."""
    factor = 1 + slippage / HUNDRED if position.side is Side.BUY else 1 - slippage / HUNDRED
    return (price * factor / PRICE_TICK).to_integral_value() * PRICE_TICK


def _kept(trade: Trade, level: Decimal | None, price: Decimal, *, is_stop: bool) -> Decimal | None:
    """The level, unless the price has gone past it."""
    if level is None:
        return None
    wants_above = (trade.side is Side.BUY) != is_stop
    return level if level != price and (level > price) == wants_above else None
