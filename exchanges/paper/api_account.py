"""LN Markets' REST API v3: the account itself."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import wire
from exchanges.paper.account import Account
from exchanges.paper.records import Scope
from exchanges.paper.routing import Routing


class AccountApi:
    """The account."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._exchange = routing.exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        return [self._routing.private("/account", Scope.ACCOUNT_READ, self._account)]

    def _account(self, account: Account, _request: Request) -> dict[str, Any]:
        return wire.account_json(account, at=self._exchange.now())
