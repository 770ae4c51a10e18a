"""A new isolated trade as a config describes it: shared by what enters and what triggers."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, ValidationInfo, field_validator

from automations.rules.actions import OpenTrade
from automations.rules.base import Direction, Level, Reason, RuleConfig, Severity
from automations.rules.levels import crossing, first_price, is_misplaced, wants_above
from automations.snapshots import Snapshot
from exchanges.inverse_futures import (
    FEE_RATES,
    MAX_PRICE,
    PRICE_TICK,
    SATS_PER_BTC,
    notional,
)
from exchanges.types import OrderType, Side


def _on_tick(price: Decimal) -> Decimal:
    if price % PRICE_TICK:
        raise ValueError(f"must be a multiple of {PRICE_TICK}")
    return price


Price = Annotated[Decimal, Field(gt=0, le=MAX_PRICE), AfterValidator(_on_tick)]
"""USD per bitcoin, on the exchange's tick."""


class Entry(RuleConfig):
    """Open an isolated trade at the market."""

    side: Literal["long", "short"]
    """Which way."""
    quantity: StrictInt = Field(ge=1, le=500_000)
    """Size in USD."""
    leverage: Decimal = Field(default=Decimal(10), ge=1, le=100, decimal_places=2)
    """How many times the margin."""
    stop_loss: Price | None = None
    """In USD; without it there is none."""
    take_profit: Price | None = None
    """In USD; without it there is none."""

    @field_validator("take_profit")
    @classmethod
    def _beyond_the_stop(cls, level: Decimal | None, info: ValidationInfo) -> Decimal | None:
        stop, side = info.data.get("stop_loss"), info.data.get("side")
        if level and stop and side and is_misplaced(level, stop, _side(side), is_stop=False):
            word = "above" if side == "long" else "below"
            raise ValueError(f"must be {word} the stop_loss of {stop:,} for a {side}")
        return level

    def flaw_at(self, price: Decimal) -> tuple[str, str] | None:
        """Code and sentence for why the exchange would not open it at `price` as it is."""
        for field, is_stop in (("stop_loss", True), ("take_profit", False)):
            level = getattr(self, field)
            if level and is_misplaced(level, price, _side(self.side), is_stop=is_stop):
                word = "above" if wants_above(_side(self.side), is_stop=is_stop) else "below"
                return "wrong_side", f"{field} of {level:,} is not {word} the price of {price:,}"
        if self._is_liquidated_first(price):
            text = (
                f"opened at {price:,} it is liquidated before its stop_loss of {self.stop_loss:,}"
            )
            return "stop_beyond_liquidation", text
        return None

    def obstacle(self, snapshot: Snapshot) -> Reason | None:
        """Why the exchange would not open it now."""
        if flaw := self.flaw_at(snapshot.price):
            code, text = flaw
            return Reason(code, f"{text}.", Severity.CRITICAL)
        needed, free = self.cost(snapshot.price), snapshot.balance
        if needed > free:
            text = f"the free balance is {free:,} sats and {needed:,} are needed."
            return Reason("balance_too_small", text, Severity.CRITICAL)
        return None

    def levels(self, snapshot: Snapshot) -> Iterator[Level]:
        """Where `obstacle` would answer otherwise."""
        losing, gaining = _directions(self.side)
        turns: tuple[tuple[Direction, Decimal | None], ...] = (
            (losing, self.stop_loss),
            (gaining, self.take_profit),
            (gaining, self._liquidated_first_from()),
            ("at_or_below", self._unaffordable_from(snapshot.balance)),
        )
        for direction, at in turns:
            yield from crossing("", direction, at, price=snapshot.price)

    def cost(self, price: Decimal) -> int:
        """Sats it takes from the free balance: its margin, and what is kept for two fees.

        One more than reckoned, since the exchange rounds each part for itself.
        """
        exact = notional(quantity=self.quantity, price=price) * self._cost_share
        return int(exact.to_integral_value(ROUND_CEILING)) + 1

    def action(self) -> OpenTrade:
        """The market order."""
        return OpenTrade(
            side=_side(self.side),
            type=OrderType.MARKET,
            quantity=self.quantity,
            leverage=self.leverage,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
        )

    @property
    def _liquidation_share(self) -> Decimal:
        """The liquidation price as a part of the entry price; 0 where nothing liquidates."""
        sign = 1 if self.side == "long" else -1
        return self.leverage / (self.leverage + sign) if self.leverage + sign else Decimal(0)

    @property
    def _cost_share(self) -> Decimal:
        """What it costs as a part of its notional value."""
        sign = 1 if self.side == "long" else -1
        return 1 / self.leverage + FEE_RATES[0] * (2 + sign / self.leverage)

    def _is_liquidated_first(self, price: Decimal) -> bool:
        """Whether it is liquidated before its stop loss when it is opened at `price`."""
        if self.stop_loss is None or not self._liquidation_share:
            return False
        liquidation = price * self._liquidation_share
        return self.stop_loss < liquidation if self.side == "long" else self.stop_loss > liquidation

    def _liquidated_first_from(self) -> Decimal | None:
        if self.stop_loss is None or not self._liquidation_share:
            return None
        _, gaining = _directions(self.side)
        near = self.stop_loss / self._liquidation_share
        return first_price(self._is_liquidated_first, near=near, direction=gaining)

    def _unaffordable_from(self, free: int) -> Decimal | None:
        if free <= 1:
            return None
        near = self.quantity * SATS_PER_BTC * self._cost_share / (free - 1)
        return first_price(lambda at: self.cost(at) > free, near=near, direction="at_or_below")


def _side(side: str) -> Side:
    return Side.BUY if side == "long" else Side.SELL


def _directions(side: str) -> tuple[Direction, Direction]:
    """Where it loses, and where it gains."""
    both: tuple[Direction, Direction] = ("at_or_below", "at_or_above")
    return both if side == "long" else (both[1], both[0])
