"""One isolated-margin trade, and everything that can become of it. Pure.

Each transition answers with a new trade; sats that leave or reach the account's balance follow
from the two: what a trade holds is its margin and its reserve for fees, and when it ends the
account gets back what it held, plus its P&L, minus its closing fee.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges import inverse_futures as futures
from exchanges.paper.commands import MAX_LEVERAGE, MAX_QUANTITY, OpenTrade
from exchanges.paper.refusals import Refusal
from exchanges.types import OrderType, Side, TradeStatus

LEVERAGE_TICK = Decimal("1e-8")


class Exit(StrEnum):
    """Why the market ended a trade."""

    LIQUIDATION = "liquidation"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"


@dataclass(frozen=True, slots=True)
class IsolatedTrade:
    """Prices in USD, margin, fees and P&L in sats, quantity in USD.

    `price` is the basis of the P&L and moves when profit is cashed in. `maintenance_margin` is
    what is left of the reserve for both fees. `pl` is what was realised when it closed.
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
    take_profit: Decimal | None = None
    opening_fee: int = 0
    closing_fee: int = 0
    pl: int = 0
    sum_cash_in_pl: int = 0
    sum_cash_in_margin: int = 0
    exit_price: Decimal | None = None
    filled_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def held(self) -> int:
        """The sats of its account that a live trade keeps."""
        return self.margin + self.maintenance_margin

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

    def exit_at(self, price: Decimal) -> Exit | None:
        """What a last price of `price` does to the running trade; the worst comes first."""
        if not self.beyond(price, self.liquidation):
            return Exit.LIQUIDATION
        if self.stop_loss is not None and not self.beyond(price, self.stop_loss):
            return Exit.STOP_LOSS
        if self.take_profit is not None and not self.beyond(self.take_profit, price):
            return Exit.TAKE_PROFIT
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
        """Ended by the market, whose last price is `price`."""
        if reason is Exit.LIQUIDATION:
            return self.liquidated(at=at, fee_rate=fee_rate)
        return self.closed(price=price, at=at, fee_rate=fee_rate)

    def with_more_margin(self, amount: int) -> "IsolatedTrade":
        """Add `amount` sats: the leverage falls, the liquidation price moves away."""
        return self._remargined(margin=self.margin + amount, price=self.price)

    def cashed_in(self, amount: int, *, mark: Decimal) -> "IsolatedTrade":
        """Take `amount` sats out, profit first, then margin.

        A stop loss that now lies beyond the liquidation price is dropped.
        """
        profit = min(amount, max(self.pl_at(mark), 0))
        from_margin = amount - profit
        if from_margin >= self.margin:
            raise Refusal(f"amount: less than {self.margin + profit} sats, its margin and profit")
        price = self._basis_after(profit, mark=mark)
        trade = self._remargined(margin=self.margin - from_margin, price=price)
        if trade.exit_at(mark) is Exit.LIQUIDATION:
            raise Refusal("amount: the trade would be liquidated at once")
        keeps_stop = self.stop_loss is not None and not trade.beyond(
            trade.liquidation, self.stop_loss
        )
        return replace(
            trade,
            stop_loss=self.stop_loss if keeps_stop else None,
            sum_cash_in_pl=self.sum_cash_in_pl + profit,
            sum_cash_in_margin=self.sum_cash_in_margin + from_margin,
        )

    def with_stop_loss(self, level: Decimal | None, *, market: Decimal) -> "IsolatedTrade":
        """Set or, with None, remove the stop loss. `market` is the last price."""
        if level == self.stop_loss:
            raise Refusal("Stop loss is the same as the previous one")
        return replace(self, stop_loss=level).checked(market)

    def with_take_profit(self, level: Decimal | None, *, market: Decimal) -> "IsolatedTrade":
        """Set or, with None, remove the take profit. `market` is the last price."""
        if level == self.take_profit:
            raise Refusal("Take profit is the same as the previous one")
        return replace(self, take_profit=level).checked(market)

    def checked(self, market: Decimal) -> "IsolatedTrade":
        """The same trade, unless its stop loss or take profit make no sense at `market`."""
        now = market if self.status is TradeStatus.RUNNING else self.price
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

    def _basis_after(self, profit: int, *, mark: Decimal) -> Decimal:
        if profit == 0:
            return self.price
        if profit == self.pl_at(mark):
            return mark
        return futures.price_after_cash_in(
            side=self.side, quantity=self.quantity, price=self.price, profit=profit
        )

    def _remargined(self, *, margin: int, price: Decimal) -> "IsolatedTrade":
        leverage = futures.leverage_of(quantity=self.quantity, price=price, margin=margin)
        leverage = leverage.quantize(LEVERAGE_TICK)
        if not 1 <= leverage <= MAX_LEVERAGE:
            raise Refusal(
                f"amount: leverage would become {leverage:f}, allowed are 1 to {MAX_LEVERAGE}"
            )
        liquidation = futures.price_at_loss(
            side=self.side, quantity=self.quantity, entry=price, loss=Decimal(margin)
        )
        return replace(self, margin=margin, price=price, leverage=leverage, liquidation=liquidation)


def place(order: OpenTrade, *, trade_id: str, price: Decimal, at: datetime) -> IsolatedTrade:
    """The order as an open trade that would fill at `price`, both fees set aside in full."""
    quantity, margin = _size(order, price=price)
    liquidation = futures.liquidation_price(
        side=order.side, quantity=quantity, price=price, leverage=order.leverage
    )
    reserve = futures.fee_reserve(quantity=quantity, entry=price, liquidation=liquidation)
    return IsolatedTrade(
        id=trade_id,
        type=order.type,
        side=order.side,
        status=TradeStatus.OPEN,
        quantity=quantity,
        margin=margin,
        leverage=order.leverage,
        price=price,
        entry_price=price,
        entry_margin=margin,
        liquidation=liquidation,
        maintenance_margin=reserve,
        created_at=at,
        client_id=order.client_id,
        stop_loss=order.stoploss or None,
        take_profit=order.takeprofit or None,
    ).checked(price)


def _size(order: OpenTrade, *, price: Decimal) -> tuple[int, int]:
    """Quantity and margin, of which the order names one."""
    leverage = order.leverage
    if order.quantity is not None:
        quantity = order.quantity
        return quantity, futures.required_margin(quantity=quantity, price=price, leverage=leverage)
    margin = order.margin or 0
    quantity = futures.affordable_quantity(margin=margin, price=price, leverage=leverage)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refusal(f"margin: buys {quantity} USD, allowed are 1 to {MAX_QUANTITY}")
    return quantity, margin
