"""The JSON of the answers about the account and its dollars, with the field names of LN Markets.

Where the official SDKs disagree about a field, an answer has it both ways.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.paper.account import Account
from exchanges.paper.javascript import iso
from exchanges.paper.records import (
    Address,
    LightningDeposit,
    LightningWithdrawal,
    Notification,
    OnChainDeposit,
    OnChainWithdrawal,
)
from exchanges.paper.swaps import UsdUnit
from exchanges.types import Asset, BestPrice, Swap


def account_json(account: Account, *, at: datetime, unit: UsdUnit) -> dict[str, Any]:
    """The account as its owner sees it."""
    return {
        "id": account.id,
        "username": account.username,
        "email": None,
        "linkingPublicKey": None,
        "balance": account.balance,
        "syntheticUsdBalance": _usd(account.usd, unit),
        "feeTier": account.fee_tier(at),
    }


def address_json(address: Address) -> dict[str, Any]:
    """A fresh address."""
    return {"address": address.id, "createdAt": iso(address.created_at)}


def lightning_deposit_json(deposit: LightningDeposit) -> dict[str, Any]:
    """A deposit in the history; `paymentRequest` was shown when it was asked for."""
    return {
        "id": deposit.id,
        "amount": deposit.amount,
        "comment": deposit.comment,
        "createdAt": iso(deposit.created_at),
        "paymentHash": deposit.payment_hash,
        "settledAt": deposit.settled_at and iso(deposit.settled_at),
    }


def on_chain_deposit_json(deposit: OnChainDeposit) -> dict[str, Any]:
    """A deposit in the history."""
    return {
        "id": deposit.id,
        "amount": deposit.amount,
        "blockHeight": deposit.block_height,
        "confirmations": deposit.confirmations,
        "createdAt": iso(deposit.created_at),
        "status": deposit.status,
        "txId": deposit.tx_id,
    }


def payment_json(withdrawal: LightningWithdrawal) -> dict[str, Any]:
    """The answer to a Lightning withdrawal."""
    return {
        "id": withdrawal.id,
        "amount": withdrawal.amount,
        "maxFees": withdrawal.fee,
        "paymentHash": withdrawal.payment_hash,
    }


def lightning_withdrawal_json(withdrawal: LightningWithdrawal) -> dict[str, Any]:
    """A withdrawal in the history."""
    return {
        "id": withdrawal.id,
        "amount": withdrawal.amount,
        "createdAt": iso(withdrawal.created_at),
        "fee": withdrawal.fee,
        "paymentHash": withdrawal.payment_hash,
        "status": withdrawal.status,
    }


def on_chain_withdrawal_json(withdrawal: OnChainWithdrawal) -> dict[str, Any]:
    """A withdrawal, when it is asked for and in the history."""
    return {
        "id": withdrawal.id,
        "address": withdrawal.address,
        "amount": withdrawal.amount,
        "createdAt": iso(withdrawal.created_at),
        "fee": withdrawal.fee,
        "status": withdrawal.status,
        "txId": withdrawal.tx_id,
    }


def notification_json(notification: Notification) -> dict[str, Any]:
    """`type` and `message` for the SDK for Python, `event` and `data` for the other."""
    return {
        "id": notification.id,
        "createdAt": iso(notification.created_at),
        "message": notification.message,
        "read": notification.is_read,
        "type": notification.type,
        "event": notification.type,
        "data": {"message": notification.message},
    }


def best_price_json(price: BestPrice) -> dict[str, Any]:
    """At which dollars are swapped."""
    return {"askPrice": price.ask, "bidPrice": price.bid}


def swap_json(swap: Swap, *, unit: UsdUnit) -> dict[str, Any]:
    """A swap, when it is done and in the history."""
    return {
        "id": swap.id,
        "createdAt": swap.created_at and iso(swap.created_at),
        "inAmount": _amount(swap.in_amount, swap.in_asset, unit),
        "inAsset": swap.in_asset,
        "outAmount": _amount(swap.out_amount, swap.out_asset, unit),
        "outAsset": swap.out_asset,
    }


def _amount(amount: int, asset: Asset, unit: UsdUnit) -> int | Decimal:
    return amount if asset is Asset.BTC else _usd(amount, unit)


def _usd(cents: int, unit: UsdUnit) -> Decimal:
    return Decimal(cents) / unit.cents_answered
