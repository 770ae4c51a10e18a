"""What may be asked about the account: deposits, withdrawals, swaps, keys; typed and checked."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from exchanges.paper.bitcoin import AddressFormat
from exchanges.paper.commands import MAX_SATS, Command, ControlCommand, Number, Sats
from exchanges.paper.records import OnChainDepositStatus, WithdrawalStatus
from exchanges.paper.scopes import Scope
from exchanges.types import Asset

MAX_TEXT = 500


class NewAddress(Command):
    """A fresh address of the wanted format."""

    format: AddressFormat = AddressFormat.P2TR


class NewLightningDeposit(Command):
    """An invoice over `amount` sats."""

    amount: Sats
    comment: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    description_hash: Annotated[str, Field(pattern=r"^[a-f0-9]{64}$")] | None = None


class PayInvoice(Command):
    """A Lightning invoice to pay."""

    invoice: str


class SendOnChain(Command):
    """Sats to send to a Bitcoin address."""

    address: str
    amount: Sats


class SwapAssets(Command):
    """One asset for the other; dollars in the unit that the exchange was started with."""

    in_amount: Annotated[Number, Field(gt=0, le=MAX_SATS)]
    in_asset: Asset
    out_asset: Asset

    @model_validator(mode="after")
    def _has_two_assets(self) -> Self:
        if self.in_asset is self.out_asset:
            raise ValueError("outAsset: must be the other asset")
        return self


class ReceiveOnChain(ControlCommand):
    """A transaction of `amount` sats to the account shows up."""

    amount: Sats
    status: OnChainDepositStatus = OnChainDepositStatus.MEMPOOL


class AdvanceDeposit(ControlCommand):
    """A Lightning deposit is paid (no `status`), or an on-chain one gets a new `status`."""

    id: str
    status: OnChainDepositStatus | None = None


class AdvanceWithdrawal(ControlCommand):
    """A withdrawal gets a new `status`; it cost `fee`, by default all that was set aside."""

    id: str
    status: WithdrawalStatus
    fee: Annotated[int, Field(strict=True, ge=0)] | None = None


class Notify(ControlCommand):
    """A message to the trader."""

    type: Annotated[str, Field(min_length=1, max_length=64)]
    message: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class NewKey(ControlCommand):
    """An API key that may do what `permissions` name, by default all but withdraw."""

    permissions: tuple[Scope, ...] | None = None


class RevokeKey(ControlCommand):
    """The key that shall no longer work, by its id."""

    id: str
