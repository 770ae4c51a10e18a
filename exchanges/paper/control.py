"""The control API: what a person or a test does to the market, from this machine only.

Under `/control`: open accounts and read them, trade by hand, set the price or play a list of
prices, read the ledger. Refuses requests that a web page could have made a
browser send: the host must be this machine, and a POST must say that it is JSON.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchanges.paper import decisions, wire
from exchanges.paper.account import Account
from exchanges.paper.answers import answer, json_body
from exchanges.paper.changes import By, Change
from exchanges.paper.commands import (
    ControlCommand,
    CreateAccount,
    MoveMargin,
    OnTrade,
    OpenTrade,
    Price,
    Sats,
)
from exchanges.paper.exchange import PaperExchange
from exchanges.paper.player import PricePlayer
from exchanges.types import TradeStatus

MAX_STEPS = 100_000
MAX_INTERVAL_MS = 3_600_000


def _from_text(value: object) -> object:
    """Prices may be written as text, which loses no digit in any language."""
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError("must be a number") from None


PriceOrText = Annotated[Price, BeforeValidator(_from_text)]


class SetPrice(ControlCommand):
    """The new last price in USD."""

    price: PriceOrText


class PlayPrices(ControlCommand):
    """Prices to come, `interval_ms` apart, the first at once."""

    prices: Annotated[list[PriceOrText], Field(min_length=1, max_length=MAX_STEPS)]
    interval_ms: Annotated[int, Field(strict=True, ge=0, le=MAX_INTERVAL_MS)]


class AddedMargin(ControlCommand):
    """Sats that a person moves into a running trade."""

    amount: Sats


class LedgerAfter(ControlCommand):
    """Which lines of the ledger are wanted."""

    after: Annotated[int, Field(ge=0)] = 0


class Control:
    """The routes under `/control`."""

    def __init__(self, exchange: PaperExchange, player: PricePlayer) -> None:
        self._exchange = exchange
        self._player = player

    def routes(self) -> list[Route]:
        """All routes, without the `/control` in front."""
        account = "/accounts/{account_id}"
        return [
            Route("/accounts", self._create_account, methods=["POST"]),
            Route(account, self._read_account),
            Route(f"{account}/trades", self._open_trade, methods=["POST"]),
            Route(f"{account}/trades/{{trade_id}}/close", self._close_trade, methods=["POST"]),
            Route(f"{account}/trades/{{trade_id}}/margin", self._add_margin, methods=["POST"]),
            Route("/price", self._read_price),
            Route("/price", self._set_price, methods=["POST"]),
            Route("/prices", self._play_prices, methods=["POST"]),
            Route("/ledger", self._read_ledger),
        ]

    async def _create_account(self, request: Request) -> Response:
        account = self._exchange.create_account(CreateAccount.read(await json_body(request)))
        [credentials] = account.credentials.values()
        secrets = wire.credentials_json(credentials)
        return answer(_account_json(account) | secrets, 201)

    async def _read_account(self, request: Request) -> Response:
        account = self._account(request)
        live = [*account.trades(TradeStatus.RUNNING), *account.trades(TradeStatus.OPEN)]
        mark = self._exchange.book.price
        trades = [wire.trade_json(trade, mark=mark) for trade in live]
        return answer(_account_json(account) | {"trades": trades})

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

    async def _read_price(self, _request: Request) -> Response:
        return answer({"price": self._exchange.book.price})

    async def _set_price(self, request: Request) -> Response:
        price = SetPrice.read(await json_body(request)).price
        self._exchange.move_price(price)
        return answer({"price": price})

    async def _play_prices(self, request: Request) -> Response:
        command = PlayPrices.read(await json_body(request))
        self._player.play(command.prices, interval=command.interval_ms / 1000)
        return answer({"steps": len(command.prices), "interval_ms": command.interval_ms}, 202)

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
