"""Every call of the port as a table, and which adapters to try it with."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exchanges import registry
from exchanges.client import ExchangeClient, Signature
from exchanges.types import (
    Asset,
    CandleRange,
    Capability,
    NewCrossOrder,
    NewSpotOrder,
    NewSwap,
    NewTrade,
    OrderType,
    Side,
)
from tests.exchanges.conformance.venues import VENUES
from tests.exchanges.conformance.world import NOWHERE, long_ago, signed_now

NOBODYS = "00000000-0000-4000-8000-000000000000"

LONG = NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(10), margin=10_000)
LIMIT = NewTrade(
    side=Side.SELL,
    type=OrderType.LIMIT,
    leverage=Decimal("2.5"),
    quantity=100,
    price=Decimal("110000.5"),
    client_id="Zürich ⚡ 1",
)
CROSS_LONG = NewCrossOrder(side=Side.BUY, type=OrderType.MARKET, quantity=50)
CROSS_LIMIT = NewCrossOrder(
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=50,
    price=Decimal("90000.5"),
    client_id="Zürich ⚡ 2",
)
TO_USD = NewSwap(100_000, Asset.BTC)
COLLATERAL = 200_000
MARKET = "BTC/USD"
SPOT_BUY = NewSpotOrder(MARKET, Side.BUY, OrderType.MARKET, Decimal("0.001"))
SPOT_LIMIT = NewSpotOrder(
    MARKET, Side.BUY, OrderType.LIMIT, Decimal("0.002"), Decimal("90000.5"), NOBODYS
)


# What an act needs to be there first. Each returns the id of what it is done to.


def nothing(_client: ExchangeClient) -> str:
    return NOBODYS


def running_trade(client: ExchangeClient) -> str:
    return client.isolated.new_trade(LONG, signature=signed_now()).id


def open_trade(client: ExchangeClient) -> str:
    return client.isolated.new_trade(LIMIT, signature=signed_now()).id


def guarded_trade(client: ExchangeClient) -> str:
    trade_id = running_trade(client)
    client.isolated.set_stop_loss(trade_id, price=Decimal(95_000), signature=signed_now())
    client.isolated.set_take_profit(trade_id, price=Decimal(120_000), signature=signed_now())
    return trade_id


def collateral(client: ExchangeClient) -> str:
    client.cross.deposit(COLLATERAL, signature=signed_now())
    return NOBODYS


def open_order(client: ExchangeClient) -> str:
    collateral(client)
    return client.cross.new_order(CROSS_LIMIT, signature=signed_now()).id


def position(client: ExchangeClient) -> str:
    collateral(client)
    client.cross.new_order(CROSS_LONG, signature=signed_now())
    return NOBODYS


def spot_order(client: ExchangeClient) -> str:
    return client.spot.new_order(SPOT_LIMIT, signature=signed_now()).id


# And how it ends, after which the act must be refused.


def close_trade(client: ExchangeClient, trade_id: str) -> None:
    client.isolated.close_trade(trade_id, signature=signed_now())


def cancel_trade(client: ExchangeClient, trade_id: str) -> None:
    client.isolated.cancel_trade(trade_id, signature=signed_now())


def cancel_order(client: ExchangeClient, order_id: str) -> None:
    client.cross.cancel_order(order_id, signature=signed_now())


def cancel_spot_order(client: ExchangeClient, order_id: str) -> None:
    client.spot.cancel_order(order_id, MARKET, signature=signed_now())


@dataclass(frozen=True)
class Act:
    """Something that can be done: to what, and how that ends if it is one thing with an id."""

    part: Capability
    do: Callable[[ExchangeClient, str, Signature], Any]
    given: Callable[[ExchangeClient], str] = nothing
    end: Callable[[ExchangeClient, str], None] | None = None


def isolated(
    do: Callable[[ExchangeClient, str, Signature], Any],
    given: Callable[[ExchangeClient], str] = running_trade,
    end: Callable[[ExchangeClient, str], None] | None = close_trade,
) -> Act:
    return Act(Capability.ISOLATED, do, given, end)


def cross(
    do: Callable[[ExchangeClient, str, Signature], Any],
    given: Callable[[ExchangeClient], str] = collateral,
    end: Callable[[ExchangeClient, str], None] | None = None,
) -> Act:
    return Act(Capability.CROSS, do, given, end)


ACTS: Mapping[str, Act] = {
    "new_trade": isolated(lambda c, _, s: c.isolated.new_trade(LONG, signature=s), nothing, None),
    "close_trade": isolated(lambda c, i, s: c.isolated.close_trade(i, signature=s)),
    "cancel_trade": isolated(
        lambda c, i, s: c.isolated.cancel_trade(i, signature=s), open_trade, cancel_trade
    ),
    "cancel_all_trades": isolated(
        lambda c, _, s: c.isolated.cancel_all_trades(signature=s), open_trade, None
    ),
    "add_margin": isolated(lambda c, i, s: c.isolated.add_margin(i, amount=1000, signature=s)),
    "cash_in": isolated(lambda c, i, s: c.isolated.cash_in(i, amount=100, signature=s)),
    "set_stop_loss": isolated(
        lambda c, i, s: c.isolated.set_stop_loss(i, price=Decimal(95_000), signature=s)
    ),
    "set_trailing_stop": isolated(
        lambda c, i, s: c.isolated.set_trailing_stop(i, distance=Decimal("0.05"), signature=s)
    ),
    "set_take_profit": isolated(
        lambda c, i, s: c.isolated.set_take_profit(i, price=Decimal(120_000), signature=s)
    ),
    "remove_stop_loss": isolated(
        lambda c, i, s: c.isolated.set_stop_loss(i, price=None, signature=s), guarded_trade
    ),
    "remove_take_profit": isolated(
        lambda c, i, s: c.isolated.set_take_profit(i, price=None, signature=s), guarded_trade
    ),
    "new_order": cross(lambda c, _, s: c.cross.new_order(CROSS_LONG, signature=s)),
    "cancel_order": cross(
        lambda c, i, s: c.cross.cancel_order(i, signature=s), open_order, cancel_order
    ),
    "cancel_all_orders": cross(lambda c, _, s: c.cross.cancel_all_orders(signature=s), open_order),
    "close_position": cross(lambda c, _, s: c.cross.close_position(signature=s), position),
    "set_leverage": cross(lambda c, _, s: c.cross.set_leverage(7, signature=s)),
    "deposit": cross(lambda c, _, s: c.cross.deposit(5_000, signature=s), nothing),
    "withdraw": cross(lambda c, _, s: c.cross.withdraw(5_000, signature=s)),
    "swap": Act(Capability.SWAPS, lambda c, _, s: c.swaps.swap(TO_USD, signature=s)),
    "new_spot_order": Act(Capability.SPOT, lambda c, _, s: c.spot.new_order(SPOT_BUY, signature=s)),
    "cancel_spot_order": Act(
        Capability.SPOT,
        lambda c, i, s: c.spot.cancel_order(i, MARKET, signature=s),
        spot_order,
        cancel_spot_order,
    ),
}


@dataclass(frozen=True)
class Read:
    """Something that can be asked; `part` is None for what every exchange has."""

    part: Capability | None
    ask: Callable[[ExchangeClient], Any]


READS: Mapping[str, Read] = {
    "account": Read(None, lambda c: c.account()),
    "open_trades": Read(Capability.ISOLATED, lambda c: c.isolated.open_trades()),
    "running_trades": Read(Capability.ISOLATED, lambda c: c.isolated.running_trades()),
    "closed_trades": Read(
        Capability.ISOLATED, lambda c: c.isolated.closed_trades(since=long_ago())
    ),
    "canceled_trades": Read(
        Capability.ISOLATED, lambda c: c.isolated.canceled_trades(since=long_ago())
    ),
    "trades' funding_fees": Read(
        Capability.ISOLATED, lambda c: c.isolated.funding_fees(since=long_ago())
    ),
    "position": Read(Capability.CROSS, lambda c: c.cross.position()),
    "open_orders": Read(Capability.CROSS, lambda c: c.cross.open_orders()),
    "filled_orders": Read(Capability.CROSS, lambda c: c.cross.filled_orders(since=long_ago())),
    "transfers": Read(Capability.CROSS, lambda c: c.cross.transfers(since=long_ago())),
    "position's funding_fees": Read(
        Capability.CROSS, lambda c: c.cross.funding_fees(since=long_ago())
    ),
    "swaps": Read(Capability.SWAPS, lambda c: c.swaps.history(since=long_ago())),
    "spot balances": Read(Capability.SPOT, lambda c: c.spot.balances()),
    "open spot orders": Read(Capability.SPOT, lambda c: c.spot.open_orders(MARKET)),
    "closed spot orders": Read(
        Capability.SPOT, lambda c: c.spot.closed_orders(MARKET, since=long_ago())
    ),
}

PUBLIC_READS: Mapping[str, Read] = {
    "ping": Read(None, lambda c: c.ping()),
    "time": Read(None, lambda c: c.time()),
    "ticker": Read(None, lambda c: c.ticker()),
    "candles": Read(
        None, lambda c: c.candles(CandleRange.M1, since=long_ago(), until=datetime.now(UTC))
    ),
    "funding_settlements": Read(
        Capability.ISOLATED, lambda c: c.funding_settlements(since=long_ago())
    ),
    "best_price": Read(Capability.SWAPS, lambda c: c.swaps.best_price()),
    "spot best_price": Read(Capability.SPOT, lambda c: c.spot.best_price(MARKET)),
}


def has(adapter: str, part: Capability | None) -> bool:
    return part is None or part in registry.adapter(adapter).capabilities


def with_window(adapter: str) -> bool:
    return registry.connect(adapter, base_url=NOWHERE).request_window is not None


def each_adapter(
    part: Capability | None = None, *, of: Iterable[str] = tuple(VENUES)
) -> pytest.MarkDecorator:
    """A world for each adapter that has this part of the port."""
    names = [name for name in of if has(name, part)]
    return pytest.mark.parametrize("world", names, indirect=True)


def each_call(
    name: str, calls: Mapping[str, Act] | Mapping[str, Read], *, of: Iterable[str] = tuple(VENUES)
) -> pytest.MarkDecorator:
    """A world for each adapter, and each call of the parts that it has."""
    rows = [
        pytest.param(adapter, call, id=f"{adapter}-{title}")
        for adapter in of
        for title, call in calls.items()
        if has(adapter, call.part)
    ]
    return pytest.mark.parametrize(("world", name), rows, indirect=["world"])


each_act = each_call("act", ACTS)
each_read = each_call("read", READS)
