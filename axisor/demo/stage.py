"""The demo's position on the paper exchange: opened by hand, endangered, and put away.

It is told from other trades by its label, and the price it was opened at is the price to go back
to. So an interrupted demo can be tidied up by the next one, which needs to remember nothing.
"""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from axisor.demo.errors import CannotShow
from exchanges.inverse_futures import price_at_loss, profit_and_loss
from exchanges.paper.control_client import ControlClient
from exchanges.types import Side

LABEL = "axisor-demo"
MARGIN = 20_000
LEVERAGE = 50
"""So high that a fall of 2 % is the end of it, and of no seeded position."""


@dataclass(frozen=True, slots=True)
class Position:
    """The demo's long position while the last price is `price`; USD and sats as everywhere."""

    id: str
    quantity: int
    entry: Decimal
    margin: int
    liquidation: Decimal
    price: Decimal
    pl: int

    @property
    def margin_used(self) -> Decimal:
        """max(0, −P&L) / margin, 1 at liquidation."""
        return self.margin_used_at(self.price)

    def price_when_used(self, share: Decimal) -> Decimal:
        """The price at which `share` of the margin is used, to the nearest 0.5."""
        loss = share * self.margin
        return price_at_loss(side=Side.BUY, quantity=self.quantity, entry=self.entry, loss=loss)

    def margin_used_at(self, price: Decimal) -> Decimal:
        """The same at another price."""
        pl = profit_and_loss(side=Side.BUY, quantity=self.quantity, entry=self.entry, price=price)
        return Decimal(max(0, -pl)) / self.margin


class Stage:
    """One account of the paper exchange, with the demo's position on it."""

    def __init__(self, control: ControlClient, account_id: str, *, lines: int) -> None:
        self._control = control
        self._account_id = account_id
        self._lines = lines

    @property
    def balance(self) -> int:
        """Free sats of the account."""
        return int(self._control.account(self._account_id)["balance"])

    def open(self) -> Position:
        """Buy at the market."""
        self._control.open_trade(
            self._account_id, side="buy", leverage=LEVERAGE, margin=MARGIN, clientId=LABEL
        )
        return self.position()

    def move_price(self, price: Decimal) -> Position:
        """Set the last price, and see what that makes of the position."""
        self._control.set_price(price)
        return self.position()

    def position(self) -> Position:
        """The position as it is now; `CannotShow` when somebody else has ended it."""
        price = self._control.price()
        for trade in self._own_trades():
            return Position(
                id=trade["id"],
                quantity=trade["quantity"],
                entry=_decimal(trade["entryPrice"]),
                margin=trade["margin"],
                liquidation=_decimal(trade["liquidation"]),
                price=price,
                pl=trade["pl"],
            )
        raise CannotShow("The demo's position was closed or liquidated before it was saved.")

    def crossed_at(self, position: Position, threshold: Decimal) -> datetime:
        """When the price first made `position`, as it is given, use `threshold` of its margin.

        By the exchange's clock. Raises `StopIteration` when it never did.
        """
        return next(
            datetime.fromisoformat(line["at"])
            for line in self._control.ledger(after=self._lines)
            if position.margin_used_at(_decimal(line["price"])) >= threshold
        )

    def margin_line(self, position: Position) -> dict[str, Any]:
        """The ledger's line about the margin added to it. Raises `StopIteration`."""
        return next(
            line
            for line in self._control.ledger(after=self._lines)
            if line["kind"] == "add_margin" and line["trade"]["id"] == position.id
        )

    def tidy(self) -> bool:
        """Put the price back to where the position was opened and close it, if there is one."""
        trades = self._own_trades()
        for trade in trades:
            self._control.set_price(_decimal(trade["entryPrice"]))
            self._control.close_trade(self._account_id, trade["id"])
        return bool(trades)

    def _own_trades(self) -> list[dict[str, Any]]:
        trades = self._control.account(self._account_id)["trades"]
        return [trade for trade in trades if trade["clientId"] == LABEL]


@contextlib.contextmanager
def stage_of(control: ControlClient, username: str) -> Iterator[Stage]:
    """The account of that name at the exchange; price and account are put back at the end."""
    lines = control.ledger()
    accounts = [
        line["account"]
        for line in lines
        if line["kind"] == "account" and line["request"]["username"] == username
    ]
    if not accounts:
        raise CannotShow(
            f"The active account is {username}. Activate Paper in the admin, then run this again."
        )
    stage = Stage(control, accounts[-1], lines=len(lines))
    stage.tidy()
    before = control.price()
    try:
        yield stage
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        control.set_price(before)
        stage.tidy()


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
