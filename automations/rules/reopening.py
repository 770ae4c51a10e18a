"""Reducing an isolated trade, for which there is no order: close it, and open again what stays.

Whether it can be opened again is reckoned before the close, in exact sats: what stays needs its
margin and the reserve for two fees, and the close costs one.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from automations.rules.actions import CloseTrade, ReopenTrade
from automations.rules.levels import first_price, is_misplaced
from automations.rules.measures import MAX_LEVERAGE, MIN_LEVERAGE, Position
from automations.rules.purse import Purse
from automations.snapshots import Snapshot
from exchanges.inverse_futures import (
    FEE_RATES,
    PRICE_TICK,
    SATS_PER_BTC,
    notional,
)
from exchanges.types import Side, Trade

HUNDRED = Decimal(100)
FEE_RATE = FEE_RATES[0]


def steps(
    position: Position, left: int, snapshot: Snapshot, max_slippage: Decimal
) -> tuple[CloseTrade, ReopenTrade]:
    """Close the trade, and open `left` USD of it at its leverage, with its levels."""
    trade, price = _trade(position, snapshot), snapshot.price
    reopen = ReopenTrade(
        trade_id=trade.id,
        side=trade.side,
        quantity=left,
        leverage=_leverage(trade),
        worst_price=_worst(trade.side, price, max_slippage),
        stop_loss=_kept(trade.stop_loss, price, trade.side, is_stop=True),
        take_profit=_kept(trade.take_profit, price, trade.side, is_stop=False),
    )
    return CloseTrade(trade.id), reopen


def fees(position: Position, left: int, price: Decimal) -> int:
    """About what it costs, in sats: to close all, and to open what stays."""
    exact = notional(quantity=position.quantity + left, price=price) * FEE_RATE
    return int(exact.to_integral_value(ROUND_CEILING))


def missing(position: Position, left: int, price: Decimal, snapshot: Snapshot, purse: Purse) -> int:
    """Sats that the free balance and what the close releases fall short of what stays; 0 if not."""
    value = notional(quantity=1, price=price)
    before = notional(quantity=1, price=position.basis)
    gain = before - value if position.side is Side.BUY else value - before
    released = position.margin + position.quantity * gain
    exact = _needed(position, left, snapshot) * value - purse.balance - released
    return max(0, int(exact.to_integral_value(ROUND_CEILING)))


def unaffordable_from(
    position: Position, left: int, snapshot: Snapshot, purse: Purse
) -> Decimal | None:
    """The first price, in ticks, at which sats would be missing; None when there is none.

    `missing` is c/price − d: its root is c/d.
    """
    sign = 1 if position.side is Side.BUY else -1
    per_price = (_needed(position, left, snapshot) + sign * position.quantity) * SATS_PER_BTC
    worth = sign * notional(quantity=position.quantity, price=position.basis)
    there = purse.balance + position.margin + worth
    if there * sign <= 0:
        return None
    return first_price(
        lambda price: missing(position, left, price, snapshot, purse) > 0,
        near=per_price / there,
        direction=position.losing,
    )


def _needed(position: Position, left: int, snapshot: Snapshot) -> Decimal:
    """USD whose worth in sats is needed: the margin of what stays, and three fees."""
    margin = left / _leverage(_trade(position, snapshot))
    return margin + FEE_RATE * (position.quantity + 2 * left)


def _trade(position: Position, snapshot: Snapshot) -> Trade:
    return next(each for each in snapshot.holdings.value.trades if each.id == position.name)


def _leverage(trade: Trade) -> Decimal:
    """What added margin has made of it, as an order may say it."""
    within = min(max(trade.leverage, MIN_LEVERAGE), MAX_LEVERAGE)
    return within.quantize(Decimal("0.01"), ROUND_FLOOR)


def _worst(side: Side, price: Decimal, slippage: Decimal) -> Decimal:
    """The highest price at which a long, the lowest at which a short is opened again."""
    factor = 1 + slippage / HUNDRED if side is Side.BUY else 1 - slippage / HUNDRED
    return (price * factor / PRICE_TICK).to_integral_value() * PRICE_TICK


def _kept(level: Decimal | None, price: Decimal, side: Side, *, is_stop: bool) -> Decimal | None:
    """The level, unless the price has gone past it."""
    if level is None or is_misplaced(level, price, side, is_stop=is_stop):
        return None
    return level
