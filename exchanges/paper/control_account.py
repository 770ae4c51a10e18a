"""The control API of an account: cross margin by hand, the networks outside, keys, refusals.

Under `/control`: trade cross margin and swap for the trader, pay invoices, confirm transactions,
let withdrawals go through or fail, write to the trader, give and revoke API keys, and set the
conditions under which the exchange refuses. What changed is answered as the ledger has it.
"""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper import decisions_cross, keys, swaps, treasury, wire
from exchanges.paper.account import Account
from exchanges.paper.answers import answer, json_body
from exchanges.paper.changes import By
from exchanges.paper.commands import Nothing, OnTrade
from exchanges.paper.commands_account import (
    AdvanceDeposit,
    AdvanceWithdrawal,
    NewKey,
    Notify,
    ReceiveOnChain,
    RevokeKey,
    SwapAssets,
)
from exchanges.paper.commands_cross import MoveSats, PlaceOrder, SetLeverage
from exchanges.paper.conditions import Conditions, SetCondition
from exchanges.paper.exchange import C, Decision, PaperExchange
from exchanges.paper.records import record_json


class AccountControl:
    """The routes under `/control/accounts/<id>`, and `/control/conditions`."""

    def __init__(self, exchange: PaperExchange, conditions: Conditions) -> None:
        self._exchange = exchange
        self._conditions = conditions
        self._swap = partial(swaps.swap, unit=exchange.usd_unit)

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        account = "/accounts/{account_id}"
        return [
            *self._trading(f"{account}/cross"),
            self._post(f"{account}/swap", SwapAssets, self._swap),
            self._post(f"{account}/deposits", ReceiveOnChain, treasury.receive_on_chain),
            self._post(f"{account}/deposits/{{id}}", AdvanceDeposit, treasury.advance_deposit),
            self._post(
                f"{account}/withdrawals/{{id}}", AdvanceWithdrawal, treasury.advance_withdrawal
            ),
            self._post(f"{account}/notifications", Notify, treasury.notify),
            Route(f"{account}/keys", self._create_key, methods=["POST"]),
            self._post(f"{account}/keys/{{id}}/revoke", RevokeKey, keys.revoke),
            Route("/conditions", self._set_condition, methods=["POST"]),
        ]

    def _trading(self, cross: str) -> list[Route]:
        post = self._post
        return [
            post(f"{cross}/order", PlaceOrder, decisions_cross.place_order),
            post(f"{cross}/order/cancel", OnTrade, decisions_cross.cancel_order),
            post(f"{cross}/close", Nothing, decisions_cross.close_position),
            post(f"{cross}/leverage", SetLeverage, decisions_cross.set_leverage),
            post(f"{cross}/deposit", MoveSats, decisions_cross.deposit),
            post(f"{cross}/withdraw", MoveSats, decisions_cross.withdraw),
        ]

    def _post(self, path: str, command: type[C], decision: Decision[C]) -> Route:
        async def endpoint(request: Request) -> Response:
            given = await json_body(request)
            if "id" in request.path_params and isinstance(given, dict):
                given = given | {"id": request.path_params["id"]}
            account = self._account(request)
            [change] = self._exchange.act(decision, account, command.read(given), by=By.CONTROL)
            return answer({"records": [record_json(record) for record in change.records]})

        return Route(path, endpoint, methods=["POST"])

    async def _create_key(self, request: Request) -> Response:
        command = NewKey.read(await json_body(request))
        account = self._account(request)
        key = self._exchange.create_key(account, command)
        secrets = wire.credentials_json(account.credentials[key.id])
        return answer({"id": key.id, "permissions": key.scopes} | secrets, 201)

    async def _set_condition(self, request: Request) -> Response:
        command = SetCondition.read(await json_body(request))
        if command.account_id is not None:
            self._exchange.book.account(command.account_id)
        self._conditions.set(command)
        return Response(status_code=204)

    def _account(self, request: Request) -> Account:
        return self._exchange.book.account(request.path_params["account_id"])
