"""The cross-margin position of one account, and everything that can become of it. Pure.

There is one position per account, flat or not. Orders net into it: adding averages the entry
harmonically, reducing realises the P&L of what is reduced into the margin, and an order larger
than the position turns it round, the rest entering at the order's price. Nothing is ever owed:
a loss or a fee takes at most what is there.

    running margin       floor(Q·10⁸ / entry / leverage)
    maintenance margin   floor(0.15 % · Q·10⁸ / entry)
    liquidation          where the P&L is −(margin − maintenance margin)

What a position may do further is ruled by margin − maintenance margin > running margin + what
its open orders need. Source: values observed on the exchange by its clients.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchanges import inverse_futures as futures
from exchanges.paper.commands import MAX_LEVERAGE
from exchanges.paper.refusals import Refusal
from exchanges.types import CrossOrder, Side

MAINTENANCE_RATE = Decimal("0.0015")
ENTRY_TICK = Decimal("1e-8")
CAP_AT_LOWEST_LEVERAGE = 15_000_000
CAP_AT_HIGHEST_LEVERAGE = 10_000_000
CAP_TICK = 5


@dataclass(frozen=True, slots=True)
class Position:
    """`quantity` in USD, positive when long, negative when short; `margin` and fees in sats.

    `realised`, `trading_fees` and `funding_fees` add up over the life of the account, so that
    the margin is always what was deposited + `realised` − both fees.
    """

    id: str
    updated_at: datetime
    quantity: int = 0
    margin: int = 0
    leverage: int = 1
    entry_price: Decimal | None = None
    realised: int = 0
    trading_fees: int = 0
    funding_fees: int = 0

    @property
    def side(self) -> Side:
        """Long is `BUY`; also when flat."""
        return Side.BUY if self.quantity >= 0 else Side.SELL

    @property
    def size(self) -> int:
        """USD, without the sign."""
        return abs(self.quantity)

    @property
    def running_margin(self) -> int:
        """Sats that the position ties up."""
        return margin_for(self.size, price=self.entry_price, leverage=self.leverage)

    @property
    def maintenance_margin(self) -> int:
        """Sats that remain out of reach of losses, for fees."""
        if self.entry_price is None:
            return 0
        worth = futures.notional(quantity=self.size, price=self.entry_price)
        return int((worth * MAINTENANCE_RATE).to_integral_value(ROUND_FLOOR))

    @property
    def liquidation(self) -> Decimal | None:
        """The last price that ends it; None when it is flat."""
        if self.entry_price is None:
            return None
        return futures.price_at_loss(
            side=self.side,
            quantity=self.size,
            entry=self.entry_price,
            loss=Decimal(self.margin - self.maintenance_margin),
        )

    def pl_at(self, price: Decimal) -> int:
        """P&L in sats at `price`."""
        return self._pl_of(self.size, price=price)

    def is_liquidated_at(self, price: Decimal) -> bool:
        """Whether a last price of `price` ends it."""
        level = self.liquidation
        if level is None:
            return False
        return price <= level if self.side is Side.BUY else price >= level

    def growth(self, side: Side, quantity: int) -> int:
        """By how many USD an order makes the position larger, whichever way; at least 0."""
        return max(abs(self.quantity + _signed(side, quantity)) - self.size, 0)

    def filled(
        self, side: Side, quantity: int, *, price: Decimal, fee_rate: Decimal, at: datetime
    ) -> "Position":
        """After an order of `quantity` USD at `price`."""
        reduced = min(quantity, self.size) if side is not self.side else 0
        pl = max(self._pl_of(reduced, price=price), -self.margin)
        fee = futures.trading_fee(quantity=quantity, price=price, rate=fee_rate)
        fee = min(fee, self.margin + pl)
        return replace(
            self,
            quantity=self.quantity + _signed(side, quantity),
            entry_price=self._entry_after(side, quantity, price=price),
            margin=self.margin + pl - fee,
            realised=self.realised + pl,
            trading_fees=self.trading_fees + fee,
            updated_at=at,
        )

    def liquidated(self, *, price: Decimal, fee_rate: Decimal, at: datetime) -> "Position":
        """Ended at its liquidation price: only what is left of the maintenance margin stays."""
        reserve = min(self.margin, self.maintenance_margin)
        fee = futures.trading_fee(quantity=self.size, price=price, rate=fee_rate)
        fee = min(fee, reserve)
        return replace(
            self,
            quantity=0,
            entry_price=None,
            margin=reserve - fee,
            realised=self.realised + reserve - self.margin,
            trading_fees=self.trading_fees + fee,
            updated_at=at,
        )

    def funded(self, fee: int, *, at: datetime) -> "Position":
        """After a funding of `fee` sats, paid when positive."""
        return replace(
            self,
            margin=self.margin - fee,
            funding_fees=self.funding_fees + fee,
            updated_at=at,
        )

    def with_margin(self, margin: int, *, at: datetime) -> "Position":
        """After a transfer from or to the balance."""
        return replace(self, margin=margin, updated_at=at)

    def with_leverage(self, leverage: int, *, at: datetime) -> "Position":
        """The same position, tying up more or less of its margin."""
        return replace(self, leverage=leverage, updated_at=at)

    def needed_by(self, orders: Iterable[CrossOrder]) -> int:
        """Sats that `orders` would tie up if each filled now."""
        return sum(
            margin_for(
                self.growth(order.side, order.quantity),
                price=order.price,
                leverage=self.leverage,
            )
            for order in orders
        )

    def checked(self, *, mark: Decimal, orders: Iterable[CrossOrder] = ()) -> "Position":
        """The same position, unless it breaks a rule. Raises `Refusal`.

        `orders` are those that its margin must cover too, `mark` is the last price.
        """
        cap = size_cap(self.leverage)
        if self.size > cap:
            raise Refusal(f"quantity: at {self.leverage}x a position of up to {cap} USD is allowed")
        needed = self.running_margin + self.maintenance_margin + self.needed_by(orders)
        if needed and self.margin <= needed:
            raise Refusal(
                f"Insufficient cross margin: more than {needed} sats needed, {self.margin} there"
            )
        if self.is_liquidated_at(mark):
            raise Refusal("The cross position would be liquidated at once")
        return self

    def _pl_of(self, quantity: int, *, price: Decimal) -> int:
        if self.entry_price is None or not quantity:
            return 0
        return futures.profit_and_loss(
            side=self.side, quantity=quantity, entry=self.entry_price, price=price
        )

    def _entry_after(self, side: Side, quantity: int, *, price: Decimal) -> Decimal | None:
        after = self.quantity + _signed(side, quantity)
        if not after:
            return None
        if self.entry_price is None or (after > 0) != (self.quantity > 0):
            return price
        if side is not self.side:
            return self.entry_price
        weight = self.size / self.entry_price + quantity / price
        return ((self.size + quantity) / weight).quantize(ENTRY_TICK)


def margin_for(quantity: int, *, price: Decimal | None, leverage: int) -> int:
    """Sats that `quantity` USD at `price` tie up."""
    if price is None:
        return 0
    exact = futures.notional(quantity=quantity, price=price) / leverage
    return int(exact.to_integral_value(ROUND_FLOOR))


def size_cap(leverage: int) -> int:
    """The largest position in USD: falls linearly with the leverage, rounded up to 5 USD."""
    fall = Decimal(CAP_AT_LOWEST_LEVERAGE - CAP_AT_HIGHEST_LEVERAGE) / (MAX_LEVERAGE - 1)
    exact = CAP_AT_LOWEST_LEVERAGE - fall * (leverage - 1)
    return int((exact / CAP_TICK).to_integral_value(ROUND_CEILING)) * CAP_TICK


def _signed(side: Side, quantity: int) -> int:
    return quantity if side is Side.BUY else -quantity
