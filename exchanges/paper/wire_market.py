"""The JSON of what the market tells everybody, with the field names of LN Markets."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.paper.account import Account
from exchanges.paper.javascript import iso
from exchanges.paper.market import Market, next_funding_at
from exchanges.types import Bucket, Candle, FundingSettlement, TradeStatus

INDEX_WEIGHTS = {"bybit": Decimal("0.25"), "binance": Decimal("0.5"), "okx": Decimal("0.25")}
LEADERS = 10
LEADERBOARDS = {
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "all-time": timedelta.max,
}


def ticker_json(market: Market, *, at: datetime) -> dict[str, Any]:
    """The market now; the index is the last price."""
    return {
        "time": iso(at),
        "index": market.price,
        "lastPrice": market.price,
        "fundingRate": market.terms.funding_rate,
        "fundingTime": iso(next_funding_at(at)),
        "prices": [bucket_json(bucket) for bucket in market.terms.buckets(market.price)],
        "exchangesWeights": INDEX_WEIGHTS,
        "priceChange24h": {"ratio": market.change_of_a_day(at), "updatedAt": iso(at)},
    }


def bucket_json(bucket: Bucket) -> dict[str, Any]:
    """Ask and bid of one range of sizes."""
    return {
        "minSize": bucket.min_size,
        "maxSize": bucket.max_size,
        "askPrice": bucket.ask,
        "bidPrice": bucket.bid,
    }


def candle_json(candle: Candle) -> dict[str, Any]:
    """A candle; its time is when it begins."""
    return {
        "time": candle.at,
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": candle.volume,
    }


def settlement_json(settlement: FundingSettlement) -> dict[str, Any]:
    """A funding of the whole market."""
    return {
        "id": settlement.id,
        "time": settlement.at,
        "fundingRate": settlement.rate,
        "fixingPrice": settlement.fixing_price,
    }


def leaderboard_json(accounts: Iterable[Account], *, at: datetime) -> dict[str, Any]:
    """Whose closed isolated trades won most, by how long ago they were closed.

    What `direction` means is not documented; it is 0.
    """
    accounts = list(accounts)
    return {name: _leaders(accounts, at=at, age=age) for name, age in LEADERBOARDS.items()}


def _leaders(accounts: Iterable[Account], *, at: datetime, age: timedelta) -> list[dict[str, Any]]:
    won = [(account.username, _pl_of(account, at=at, age=age)) for account in accounts]
    ranked = sorted(won, key=lambda entry: entry[1], reverse=True)
    return [{"username": name, "pl": pl, "direction": 0} for name, pl in ranked[:LEADERS] if pl > 0]


def _pl_of(account: Account, *, at: datetime, age: timedelta) -> int:
    return sum(
        trade.pl
        for trade in account.trades(TradeStatus.CLOSED)
        if trade.closed_at is not None and at - trade.closed_at <= age
    )
