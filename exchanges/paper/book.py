"""The book: every account, and the market. Pure.

Nothing changes the book but a `Change`. Decisions (`exchanges.paper.decisions`) look at the book
and answer with the changes that follow; `Book.apply` makes them so. The ledger is the list of
all changes, so that applying it from the start gives the same book again.
"""

from decimal import Decimal
from typing import assert_never

from exchanges.paper.account import Account, Signer
from exchanges.paper.changes import Change, Kind
from exchanges.paper.clock import Clock
from exchanges.paper.cross import Position
from exchanges.paper.market import Market, MarketRecord, Terms
from exchanges.paper.records import (
    Address,
    LightningDeposit,
    LightningWithdrawal,
    Notification,
    OnChainDeposit,
    OnChainWithdrawal,
    Record,
)
from exchanges.paper.refusals import NotFound
from exchanges.paper.scopes import ApiKey
from exchanges.types import (
    Candle,
    Credentials,
    CrossOrder,
    FundingFee,
    FundingSettlement,
    Side,
    Swap,
    Transfer,
)


class Book:
    """All accounts, and the market they share."""

    def __init__(self, price: Decimal) -> None:
        self.market = Market(price)
        self.accounts: dict[str, Account] = {}
        self._signers: dict[str, Signer] = {}

    @property
    def price(self) -> Decimal:
        """The price of the last trade in USD."""
        return self.market.price

    def account(self, account_id: str) -> Account:
        """Raises `NotFound`."""
        try:
            return self.accounts[account_id]
        except KeyError:
            raise NotFound("account: unknown") from None

    def account_of(self, key: str) -> Account | None:
        """The account an API key belongs to."""
        signer = self.signer(key)
        return signer.account if signer else None

    def signer(self, key: str) -> Signer | None:
        """Who signs with an API key, also with a revoked one."""
        return self._signers.get(key)

    def price_for(self, side: Side, quantity: int) -> Decimal:
        """What a market order pays or gets now."""
        return self.market.price_for(side, quantity)

    def apply(self, change: Change) -> None:
        """Make the change so. Raises `KeyError` for an account that is not in the book."""
        self.market.pass_on(change.at, change.price)
        if change.kind is Kind.ACCOUNT:
            self._enter(change)
        account = self.accounts[change.account_id] if change.account_id is not None else None
        if account is None:
            self._apply_to_market(change)
        else:
            self._apply_to_account(account, change)

    def _enter(self, change: Change) -> None:
        account_id = change.account_id or ""
        self.accounts[account_id] = Account(
            id=account_id,
            username=change.request["username"],
            balance=0,
            cross=Position(id=account_id, updated_at=change.at),
        )

    def _apply_to_market(self, change: Change) -> None:
        for record in change.records:
            if not isinstance(record, MarketRecord):
                raise TypeError(f"{type(record).__name__} needs an account")
            self.market.put(record)

    def _apply_to_account(self, account: Account, change: Change) -> None:
        account.balance = change.balance if change.balance is not None else account.balance
        account.usd = change.usd if change.usd is not None else account.usd
        if change.trade is not None:
            account.put(change.trade)
        if change.credentials is not None:
            self._admit(account, change, change.credentials)
        for record in change.records:
            _put(account, record)

    def _admit(self, account: Account, change: Change, credentials: Credentials) -> None:
        # The first ledgers knew one key per account, which might do everything by default.
        keys = [record for record in change.records if isinstance(record, ApiKey)]
        [key] = keys or [ApiKey(id=account.id)]
        account.keys[key.id] = key
        account.credentials[key.id] = credentials
        self._signers[credentials.key] = Signer(account, key.id)


def _put(account: Account, record: Record) -> None:
    match record:
        case Position():
            account.cross = record
        case CrossOrder():
            account.put_order(record)
        case ApiKey():
            account.keys[record.id] = record
        case Clock() | Terms() | Candle() | FundingSettlement():
            raise TypeError(f"{type(record).__name__} belongs to no account")
        case (
            Transfer()
            | FundingFee()
            | Swap()
            | LightningDeposit()
            | OnChainDeposit()
            | LightningWithdrawal()
            | OnChainWithdrawal()
            | Address()
            | Notification()
        ):
            account.keep(record)
        case _:
            assert_never(record)
