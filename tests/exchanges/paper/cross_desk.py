"""The pure exchange in one hand, for whoever trades cross margin, swaps and pays."""

from datetime import timedelta
from decimal import Decimal

from exchanges.paper import decisions_cross as cross
from exchanges.paper import moves
from exchanges.paper.changes import By
from exchanges.paper.commands import Nothing, OnTrade
from exchanges.paper.commands_cross import MoveSats, PlaceOrder, SetLeverage
from exchanges.paper.decisions import Occasion
from exchanges.types import CrossOrder
from tests.exchanges.paper.desk import START, Desk


class CrossDesk(Desk):
    """One account whose cross position has `margin` sats at `leverage`."""

    def __init__(self, *, price=100_000, balance=10_000_000, margin=0, leverage=10):
        super().__init__(price=price, balance=balance)
        if margin:
            self.do(cross.deposit, MoveSats(amount=margin))
        self.do(cross.set_leverage, SetLeverage(leverage=leverage))

    @property
    def position(self):
        return self.account.cross

    def do(self, decision, command, **more):
        """Decide and apply; answers the changes."""
        step = next(self._steps)
        at = START + timedelta(seconds=step)
        occasion = Occasion(self.book, self.account, at, By.API, f"record-{step}")
        changes = decision(occasion, command, **more)
        self._accept(*changes)
        return changes

    def order(self, side, quantity, *, price=None):
        """A market order, or with a price a limit."""
        given = {"side": side, "quantity": quantity, "type": "limit" if price else "market"}
        price = {"price": Decimal(price)} if price else {}
        [change] = self.do(cross.place_order, PlaceOrder.read(given | price))
        return change.the(CrossOrder)

    def trade(self, *orders):
        """Market orders of signed quantities, each after a move to its price."""
        for quantity, price in orders:
            self.slide(price)
            self.order("buy" if quantity > 0 else "sell", abs(quantity))

    def close(self):
        [change] = self.do(cross.close_position, Nothing())
        return change.the(CrossOrder)

    def cancel(self, order):
        return self.do(cross.cancel_order, OnTrade(id=order.id))

    def slide(self, price):
        """Let the price move; answers the changes it causes."""
        at = START + timedelta(seconds=next(self._steps))
        changes = moves.move_price(self.book, Decimal(price), at=at, by=By.CONTROL)
        self._accept(*changes)
        return changes[1:]
