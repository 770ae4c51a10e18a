"""The control API: what a person or a test does to the exchange, from this machine only.

Under `/control`: open accounts and read them, trade by hand, read the ledger; the market is in
`exchanges.paper.control_market`, faults are in `exchanges.paper.control_faults`. Refuses requests
that a web page could have made a browser send: the host must be this machine, and a POST must
say that it is JSON, or CSV.
"""

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper import decisions, wire, wire_cross
from exchanges.paper.account import Account
from exchanges.paper.answers import answer, json_body
from exchanges.paper.changes import By, Change
from exchanges.paper.commands import (
    ControlCommand,
    CreateAccount,
    MoveMargin,
    OnTrade,
    OpenTrade,
    Sats,
)
from exchanges.paper.equity import equity
from exchanges.paper.exchange import PaperExchange
from exchanges.types import TradeStatus


class AddedMargin(ControlCommand):
    """Sats that a person moves into a running trade."""

    amount: Sats


class LedgerAfter(ControlCommand):
    """Which lines of the ledger are wanted."""

    after: Annotated[int, Field(ge=0)] = 0


class Control:
    """The routes under `/control`."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        account = "/accounts/{account_id}"
        return [
            Route("/accounts", self._create_account, methods=["POST"]),
            Route(account, self._read_account),
            Route(f"{account}/trades", self._open_trade, methods=["POST"]),
            Route(f"{account}/trades/{{trade_id}}/close", self._close_trade, methods=["POST"]),
            Route(f"{account}/trades/{{trade_id}}/margin", self._add_margin, methods=["POST"]),
            Route("/ledger", self._read_ledger),
        ]

    async def _create_account(self, request: Request) -> Response:
        account = self._exchange.create_account(CreateAccount.read(await json_body(request)))
        [key] = account.keys.values()
        secrets = wire.credentials_json(account.credentials[key.id])
        about = {"key_id": key.id, "permissions": key.scopes}
        return answer(_account_json(account) | about | secrets, 201)

    async def _read_account(self, request: Request) -> Response:
        account = self._account(request)
        live = [*account.trades(TradeStatus.RUNNING), *account.trades(TradeStatus.OPEN)]
        mark = self._exchange.book.price
        trades = [wire.trade_json(trade, mark=mark) for trade in live]
        orders = [wire_cross.order_json(order) for order in account.open_orders.values()]
        about = {
            "usd_cents": account.usd,
            "equity": equity(account, self._exchange.book),
            "trades": trades,
            "cross": wire_cross.position_json(account, mark=mark),
            "orders": orders,
        }
        return answer(_account_json(account) | about)

    async def _open_trade(self, request: Request) -> Response:
        order = OpenTrade.read(await json_body(request))
        account = self._account(request)
        [change] = self._exchange.act(decisions.open_trade, account, order, by=By.CONTROL)
        return answer(self._trade_json(change), 201)

    async def _close_trade(self, request: Request) -> Response:
        await json_body(request)
        command = OnTrade(id=request.path_params["trade_id"])
        account = self._account(request)
        [change] = self._exchange.act(decisions.close_trade, account, command, by=By.CONTROL)
        return answer(self._trade_json(change))

    async def _add_margin(self, request: Request) -> Response:
        given = AddedMargin.read(await json_body(request))
        account = self._account(request)
        command = MoveMargin(id=request.path_params["trade_id"], amount=given.amount)
        [change] = self._exchange.act(decisions.add_margin, account, command, by=By.CONTROL)
        return answer(self._trade_json(change))

    async def _read_ledger(self, request: Request) -> Response:
        after = LedgerAfter.read(dict(request.query_params)).after
        return answer({"entries": self._exchange.ledger(after=after)})

    def _trade_json(self, change: Change) -> dict[str, Any]:
        if change.trade is None:
            raise TypeError(f"{change.kind} changes no trade")
        return wire.trade_json(change.trade, mark=self._exchange.book.price)

    def _account(self, request: Request) -> Account:
        return self._exchange.book.account(request.path_params["account_id"])


def _account_json(account: Account) -> dict[str, Any]:
    return {"id": account.id, "username": account.username, "balance": account.balance}
