"""Values for tests, each with sensible defaults: name only what the case is about."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from automations.snapshots import Lifetime, PastAction, Snapshot, Usage
from exchanges.inverse_futures import liquidation_price, profit_and_loss, required_margin
from exchanges.types import (
    Aged,
    BestPrice,
    CrossPosition,
    Holdings,
    OrderType,
    Side,
    SpotBalance,
    Ticker,
    Trade,
    TradeStatus,
)

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


def cross(
    quantity: int = 10_000,
    *,
    entry: int | str | None = 100_000,
    margin: int = 1_010_500,
    liquidation: int | str | None = 91_000,
    leverage: int = 10,
) -> CrossPosition:
    """The cross-margin position; `quantity` 0 is flat, below 0 short. 1,000,000 sats to lose."""
    return CrossPosition(
        id="c1",
        quantity=quantity,
        margin=margin,
        leverage=leverage,
        entry_price=Decimal(entry) if entry and quantity else None,
        liquidation_price=Decimal(liquidation) if liquidation and quantity else None,
        initial_margin=0,
        running_margin=0,
        maintenance_margin=10_500,
        total_pl=0,
        delta_pl=0,
        funding_fees=0,
        trading_fees=0,
        updated_at=NOW,
    )


def ticker(price: int | str | Decimal = 100_000, *, at: datetime = NOW) -> Ticker:
    """The market at a price."""
    return Ticker(at, Decimal(price), Decimal(price), Decimal("0.0001"), NOW + timedelta(hours=4))


def snapshot(
    *trades: Trade,
    price: int | str | Decimal = 100_000,
    now: datetime = NOW,
    balance: int = 1_000_000,
    cross: CrossPosition | None = None,
    usd: int | str | None = None,
    spot: Mapping[str, int | str] | None = None,
    quotes: Mapping[str, tuple[int | str, int | str]] | None = None,
    past: tuple[PastAction, ...] = (),
    lifetime: Lifetime | None = None,
    usage: Usage | None = None,
    under_way: frozenset[str] = frozenset(),
    unsettled: frozenset[str] = frozenset(),
) -> Snapshot:
    """What a rule sees, read just now; `quotes` are (ask, bid) by symbol."""
    holdings = Holdings(
        balance,
        trades,
        cross=cross,
        usd=None if usd is None else Decimal(usd),
        spot=None if spot is None else tuple(_balances(spot)),
    )
    return Snapshot(
        now=now,
        ticker=Aged(ticker(price, at=now), now, "rest"),
        holdings=Aged(holdings, now, "rest"),
        past=past,
        lifetime=lifetime or Lifetime(),
        usage=usage or Usage(),
        under_way=under_way,
        unsettled=unsettled,
        quotes=tuple(
            (symbol, Aged(BestPrice(Decimal(ask), Decimal(bid)), now, "rest"))
            for symbol, (ask, bid) in (quotes or {}).items()
        ),
    )


def _balances(free: Mapping[str, int | str]) -> Iterator[SpotBalance]:
    for asset, amount in free.items():
        yield SpotBalance(asset, Decimal(amount), Decimal(amount))


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
