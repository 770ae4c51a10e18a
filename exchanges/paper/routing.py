"""Makes the routes under `/v3`: who signed, whether they may, what follows, what is answered.

The tables of routes (`exchanges.paper.api` and its neighbours) say the rest: method, path, the
scope an API key needs, the body or query, the decision it leads to, and what of it is shown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper import javascript
from exchanges.paper.account import Account
from exchanges.paper.answers import answer, canonical_body
from exchanges.paper.auth import TIMESTAMP_HEADER, authenticate, require, signed_at
from exchanges.paper.changes import By, Change
from exchanges.paper.commands import Page
from exchanges.paper.conditions import Condition, Conditions
from exchanges.paper.exchange import C, Decision, PaperExchange
from exchanges.paper.scopes import Scope

T = TypeVar("T")


class Routing:
    """Routes to one exchange, refused under its conditions."""

    def __init__(self, exchange: PaperExchange, conditions: Conditions) -> None:
        self.exchange = exchange
        self._conditions = conditions

    def public(self, path: str, read: Callable[[Request], Any]) -> Route:
        """Answers everybody."""

        async def endpoint(request: Request) -> Response:
            return answer(read(request))

        return Route(path, endpoint)

    def private(self, path: str, scope: Scope, read: Callable[[Account, Request], Any]) -> Route:
        """Answers whoever signed, of their own account."""

        async def endpoint(request: Request) -> Response:
            account = self._account(request, scope, data=_query(request))
            return answer(read(account, request))

        return Route(path, endpoint)

    def history(
        self,
        path: str,
        scope: Scope,
        read: Callable[[Account, Request], Sequence[T]],
        *,
        key: Callable[[T], str],
        at: Callable[[T], datetime],
        show: Callable[[T], Any],
    ) -> Route:
        """Answers a list, newest first, page by page; the cursor is the `key` of the last."""

        def page(account: Account, request: Request) -> dict[str, Any]:
            wanted = Page.read(dict(request.query_params))
            items, more = wanted.of(read(account, request), key=key, at=at)
            return {
                "data": [show(item) for item in items],
                "nextCursor": key(items[-1]) if more else None,
            }

        return self.private(path, scope, page)

    def act(
        self,
        method: str,
        path: str,
        scope: Scope,
        command: type[C],
        decision: Decision[C],
        show: Callable[[Account, list[Change]], Any],
        *,
        limited: bool = False,
    ) -> Route:
        """Does what is asked; `limited` when the verification level may forbid it."""

        async def endpoint(request: Request) -> Response:
            body = await canonical_body(request)
            account = self._account(request, scope, data=body or _query(request))
            if limited:
                self._conditions.check(account.id, Condition.TIER_LIMIT)
            given = javascript.parse_exactly(body) if body else dict(request.query_params)
            changes = self.exchange.act(
                decision,
                account,
                command.read(given),
                by=By.API,
                signed_at=signed_at(request.headers[TIMESTAMP_HEADER]),
            )
            return answer(show(account, changes))

        return Route(path, endpoint, methods=[method])

    def _account(self, request: Request, scope: Scope, *, data: str) -> Account:
        signer = authenticate(
            request.headers,
            method=request.method,
            path=request.scope["raw_path"].decode("ascii", "replace"),
            data=data,
            book=self.exchange.book,
            now=self.exchange.now(),
        )
        self._conditions.check(signer.account.id, Condition.GEO_BLOCK, Condition.MAINTENANCE)
        require(signer, scope)
        return signer.account


def _query(request: Request) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return f"?{query}" if query else ""
