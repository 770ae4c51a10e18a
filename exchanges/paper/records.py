"""What accounts and market have beside trades, balances and price, each as a frozen record.

`Record` is the closed union of them; a `Change` carries any number. A record replaces the one
with the same id. In the ledger it is an object with its kind under `record`:

    {"record": "transfer", "id": "…", "amount": 500, "at": "2026-01-01T00:00:00.000Z"}

To add one: the class, its place in `Record` and its name in `KINDS`, and what
`exchanges.paper.book` does with it; mypy finds the places.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from exchanges.paper.bitcoin import AddressFormat
from exchanges.paper.clock import Clock
from exchanges.paper.cross import Position
from exchanges.paper.market import MarketRecord, Terms
from exchanges.paper.scopes import ApiKey
from exchanges.types import Candle, CrossOrder, FundingFee, FundingSettlement, Swap, Transfer


@dataclass(frozen=True, slots=True)
class Address:
    """A Bitcoin address of the account's own; its id is the address."""

    id: str
    format: AddressFormat
    created_at: datetime
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class LightningDeposit:
    """An invoice of `amount` sats, paid when `settled_at` says so."""

    id: str
    amount: int
    payment_request: str
    payment_hash: str
    created_at: datetime
    comment: str | None = None
    settled_at: datetime | None = None


class OnChainDepositStatus(StrEnum):
    """The way of a transaction into the account; `IRREVERSIBLE` is credited."""

    MEMPOOL = "MEMPOOL"
    CONFIRMED = "CONFIRMED"
    IRREVERSIBLE = "IRREVERSIBLE"
    UNDER_REVIEW = "under_review"
    NOT_CREDITED = "not_credited"
    ON_HOLD = "on_hold"


@dataclass(frozen=True, slots=True)
class OnChainDeposit:
    """A transaction of `amount` sats to one of the account's addresses."""

    id: str
    amount: int
    tx_id: str
    created_at: datetime
    status: OnChainDepositStatus = OnChainDepositStatus.MEMPOOL
    confirmations: int = 0
    block_height: int | None = None


class WithdrawalStatus(StrEnum):
    """`FAILED` is Lightning only; `PENDING`, `CANCELED` and `REJECTED` are on-chain only."""

    PENDING = "pending"
    PROCESSING = "processing"
    PROCESSED = "processed"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class LightningWithdrawal:
    """A payment of `amount` sats; `fee` is what is set aside, then what the payment cost."""

    id: str
    amount: int
    payment_hash: str
    fee: int
    created_at: datetime
    status: WithdrawalStatus = WithdrawalStatus.PROCESSING


@dataclass(frozen=True, slots=True)
class OnChainWithdrawal:
    """A transaction of `amount` sats to `address`; its `fee` comes on top."""

    id: str
    address: str
    amount: int
    fee: int
    created_at: datetime
    status: WithdrawalStatus = WithdrawalStatus.PENDING
    tx_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A message of the exchange to the trader; `type` is a word such as `liquidation`."""

    id: str
    type: str
    message: str
    created_at: datetime
    is_read: bool = False


Kept = (
    Transfer
    | FundingFee
    | Swap
    | LightningDeposit
    | OnChainDeposit
    | LightningWithdrawal
    | OnChainWithdrawal
    | Address
    | Notification
)
"""Records of which an account has a list that only grows."""

Record = Kept | Position | CrossOrder | ApiKey | MarketRecord

KINDS: Mapping[str, type[Record]] = {
    "position": Position,
    "cross_order": CrossOrder,
    "transfer": Transfer,
    "funding_fee": FundingFee,
    "funding_settlement": FundingSettlement,
    "clock": Clock,
    "terms": Terms,
    "candle": Candle,
    "swap": Swap,
    "lightning_deposit": LightningDeposit,
    "on_chain_deposit": OnChainDeposit,
    "lightning_withdrawal": LightningWithdrawal,
    "on_chain_withdrawal": OnChainWithdrawal,
    "address": Address,
    "notification": Notification,
    "key": ApiKey,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_READERS = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def record_json(record: Record) -> dict[str, Any]:
    """The record as it stands in the ledger."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {"record": _NAMES[type(record)]} | values


def record_from_json(json: Mapping[str, Any]) -> Record:
    """The record that `record_json` wrote. Raises `KeyError`, `ValueError` or `TypeError`."""
    values = dict(json)
    record: Record = _READERS[values.pop("record")].validate_python(values)
    return record


def key_of(record: Kept) -> str:
    """What tells a record from the others of its kind; it is also the cursor of its page."""
    if isinstance(record, FundingFee):
        return f"{record.settlement_id}/{record.trade_id or ''}"
    return record.id
