"""Answers as LN Markets gives them, to be changed field by field."""

import json
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

TRADE_ID = "d0b9f9a0-4f6e-4a5a-8b7a-7f0f5f9a8a1e"
OTHER_TRADE_ID = "11111111-2222-4333-8444-555555555555"

TICKER: dict[str, Any] = {
    "time": "2026-11-20T12:00:00.000Z",
    "index": 100000.5,
    "lastPrice": 100000,
    "fundingRate": -0.0001,
    "fundingTime": "2026-11-20T16:00:00.000Z",
    "prices": [{"minSize": 0, "maxSize": 1000, "askPrice": 100000.5, "bidPrice": 99999.5}],
    "exchangesWeights": {"bybit": 0.5, "binance": 0.3, "okx": 0.2},
}

ACCOUNT: dict[str, Any] = {
    "id": "7f7d0a52-1a8e-4c6e-9b8a-0c1d2e3f4a5b",
    "username": "satoshi ⚡",
    "email": None,
    "linkingPublicKey": None,
    "balance": 1_000_000,
    "syntheticUsdBalance": 12.34,
    "feeTier": 0,
}

RUNNING: dict[str, Any] = {
    "id": TRADE_ID,
    "type": "market",
    "side": "buy",
    "quantity": 1000,
    "margin": 100_000,
    "leverage": 10,
    "price": 100000,
    "entryPrice": 100000,
    "entryMargin": 100_000,
    "liquidation": 90909,
    "maintenanceMargin": 1100,
    "openingFee": 1000,
    "closingFee": 0,
    "stoploss": 0,
    "takeprofit": 0,
    "stoplossTrailingDistance": 0,
    "exitPrice": None,
    "pl": -5263,
    "sumFundingFees": -12,
    "sumCashInPl": 0,
    "sumCashInMargin": 0,
    "createdAt": "2026-11-20T11:00:00.000Z",
    "filledAt": "2026-11-20T11:00:00.001Z",
    "closedAt": None,
    "open": False,
    "running": True,
    "closed": False,
    "canceled": False,
    "clientId": None,
}

OPEN = RUNNING | {
    "type": "limit",
    "price": 90000.5,
    "entryPrice": None,
    "openingFee": 0,
    "pl": 0,
    "filledAt": None,
    "open": True,
    "running": False,
    "clientId": "axisor:1",
}

CLOSED = RUNNING | {
    "closingFee": 1053,
    "maintenanceMargin": -47,
    "exitPrice": 95000,
    "closedAt": "2026-11-20T11:30:00Z",
    "running": False,
    "closed": True,
}

CANCELED = OPEN | {"open": False, "canceled": True, "closedAt": "2026-11-20T11:30:00.000Z"}


CANDLE: dict[str, Any] = {
    "time": "2026-11-20T11:59:00.000Z",
    "open": 100000,
    "high": 100010.5,
    "low": 99990,
    "close": 100005,
    "volume": 12345.5,
}

SETTLEMENT: dict[str, Any] = {
    "id": "22222222-2222-4333-8444-555555555555",
    "time": "2026-11-20T08:00:00.000Z",
    "fundingRate": 0.0001,
    "fixingPrice": 60000,
}

FUNDING_FEE: dict[str, Any] = {
    "fee": 1667,
    "settlementId": SETTLEMENT["id"],
    "time": "2026-11-20T08:00:00.000Z",
    "tradeId": TRADE_ID,
}

ORDER_ID = "33333333-2222-4333-8444-555555555555"

FILLED_ORDER: dict[str, Any] = {
    "id": ORDER_ID,
    "type": "market",
    "side": "buy",
    "quantity": 1000,
    "price": 100000,
    "tradingFee": 1000,
    "createdAt": "2026-11-20T11:00:00.000Z",
    "filledAt": "2026-11-20T11:00:00.001Z",
    "canceledAt": None,
    "open": False,
    "filled": True,
    "canceled": False,
    "clientId": None,
}

OPEN_ORDER = FILLED_ORDER | {
    "type": "limit",
    "price": 90000.5,
    "tradingFee": 0,
    "filledAt": None,
    "open": True,
    "filled": False,
    "clientId": "axisor:1",
}

CANCELED_ORDER = OPEN_ORDER | {
    "open": False,
    "canceled": True,
    "canceledAt": "2026-11-20T11:30:00.000Z",
}

POSITION: dict[str, Any] = {
    "id": "44444444-2222-4333-8444-555555555555",
    "quantity": -1000,
    "margin": 500_000,
    "leverage": 10,
    "entryPrice": 100000,
    "liquidation": 199402,
    "initialMargin": 100_000,
    "runningMargin": 100_000,
    "maintenanceMargin": 1500,
    "totalPl": -250,
    "deltaPl": 0,
    "fundingFees": -12,
    "tradingFees": 1000,
    "updatedAt": "2026-11-20T11:00:00.000Z",
}

FLAT_POSITION = POSITION | {
    "quantity": 0,
    "entryPrice": None,
    "liquidation": None,
    "initialMargin": 0,
    "runningMargin": 0,
    "maintenanceMargin": 0,
    "totalPl": 0,
}

TRANSFER: dict[str, Any] = {
    "id": "55555555-2222-4333-8444-555555555555",
    "amount": -500,
    "time": "2026-11-20T11:00:00.000Z",
}

BEST_PRICE: dict[str, Any] = {"askPrice": 100000.5, "bidPrice": 99999.5}

SWAP_TO_USD: dict[str, Any] = {
    "id": "66666666-2222-4333-8444-555555555555",
    "inAmount": 100_000,
    "inAsset": "BTC",
    "outAmount": 99.99,
    "outAsset": "USD",
}

SWAP_TO_BTC = SWAP_TO_USD | {
    "inAmount": 12.34,
    "inAsset": "USD",
    "outAmount": 12_339,
    "outAsset": "BTC",
}

PAST_SWAP = SWAP_TO_USD | {"createdAt": "2026-11-20T11:00:00.000Z"}


def page_of(*documents: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {"data": list(documents), "nextCursor": cursor}


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
