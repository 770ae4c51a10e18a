"""An exchange, an account there, and every call of the port as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.client import ExchangeClient, Signature
from exchanges.types import Credentials, NewTrade, OrderType, Side, Trade
from tests.paper_server import PaperServer

BALANCE = 1_000_000
LONG = NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(10), margin=10_000)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class World:
    """A running exchange, and an account there with `BALANCE` sats."""

    paper: PaperServer
    adapter: Callable[[PaperServer, Credentials | None], ExchangeClient]
    credentials: Credentials
    account_id: str

    @property
    def client(self) -> ExchangeClient:
        return self.connect(self.credentials)

    def connect(self, credentials: Credentials | None) -> ExchangeClient:
        return self.adapter(self.paper, credentials)

    def spoiled(self, wrong: str) -> Credentials:
        """The account's credentials, one of which is wrong."""
        parts = {name: getattr(self.credentials, name) for name in ("key", "secret", "passphrase")}
        return Credentials(**parts | {wrong: "something-else"})

    def done(self) -> list[str]:
        """What the exchange has accepted from the account's clients."""
        return [
            entry["kind"]
            for entry in self.paper.control.ledger()
            if entry["account"] == self.account_id and entry["by"] == "api"
        ]

    def a_trade_for(self, act: object) -> str:
        """A trade that `act` can be done to, opened by hand instead of by the client."""
        order = {"side": "buy", "leverage": 10, "margin": 10_000}
        if act is ACTS["cancel"]:
            order |= {"type": "limit", "price": 90_000}
        trade_id: str = self.paper.control.open_trade(self.account_id, **order)["id"]
        return trade_id


def signed_now() -> Signature:
    now = datetime.now(UTC)
    return Signature(signed_at=now, deadline=now + timedelta(seconds=20))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


ACTS: dict[str, Callable[[ExchangeClient, str, Signature], Trade]] = {
    "new_trade": lambda c, _, s: c.isolated.new_trade(LONG, signature=s),
    "close": lambda c, i, s: c.isolated.close_trade(i, signature=s),
    "cancel": lambda c, i, s: c.isolated.cancel_trade(i, signature=s),
    "add_margin": lambda c, i, s: c.isolated.add_margin(i, amount=1000, signature=s),
    "cash_in": lambda c, i, s: c.isolated.cash_in(i, amount=100, signature=s),
    "stop_loss": lambda c, i, s: c.isolated.set_stop_loss(i, price=Decimal(95_000), signature=s),
    "take_profit": lambda c, i, s: c.isolated.set_take_profit(
        i, price=Decimal(120_000), signature=s
    ),
}
READS: dict[str, Callable[[ExchangeClient], object]] = {
    "account": lambda c: c.account(),
    "open": lambda c: c.isolated.open_trades(),
    "running": lambda c: c.isolated.running_trades(),
    "closed": lambda c: c.isolated.closed_trades(since=long_ago()),
    "canceled": lambda c: c.isolated.canceled_trades(since=long_ago()),
}
each_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
each_read = pytest.mark.parametrize("read", READS.values(), ids=READS)
