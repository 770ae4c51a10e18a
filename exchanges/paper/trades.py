"""One isolated-margin trade, and everything that can become of it. Pure.

Each transition answers with a new trade; sats that leave or reach the account's balance follow
from the two: what a trade holds is its margin and its reserve for fees, and when it ends the
account gets back what it held, plus its P&L, minus its closing fee.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import NamedTuple

from exchanges import inverse_futures as futures
from exchanges.paper.commands import MAX_LEVERAGE
from exchanges.paper.refusals import Refusal
from exchanges.types import OrderType, Side, TradeStatus

LEVERAGE_TICK = Decimal("1e-8")


class Exit(StrEnum):
    """Why the market ended a trade."""

    LIQUIDATION = "liquidation"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"


class Reached(NamedTuple):
    """An exit, and the price at which it was due."""

    exit: Exit
    level: Decimal


@dataclass(frozen=True, slots=True)
class IsolatedTrade:
    """Prices in USD, margin, fees and P&L in sats, quantity in USD.

    `price` is the basis of the P&L and moves when profit is cashed in. `maintenance_margin` is
    what is left of the reserve for both fees. `pl` is what was realised when it closed.
    `trailing_distance` is the fraction of the price by which the stop loss follows it, None for
    a stop that stands; `sum_funding_fees` is what was paid, less what was received.
    """

    id: str
    type: OrderType
    side: Side
    status: TradeStatus
    quantity: int
    margin: int
    leverage: Decimal
    price: Decimal
    entry_price: Decimal
    entry_margin: int
    liquidation: Decimal
    maintenance_margin: int
    created_at: datetime
    client_id: str | None = None
    stop_loss: Decimal | None = None
    trailing_distance: Decimal | None = None
    take_profit: Decimal | None = None
    opening_fee: int = 0
    closing_fee: int = 0
    pl: int = 0
    sum_cash_in_pl: int = 0
    sum_cash_in_margin: int = 0
    sum_funding_fees: int = 0
    exit_price: Decimal | None = None
    filled_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def held(self) -> int:
        """The sats of its account that a live trade keeps."""
        return self.margin + self.maintenance_margin

    @property
    def exit_side(self) -> Side:
        """The side of the order that would end it."""
        return Side.SELL if self.side is Side.BUY else Side.BUY

    def pl_at(self, price: Decimal) -> int:
        """P&L in sats: marked at `price` while running, realised when closed, else 0."""
        if self.status is not TradeStatus.RUNNING:
            return self.pl
        return futures.profit_and_loss(
            side=self.side, quantity=self.quantity, entry=self.price, price=price
        )

    def beyond(self, price: Decimal, level: Decimal) -> bool:
        """Whether `price` lies past `level` on the side where this trade gains."""
        return price > level if self.side is Side.BUY else price < level

    def is_lost(self, available: Decimal) -> bool:
        """Whether it is liquidated when closing it would fill at `available`."""
        return not self.beyond(available, self.liquidation)

    def exit_at(self, price: Decimal, *, available: Decimal) -> Reached | None:
        """What a last price of `price` does to the running trade; the worst comes first.

        `available` is what closing it would fill at: liquidation looks at that, as it must
        come before the margin is gone; stop loss and take profit look at the last price.
        """
        if self.is_lost(available):
            return Reached(Exit.LIQUIDATION, self.liquidation)
        if self.stop_loss is not None and not self.beyond(price, self.stop_loss):
            return Reached(Exit.STOP_LOSS, self.stop_loss)
        if self.take_profit is not None and not self.beyond(self.take_profit, price):
            return Reached(Exit.TAKE_PROFIT, self.take_profit)
        return None

    def filled(self, *, at: datetime, fee_rate: Decimal) -> "IsolatedTrade":
        """The trade runs; the opening fee comes out of the reserve."""
        fee = futures.trading_fee(quantity=self.quantity, price=self.price, rate=fee_rate)
        return replace(
            self,
            status=TradeStatus.RUNNING,
            filled_at=at,
            opening_fee=fee,
            maintenance_margin=self.maintenance_margin - fee,
        )

    def canceled(self, *, at: datetime) -> "IsolatedTrade":
        """The limit was taken back before it filled."""
        return replace(self, status=TradeStatus.CANCELED, closed_at=at)

    def closed(self, *, price: Decimal, at: datetime, fee_rate: Decimal) -> "IsolatedTrade":
        """Sold or bought back at `price`; the fee never takes more than what is left."""
        pl = self.pl_at(price)
        fee = futures.trading_fee(quantity=self.quantity, price=price, rate=fee_rate)
        return self._ended(price=price, at=at, pl=pl, fee=min(fee, self.held + pl))

    def liquidated(self, *, at: datetime, fee_rate: Decimal) -> "IsolatedTrade":
        """Ended at the liquidation price: the margin is lost, the fee paid from the reserve."""
        price = self.liquidation
        fee = futures.trading_fee(quantity=self.quantity, price=price, rate=fee_rate)
        fee = min(fee, self.maintenance_margin)
        return self._ended(price=price, at=at, pl=-self.margin, fee=fee)

    def exited(
        self, reason: Exit, *, price: Decimal, at: datetime, fee_rate: Decimal
    ) -> "IsolatedTrade":
        """Ended by the market at `price`, or at its liquidation price."""
        if reason is Exit.LIQUIDATION:
            return self.liquidated(at=at, fee_rate=fee_rate)
        return self.closed(price=price, at=at, fee_rate=fee_rate)

    def with_more_margin(self, amount: int) -> "IsolatedTrade":
        """Add `amount` sats: the leverage falls, the liquidation price moves away."""
        return self._remargined(margin=self.margin + amount, price=self.price)

    def cashed_in(self, amount: int, *, mark: Decimal, available: Decimal) -> "IsolatedTrade":
        """Take `amount` sats out, profit first, then margin.

        A stop loss that now lies beyond the liquidation price is dropped.
        """
        profit = min(amount, max(self.pl_at(mark), 0))
        from_margin = amount - profit
        if from_margin >= self.margin:
            raise Refusal(f"amount: less than {self.margin + profit} sats, its margin and profit")
        price = self._basis_after(profit, mark=mark)
        trade = self._remargined(margin=self.margin - from_margin, price=price)
        if trade.is_lost(available):
            raise Refusal("amount: the trade would be liquidated at once")
        return replace(
            trade.with_stop_before_liquidation(),
            sum_cash_in_pl=self.sum_cash_in_pl + profit,
            sum_cash_in_margin=self.sum_cash_in_margin + from_margin,
        )

    def funded(self, fee: int) -> "IsolatedTrade":
        """Paid `fee` sats of funding out of the margin, less than that; received if negative.

        What is received goes to the balance and leaves the margin alone.
        """
        trade = self._leveraged(margin=self.margin - fee, price=self.price) if fee > 0 else self
        return replace(
            trade.with_stop_before_liquidation(),
            sum_funding_fees=self.sum_funding_fees + fee,
        )

    def with_stop_loss(self, level: Decimal | None, *, market: Decimal) -> "IsolatedTrade":
        """Set or, with None, remove the stop loss. `market` is the last price."""
        if level == self.stop_loss and (level is None or self.trailing_distance is None):
            raise Refusal("Stop loss is the same as the previous one")
        return replace(self, stop_loss=level, trailing_distance=None).checked(market)

    def with_trailing_stop(self, distance: Decimal, *, market: Decimal) -> "IsolatedTrade":
        """Let the stop loss follow the price, a fraction of `distance` behind it."""
        if distance == self.trailing_distance:
            raise Refusal("Stop loss is the same as the previous one")
        trade = replace(self, stop_loss=None, trailing_distance=distance)
        return trade.trailed(self._now(market)).checked(market)

    def trailed(self, price: Decimal) -> "IsolatedTrade":
        """Its trailing stop after a last price of `price`: it follows gains, never losses.

        It begins no farther away than the liquidation price.
        """
        if self.trailing_distance is None:
            return self
        level = self._trailing_level(price, distance=self.trailing_distance)
        if self.stop_loss is not None and not self.beyond(level, self.stop_loss):
            return self
        return replace(self, stop_loss=level)

    def with_take_profit(self, level: Decimal | None, *, market: Decimal) -> "IsolatedTrade":
        """Set or, with None, remove the take profit. `market` is the last price."""
        if level == self.take_profit:
            raise Refusal("Take profit is the same as the previous one")
        return replace(self, take_profit=level).checked(market)

    def with_stop_before_liquidation(self) -> "IsolatedTrade":
        """The same, unless liquidation would now come before the stop loss.

        Such a stop is dropped; one that trails waits at the liquidation price.
        """
        if self.stop_loss is None or not self.beyond(self.liquidation, self.stop_loss):
            return self
        trails = self.trailing_distance is not None
        return replace(self, stop_loss=self.liquidation if trails else None)

    def checked(self, market: Decimal) -> "IsolatedTrade":
        """The same trade, unless its stop loss or take profit make no sense at `market`."""
        now = self._now(market)
        if self.stop_loss is not None and (
            self.beyond(self.liquidation, self.stop_loss) or not self.beyond(now, self.stop_loss)
        ):
            raise Refusal(
                f"stoploss: from the liquidation price {self.liquidation} to before {now}"
            )
        if self.take_profit is not None and not (
            self.beyond(self.take_profit, self.price) and self.beyond(self.take_profit, now)
        ):
            word = "above" if self.side is Side.BUY else "below"
            raise Refusal(f"takeprofit: {word} the trade's price {self.price} and the market {now}")
        return self

    def _ended(self, *, price: Decimal, at: datetime, pl: int, fee: int) -> "IsolatedTrade":
        return replace(
            self,
            status=TradeStatus.CLOSED,
            exit_price=price,
            closed_at=at,
            pl=pl,
            closing_fee=fee,
            maintenance_margin=max(self.maintenance_margin - fee, 0),
        )

    def _now(self, market: Decimal) -> Decimal:
        return market if self.status is TradeStatus.RUNNING else self.price

    def _trailing_level(self, price: Decimal, *, distance: Decimal) -> Decimal:
        is_long = self.side is Side.BUY
        exact = price * (1 - distance if is_long else 1 + distance) / futures.PRICE_TICK
        ticks = exact.to_integral_value(ROUND_FLOOR if is_long else ROUND_CEILING)
        level = ticks * futures.PRICE_TICK
        return self.liquidation if self.beyond(self.liquidation, level) else level

    def _basis_after(self, profit: int, *, mark: Decimal) -> Decimal:
        if profit == 0:
            return self.price
        if profit == self.pl_at(mark):
            return mark
        return futures.price_after_cash_in(
            side=self.side, quantity=self.quantity, price=self.price, profit=profit
        )

    def _remargined(self, *, margin: int, price: Decimal) -> "IsolatedTrade":
        trade = self._leveraged(margin=margin, price=price)
        # Funding may have pushed it beyond the limits: any way back is allowed.
        least, most = sorted((Decimal(1), Decimal(MAX_LEVERAGE), self.leverage))[::2]
        if not least <= trade.leverage <= most:
            raise Refusal(
                f"amount: leverage would become {trade.leverage:f}, allowed are 1 to {MAX_LEVERAGE}"
            )
        return trade

    def _leveraged(self, *, margin: int, price: Decimal) -> "IsolatedTrade":
        leverage = futures.leverage_of(quantity=self.quantity, price=price, margin=margin)
        liquidation = futures.price_at_loss(
            side=self.side, quantity=self.quantity, entry=price, loss=Decimal(margin)
        )
        return replace(
            self,
            margin=margin,
            price=price,
            leverage=leverage.quantize(LEVERAGE_TICK),
            liquidation=liquidation,
        )


def released(before: IsolatedTrade, after: IsolatedTrade) -> int:
    """Sats that return to the balance when a running trade ends."""
    return before.held + after.pl - after.closing_fee
