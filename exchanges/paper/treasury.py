"""What follows from a request about deposits, withdrawals and notifications. Pure.

The networks outside are the control API: an invoice is paid, a transaction confirmed, a payment
goes through when it says so. What a withdrawal costs at most is set aside with it, and what it
did not cost comes back.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from hashlib import sha256

from exchanges.paper import bitcoin
from exchanges.paper.account import Account
from exchanges.paper.changes import Change, Kind
from exchanges.paper.commands import Nothing
from exchanges.paper.commands_account import (
    AdvanceDeposit,
    AdvanceWithdrawal,
    NewAddress,
    NewLightningDeposit,
    Notify,
    PayInvoice,
    ReceiveOnChain,
    SendOnChain,
)
from exchanges.paper.decisions import Occasion
from exchanges.paper.records import (
    Address,
    LightningDeposit,
    LightningWithdrawal,
    Notification,
    OnChainDeposit,
    OnChainDepositStatus,
    OnChainWithdrawal,
    Record,
    WithdrawalStatus,
)
from exchanges.paper.refusals import NotFound, Refusal

MAX_UNUSED_ADDRESSES = 10
MAX_LIGHTNING_FEE_RATE = Decimal("0.01")
ON_CHAIN_FEE = 1_000
CONFIRMATIONS = {OnChainDepositStatus.CONFIRMED: 1, OnChainDepositStatus.IRREVERSIBLE: 6}
FIRST_BLOCK_AT = datetime(2009, 1, 3, tzinfo=UTC)
BLOCK_PERIOD = timedelta(minutes=10)

LIGHTNING_STEPS: Mapping[WithdrawalStatus, tuple[WithdrawalStatus, ...]] = {
    WithdrawalStatus.PROCESSING: (WithdrawalStatus.PROCESSED, WithdrawalStatus.FAILED),
}
ON_CHAIN_STEPS: Mapping[WithdrawalStatus, tuple[WithdrawalStatus, ...]] = {
    WithdrawalStatus.PENDING: (
        WithdrawalStatus.PROCESSING,
        WithdrawalStatus.PROCESSED,
        WithdrawalStatus.CANCELED,
        WithdrawalStatus.REJECTED,
    ),
    WithdrawalStatus.PROCESSING: (WithdrawalStatus.PROCESSED,),
}
RETURNED = (WithdrawalStatus.FAILED, WithdrawalStatus.CANCELED, WithdrawalStatus.REJECTED)


def current_address(account: Account) -> str:
    """The newest address of the account; every account has one from the beginning."""
    addresses = account.all(Address)
    return addresses[0].id if addresses else _address(account, NewAddress(), number=0)


def new_address(occasion: Occasion, command: NewAddress) -> list[Change]:
    """Refused while too many are unused."""
    addresses = occasion.account.all(Address)
    if sum(not address.is_used for address in addresses) >= MAX_UNUSED_ADDRESSES:
        raise Refusal(
            "You have too many unused addresses, "
            f"use one of them first: {MAX_UNUSED_ADDRESSES} are allowed"
        )
    address = Address(
        id=_address(occasion.account, command, number=len(addresses) + 1),
        format=command.format,
        created_at=occasion.at,
    )
    return [occasion.change(Kind.ADDRESS, command, records=(address,))]


def new_lightning_deposit(occasion: Occasion, command: NewLightningDeposit) -> list[Change]:
    """An invoice; the balance grows when it is paid."""
    payment_hash = sha256(occasion.id.encode()).hexdigest()
    deposit = LightningDeposit(
        id=occasion.id,
        amount=command.amount,
        payment_request=bitcoin.make_invoice(
            command.amount, payment_hash=payment_hash, at=occasion.at
        ),
        payment_hash=payment_hash,
        created_at=occasion.at,
        comment=command.comment,
    )
    return [occasion.change(Kind.DEPOSIT, command, records=(deposit,))]


def receive_on_chain(occasion: Occasion, command: ReceiveOnChain) -> list[Change]:
    """A transaction to the newest address, which is used from now on."""
    deposit = OnChainDeposit(
        id=occasion.id,
        amount=command.amount,
        tx_id=sha256(occasion.id.encode()).hexdigest(),
        created_at=occasion.at,
    )
    used = tuple(replace(each, is_used=True) for each in occasion.account.all(Address)[:1])
    return _with_status(occasion, command, deposit, command.status, used)


def advance_deposit(occasion: Occasion, command: AdvanceDeposit) -> list[Change]:
    """The invoice is paid, or the transaction gets a new status."""
    if command.status is not None:
        deposit = occasion.account.one(OnChainDeposit, command.id)
        if deposit.status is OnChainDepositStatus.IRREVERSIBLE:
            raise Refusal("The deposit is irreversible")
        return _with_status(occasion, command, deposit, command.status)
    invoice = occasion.account.one(LightningDeposit, command.id)
    if invoice.settled_at is not None:
        raise Refusal("The deposit is settled already")
    invoice = replace(invoice, settled_at=occasion.at)
    notice = _notice(occasion, "deposit", f"{invoice.amount} sats were deposited by Lightning")
    balance = occasion.account.balance + invoice.amount
    return [occasion.change(Kind.DEPOSIT, command, balance=balance, records=(invoice, notice))]


def pay_invoice(occasion: Occasion, command: PayInvoice) -> list[Change]:
    """The amount and the highest fee leave the balance."""
    try:
        invoice = bitcoin.read_invoice(command.invoice)
    except ValueError:
        raise Refusal("Send a correct BOLT 11 invoice") from None
    fee = int((invoice.amount * MAX_LIGHTNING_FEE_RATE).to_integral_value(ROUND_CEILING))
    withdrawal = LightningWithdrawal(
        id=occasion.id,
        amount=invoice.amount,
        payment_hash=invoice.payment_hash,
        fee=fee,
        created_at=occasion.at,
    )
    balance = occasion.balance_after(invoice.amount + fee)
    return [occasion.change(Kind.WITHDRAWAL, command, balance=balance, records=(withdrawal,))]


def send_on_chain(occasion: Occasion, command: SendOnChain) -> list[Change]:
    """The amount and the fee leave the balance."""
    if not bitcoin.is_address(command.address):
        raise Refusal("Invalid address")
    withdrawal = OnChainWithdrawal(
        id=occasion.id,
        address=command.address,
        amount=command.amount,
        fee=ON_CHAIN_FEE,
        created_at=occasion.at,
    )
    balance = occasion.balance_after(command.amount + ON_CHAIN_FEE)
    return [occasion.change(Kind.WITHDRAWAL, command, balance=balance, records=(withdrawal,))]


def advance_withdrawal(occasion: Occasion, command: AdvanceWithdrawal) -> list[Change]:
    """The withdrawal goes on; what it did not cost, or all of it, comes back."""
    before = _withdrawal(occasion.account, command.id)
    steps = LIGHTNING_STEPS if isinstance(before, LightningWithdrawal) else ON_CHAIN_STEPS
    allowed = steps.get(before.status, ())
    if command.status not in allowed:
        raise Refusal(
            f"status: the withdrawal is {before.status}, allowed now: "
            f"{', '.join(allowed) or 'nothing'}"
        )
    fee = before.fee if command.fee is None else command.fee
    if fee > before.fee:
        raise Refusal(f"fee: at most the {before.fee} sats that were set aside")
    if command.status in RETURNED:
        fee, returned = 0, before.amount + before.fee
    else:
        returned = before.fee - fee
    after = replace(before, status=command.status, fee=fee)
    if isinstance(after, OnChainWithdrawal) and command.status is WithdrawalStatus.PROCESSED:
        after = replace(after, tx_id=sha256(after.id.encode()).hexdigest())
    balance = occasion.account.balance + returned
    return [occasion.change(Kind.WITHDRAWAL, command, balance=balance, records=(after,))]


def notify(occasion: Occasion, command: Notify) -> list[Change]:
    """A message to the trader."""
    notice = _notice(occasion, command.type, command.message)
    return [occasion.change(Kind.NOTIFICATION, command, records=(notice,))]


def read_notifications(occasion: Occasion, command: Nothing) -> list[Change]:
    """All of them are read now."""
    unread = [each for each in occasion.account.all(Notification) if not each.is_read]
    if not unread:
        return []
    records = tuple(replace(each, is_read=True) for each in unread)
    return [occasion.change(Kind.NOTIFICATIONS_READ, command, records=records)]


def _with_status(
    occasion: Occasion,
    command: ReceiveOnChain | AdvanceDeposit,
    deposit: OnChainDeposit,
    status: OnChainDepositStatus,
    more: tuple[Record, ...] = (),
) -> list[Change]:
    confirmations = CONFIRMATIONS.get(status, 0)
    deposit = replace(
        deposit,
        status=status,
        confirmations=confirmations,
        block_height=_block_height(occasion.at) if confirmations else None,
    )
    balance = occasion.account.balance
    if status is OnChainDepositStatus.IRREVERSIBLE:
        balance += deposit.amount
        more += (_notice(occasion, "deposit", f"{deposit.amount} sats were deposited on-chain"),)
    return [occasion.change(Kind.DEPOSIT, command, balance=balance, records=(deposit, *more))]


def _withdrawal(account: Account, withdrawal_id: str) -> LightningWithdrawal | OnChainWithdrawal:
    try:
        return account.one(LightningWithdrawal, withdrawal_id)
    except NotFound:
        return account.one(OnChainWithdrawal, withdrawal_id)


def _notice(occasion: Occasion, type_: str, message: str) -> Notification:
    return Notification(id=occasion.id, type=type_, message=message, created_at=occasion.at)


def _address(account: Account, command: NewAddress, *, number: int) -> str:
    return bitcoin.make_address(command.format, seed=f"{account.id} {number}")


def _block_height(at: datetime) -> int:
    return (at - FIRST_BLOCK_AT) // BLOCK_PERIOD
