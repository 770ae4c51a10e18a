"""LN Markets' REST API v3: the account under `/account`, its dollars under `/synthetic-usd`."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import swaps, treasury
from exchanges.paper import wire_account as wire
from exchanges.paper.account import Account
from exchanges.paper.changes import Change
from exchanges.paper.commands import Command, Nothing
from exchanges.paper.commands_account import (
    NewAddress,
    NewLightningDeposit,
    PayInvoice,
    SendOnChain,
    SwapAssets,
)
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
    key_of,
)
from exchanges.paper.routing import Routing
from exchanges.paper.scopes import Scope
from exchanges.types import Swap

Dated = LightningDeposit | OnChainDeposit | LightningWithdrawal | OnChainWithdrawal | Notification
D = TypeVar("D", bound=Dated)
R = TypeVar("R", bound=Record)


class SettledOnly(Command):
    """Which Lightning deposits are wanted: settled ones, others, or all."""

    settled: bool | None = None


class DepositsOf(Command):
    """Which on-chain deposits are wanted."""

    status: OnChainDepositStatus | None = None


class WithdrawalsOf(Command):
    """Which withdrawals are wanted."""

    status: WithdrawalStatus | None = None


class NotificationsOf(Command):
    """Which notifications are wanted: unread ones, unless it says otherwise."""

    read_ones: Annotated[bool, Field(alias="read")] = False


class AccountApi:
    """The account, deposits, withdrawals, notifications, swaps."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._exchange = routing.exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        return [*self._reads(), *self._histories(), *self._acts(), *self._synthetic_usd()]

    def _reads(self) -> list[Route]:
        private, deposits = self._routing.private, Scope.DEPOSITS_READ
        return [
            private("/account", Scope.ACCOUNT_READ, self._account),
            private("/account/address/bitcoin", deposits, _current_address),
        ]

    def _histories(self) -> list[Route]:
        deposits, withdrawals = Scope.DEPOSITS_READ, Scope.WITHDRAWALS_READ
        return [
            self._history(
                "/account/deposits/lightning",
                deposits,
                _lightning_deposits,
                wire.lightning_deposit_json,
            ),
            self._history(
                "/account/deposits/on-chain",
                deposits,
                _on_chain_deposits,
                wire.on_chain_deposit_json,
            ),
            self._history(
                "/account/withdrawals/lightning",
                withdrawals,
                partial(_withdrawals, LightningWithdrawal),
                wire.lightning_withdrawal_json,
            ),
            self._history(
                "/account/withdrawals/on-chain",
                withdrawals,
                partial(_withdrawals, OnChainWithdrawal),
                wire.on_chain_withdrawal_json,
            ),
            self._history(
                "/account/notifications",
                Scope.NOTIFICATIONS_READ,
                _notifications,
                wire.notification_json,
            ),
        ]

    def _acts(self) -> list[Route]:
        act, deposits, withdrawals = (
            self._routing.act,
            Scope.DEPOSITS_WRITE,
            Scope.WITHDRAWALS_WRITE,
        )
        return [
            act(
                "POST",
                "/account/address/bitcoin",
                deposits,
                NewAddress,
                treasury.new_address,
                _shown(Address, wire.address_json),
            ),
            act(
                "POST",
                "/account/deposit/lightning",
                deposits,
                NewLightningDeposit,
                treasury.new_lightning_deposit,
                _shown(LightningDeposit, _invoice_json),
                limited=True,
            ),
            act(
                "POST",
                "/account/withdraw/lightning",
                withdrawals,
                PayInvoice,
                treasury.pay_invoice,
                _shown(LightningWithdrawal, wire.payment_json),
            ),
            act(
                "POST",
                "/account/withdraw/on-chain",
                withdrawals,
                SendOnChain,
                treasury.send_on_chain,
                _shown(OnChainWithdrawal, wire.on_chain_withdrawal_json),
            ),
            act(
                "PUT",
                "/account/notifications",
                Scope.NOTIFICATIONS_WRITE,
                Nothing,
                treasury.read_notifications,
                lambda _account, _changes: None,
            ),
        ]

    def _synthetic_usd(self) -> list[Route]:
        unit = self._exchange.usd_unit
        show = partial(wire.swap_json, unit=unit)
        return [
            self._routing.public("/synthetic-usd/best-price", self._best_price),
            self._routing.act(
                "POST",
                "/synthetic-usd/swap",
                Scope.USD_WRITE,
                SwapAssets,
                partial(swaps.swap, unit=unit),
                _shown(Swap, show),
            ),
            self._routing.history(
                "/synthetic-usd/swaps",
                Scope.USD_READ,
                lambda account, _request: account.all(Swap),
                key=key_of,
                at=swaps.done_at,
                show=show,
            ),
        ]

    def _history(
        self,
        path: str,
        scope: Scope,
        read: Callable[[Account, Request], list[D]],
        show: Callable[[D], Any],
    ) -> Route:
        return self._routing.history(
            path, scope, read, key=key_of, at=lambda record: record.created_at, show=show
        )

    def _account(self, account: Account, _request: Request) -> dict[str, Any]:
        return wire.account_json(account, at=self._exchange.now(), unit=self._exchange.usd_unit)

    def _best_price(self, _request: Request) -> dict[str, Any]:
        return wire.best_price_json(swaps.best_price(self._exchange.book))


def _shown(kind: type[R], show: Callable[[R], Any]) -> Callable[[Account, list[Change]], Any]:
    """Shows the one record of this kind that a request made."""
    return lambda _account, changes: show(changes[0].the(kind))


def _current_address(account: Account, _request: Request) -> dict[str, Any]:
    return {"address": treasury.current_address(account)}


def _invoice_json(deposit: LightningDeposit) -> dict[str, Any]:
    return {"depositId": deposit.id, "paymentRequest": deposit.payment_request}


def _lightning_deposits(account: Account, request: Request) -> list[LightningDeposit]:
    settled = SettledOnly.read(dict(request.query_params)).settled
    deposits = account.all(LightningDeposit)
    return [each for each in deposits if settled in (None, each.settled_at is not None)]


def _on_chain_deposits(account: Account, request: Request) -> list[OnChainDeposit]:
    status = DepositsOf.read(dict(request.query_params)).status
    return [each for each in account.all(OnChainDeposit) if status in (None, each.status)]


W = TypeVar("W", LightningWithdrawal, OnChainWithdrawal)


def _withdrawals(kind: type[W], account: Account, request: Request) -> list[W]:
    status = WithdrawalsOf.read(dict(request.query_params)).status
    return [each for each in account.all(kind) if status in (None, each.status)]


def _notifications(account: Account, request: Request) -> list[Notification]:
    wanted = NotificationsOf.read(dict(request.query_params)).read_ones
    return [each for each in account.all(Notification) if each.is_read is wanted]
