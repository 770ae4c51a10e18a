"""A new isolated trade as a config describes it: shared by what enters and what triggers."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, ValidationInfo, field_validator

from automations.rules.actions import OpenTrade
from automations.rules.base import Reason, RuleConfig, Severity
from automations.snapshots import Snapshot
from exchanges.inverse_futures import (
    MAX_PRICE,
    PRICE_TICK,
    fee_reserve,
    liquidation_price,
    required_margin,
)
from exchanges.types import OrderType, Side


def _on_tick(price: Decimal) -> Decimal:
    if price % PRICE_TICK:
        raise ValueError(f"must be a multiple of {PRICE_TICK}")
    return price


Price = Annotated[Decimal, Field(gt=0, le=MAX_PRICE), AfterValidator(_on_tick)]
"""USD per bitcoin, on the exchange's tick."""


class Entry(RuleConfig):
    """Open `quantity` USD long or short at the market; stop loss and take profit in USD."""

    side: Literal["long", "short"]
    quantity: StrictInt = Field(ge=1, le=500_000)
    leverage: Decimal = Field(default=Decimal(10), ge=1, le=100, decimal_places=2)
    stop_loss: Price | None = None
    take_profit: Price | None = None

    @field_validator("take_profit")
    @classmethod
    def _beyond_the_stop(cls, level: Decimal | None, info: ValidationInfo) -> Decimal | None:
        stop = info.data.get("stop_loss")
        if level and stop and (level > stop) != (info.data.get("side") == "long"):
            side = "above" if info.data.get("side") == "long" else "below"
            raise ValueError(f"must be {side} the stop_loss of {stop:,} for this side")
        return level

    def misplaced(self, price: Decimal) -> Iterator[tuple[str, str]]:
        """Field and sentence for each level on the wrong side of `price`."""
        for field, level in (("stop_loss", self.stop_loss), ("take_profit", self.take_profit)):
            wants_above = (field == "take_profit") == (self.side == "long")
            if level is not None and (level == price or (level > price) != wants_above):
                yield field, f"must be {'above' if wants_above else 'below'} {price:,}"

    def obstacle(self, snapshot: Snapshot) -> Reason | None:
        """Why the exchange would not open it now."""
        price = snapshot.price
        for field, sentence in self.misplaced(price):
            level = getattr(self, field)
            text = f"{field} is {level:,} and {sentence}, the price now."
            return Reason("wrong_side", text, Severity.CRITICAL)
        if self.stop_loss is not None and self._is_liquidated_before(self.stop_loss, price):
            text = f"it would be liquidated before its stop loss of {self.stop_loss:,}."
            return Reason("stop_beyond_liquidation", text, Severity.CRITICAL)
        needed, free = self.cost(price), snapshot.holdings.value.balance
        if needed > free:
            text = f"the free balance is {free:,} sats and {needed:,} are needed."
            return Reason("balance_too_small", text, Severity.CRITICAL)
        return None

    def cost(self, price: Decimal) -> int:
        """Sats it takes from the free balance: the margin and what is kept for fees."""
        margin = required_margin(quantity=self.quantity, price=price, leverage=self.leverage)
        liquidation = self._liquidation(price)
        return margin + fee_reserve(quantity=self.quantity, entry=price, liquidation=liquidation)

    def action(self) -> OpenTrade:
        """The market order."""
        return OpenTrade(
            side=self._side,
            type=OrderType.MARKET,
            quantity=self.quantity,
            leverage=self.leverage,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
        )

    @property
    def _side(self) -> Side:
        return Side.BUY if self.side == "long" else Side.SELL

    def _liquidation(self, price: Decimal) -> Decimal:
        return liquidation_price(
            side=self._side, quantity=self.quantity, price=price, leverage=self.leverage
        )

    def _is_liquidated_before(self, stop: Decimal, price: Decimal) -> bool:
        liquidation = self._liquidation(price)
        return stop < liquidation if self.side == "long" else stop > liquidation
