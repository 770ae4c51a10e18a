"""Values for tests, each with sensible defaults: name only what the case is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from automations.snapshots import PastAction, Snapshot
from exchanges.inverse_futures import liquidation_price, profit_and_loss, required_margin
from exchanges.types import Aged, Holdings, OrderType, Side, Ticker, Trade, TradeStatus

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def trade(
    *,
    trade_id: str = "t1",
    side: str = "buy",
    leverage: int = 10,
    quantity: int = 10_000,
    entry: int | str = 100_000,
    **changes: Any,
) -> Trade:
    """A running trade, with margin and liquidation price as the exchange would give them."""
    price = Decimal(entry)
    values: dict[str, Any] = {
        "id": trade_id,
        "type": OrderType.MARKET,
        "side": Side(side),
        "status": TradeStatus.RUNNING,
        "quantity": quantity,
        "margin": required_margin(quantity=quantity, price=price, leverage=Decimal(leverage)),
        "leverage": Decimal(leverage),
        "price": price,
        "entry_price": price,
        "liquidation_price": liquidation_price(
            side=Side(side), quantity=quantity, price=price, leverage=Decimal(leverage)
        ),
        "maintenance_margin": 10_500,
        "opening_fee": 10_000,
        "closing_fee": 0,
        "pl": 0,
        "sum_funding_fees": 0,
        "sum_cash_in_pl": 0,
        "sum_cash_in_margin": 0,
        "stop_loss": None,
        "take_profit": None,
        "exit_price": None,
        "created_at": NOW - timedelta(hours=1),
        "filled_at": NOW - timedelta(hours=1),
        "closed_at": None,
        "client_id": None,
    }
    return Trade(**{**values, **changes})


def ticker(price: int | str | Decimal = 100_000, *, at: datetime = NOW) -> Ticker:
    """The market at a price."""
    return Ticker(at, Decimal(price), Decimal(price), Decimal("0.0001"), NOW + timedelta(hours=4))


def snapshot(
    *trades: Trade,
    price: int | str | Decimal = 100_000,
    balance: int = 1_000_000,
    past: tuple[PastAction, ...] = (),
    under_way: frozenset[str] = frozenset(),
    unsettled: frozenset[str] = frozenset(),
) -> Snapshot:
    """What a rule sees, read just now."""
    return Snapshot(
        now=NOW,
        ticker=Aged(ticker(price), NOW, "rest"),
        holdings=Aged(Holdings(balance, trades), NOW, "rest"),
        past=past,
        under_way=under_way,
        unsettled=unsettled,
    )


def price_with_margin_used(of: Trade, share: Decimal) -> Decimal:
    """A price, in steps of 0.5, at which at least `share` of the trade's margin is used."""
    step = Decimal("0.5") if of.side is Side.SELL else Decimal("-0.5")
    price = of.price
    lost = share * of.margin
    exact = of.quantity * 100_000_000 / price
    rate = exact + lost if of.side is Side.BUY else exact - lost
    price = (of.quantity * 100_000_000 / rate * 2).to_integral_value() / 2 - 3 * step
    while -_pl(of, price) < lost:
        price += step
    return price


def _pl(of: Trade, price: Decimal) -> int:
    return profit_and_loss(side=of.side, quantity=of.quantity, entry=of.price, price=price)
