"""Answers as LN Markets gives them, to be changed field by field."""

import json
from typing import Any

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


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
