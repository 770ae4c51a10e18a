"""LN Markets' REST API v3 behind the port: `exchanges.client.ExchangeClient`.

Every call is one line of the specification's tables: a route, what goes in, how to read what
comes out. Reads and acts differ in two places only: an act is signed as of its recorded time and
looks at its deadline when the connection stands, and what leaves a read without an answer leaves
an act with an unknown outcome.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

import requests

from exchanges.client import Signature
from exchanges.errors import (
    ClockSkew,
    InvalidCredentials,
    NotSent,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from exchanges.failpoints import failpoint
from exchanges.guard import Guard
from exchanges.lnmarkets import outcomes, parse
from exchanges.lnmarkets.auth import SignedAt, canonical_json
from exchanges.lnmarkets.constants import JUST_OUTSIDE, MAX_PAGES, PAGE_SIZE, REQUEST_WINDOW
from exchanges.lnmarkets.transport import Transport
from exchanges.types import AccountInfo, Credentials, NewTrade, Ticker, Trade, TradeStatus

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "axisor",
}
_TRADE: Final = "/futures/isolated/trade"
_TRADES: Final = "/futures/isolated/trades"


def connect(*, base_url: str, credentials: Credentials | None, guard: Guard) -> "LNMarketsClient":
    """A client whose connections are shared with all others of this process to the same place."""
    return LNMarketsClient(_shared_transport(base_url), credentials=credentials)


@lru_cache
def _shared_transport(base_url: str) -> Transport:
    return Transport(base_url)


# Two processes writing to one socket would mix up their requests.
os.register_at_fork(after_in_child=_shared_transport.cache_clear)


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing() -> None:
    """What a read does before it leaves and after: it may leave whenever it likes."""


class LNMarketsClient:
    """One account at LN Markets, or at whatever speaks its API. See the port for the errors."""

    request_window = REQUEST_WINDOW

    def __init__(
        self,
        transport: Transport,
        *,
        credentials: Credentials | None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._clock = clock

    def refuses_stale_signature(self) -> bool:
        stale = self.time() - self.request_window - JUST_OUTSIDE
        try:
            self._read("/account", signed_at=stale)
        except ClockSkew:
            return True
        return False

    def ping(self) -> None:
        parse.pong(self._read("/ping", public=True))

    def time(self) -> datetime:
        return parse.time(self._read("/time", public=True))

    def ticker(self) -> Ticker:
        return parse.ticker(self._read("/futures/ticker", public=True))

    def account(self) -> AccountInfo:
        return parse.account(self._read("/account"))

    def open_trades(self) -> Sequence[Trade]:
        return parse.trades(self._read(f"{_TRADES}/open"), status=TradeStatus.OPEN)

    def running_trades(self) -> Sequence[Trade]:
        return parse.trades(self._read(f"{_TRADES}/running"), status=TradeStatus.RUNNING)

    def closed_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every closed trade that was created at or after `since`, and perhaps others.

        The specification leaves open whether the exchange filters by creation or by close.
        """
        return self._pages(f"{_TRADES}/closed", status=TradeStatus.CLOSED, since=since)

    def canceled_trades(self, *, since: datetime) -> Sequence[Trade]:
        """Every canceled trade that was created at or after `since`, and perhaps others."""
        return self._pages(f"{_TRADES}/canceled", status=TradeStatus.CANCELED, since=since)

    def new_trade(self, order: NewTrade, *, signature: Signature) -> Trade:
        trade = self._act("POST", _TRADE, _new_trade(order), signature)
        _require(trade.side is order.side and trade.type is order.type, "side and type")
        _require(trade.client_id == order.client_id, "client id")
        return trade

    def close_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        trade = self._act_on(trade_id, "POST", f"{_TRADE}/close", {}, signature)
        _require(trade.status is TradeStatus.CLOSED, "status")
        return trade

    def cancel_trade(self, trade_id: str, *, signature: Signature) -> Trade:
        trade = self._act_on(trade_id, "POST", f"{_TRADE}/cancel", {}, signature)
        _require(trade.status is TradeStatus.CANCELED, "status")
        return trade

    def add_margin(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body = {"amount": amount}
        trade = self._act_on(trade_id, "POST", f"{_TRADE}/add-margin", body, signature)
        _require(trade.status is TradeStatus.RUNNING, "status")
        return trade

    def cash_in(self, trade_id: str, *, amount: int, signature: Signature) -> Trade:
        body = {"amount": amount}
        return self._act_on(trade_id, "POST", f"{_TRADE}/cash-in", body, signature)

    def set_stop_loss(self, trade_id: str, *, price: Decimal, signature: Signature) -> Trade:
        body = {"value": price}
        return self._act_on(trade_id, "PUT", f"{_TRADE}/stoploss", body, signature)

    def set_take_profit(self, trade_id: str, *, price: Decimal, signature: Signature) -> Trade:
        body = {"value": price}
        return self._act_on(trade_id, "PUT", f"{_TRADE}/takeprofit", body, signature)

    def _pages(self, path: str, *, status: TradeStatus, since: datetime) -> Sequence[Trade]:
        """All pages, newest first. A trade met twice, by a page that shifted, is kept once."""
        trades: dict[str, Trade] = {}
        query = {"from": _iso(since), "limit": str(PAGE_SIZE)}
        for _ in range(MAX_PAGES):
            page = parse.page(self._read(path, query=query), status=status)
            for trade in page.trades:
                trades.setdefault(trade.id, trade)
            if page.next_cursor is None:
                return list(trades.values())
            if page.next_cursor == query.get("cursor"):
                raise UnreadableAnswer("The list goes in circles: a page follows itself.")
            query["cursor"] = page.next_cursor
        raise UnreadableAnswer(f"The list does not end after {MAX_PAGES} pages.")

    def _read(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        public: bool = False,
        signed_at: datetime | None = None,
    ) -> bytes:
        auth = None if public else self._signed_at(signed_at or self._clock())
        request = requests.Request(
            "GET", self._url(path), params=query, headers=_HEADERS, auth=auth
        )
        try:
            return self._exchange(request.prepare(), last_look=_nothing, on_sent=_nothing)
        except NotSent as error:
            raise Unavailable(str(error)) from None

    def _act_on(
        self,
        trade_id: str,
        method: str,
        path: str,
        body: Mapping[str, int | Decimal],
        signature: Signature,
    ) -> Trade:
        trade = self._act(method, path, {"id": trade_id, **body}, signature)
        _require(trade.id == trade_id, "id")
        return trade

    def _act(
        self,
        method: str,
        path: str,
        body: Mapping[str, str | int | Decimal],
        signature: Signature,
    ) -> Trade:
        request = requests.Request(
            method,
            self._url(path),
            data=canonical_json(body),
            headers={**_HEADERS, "Content-Type": "application/json"},
            auth=self._signed_at(signature.signed_at),
        )
        try:
            answer = self._exchange(
                request.prepare(),
                last_look=lambda: self._last_look(signature.deadline),
                on_sent=lambda: failpoint("sent"),
            )
            return parse.trade(answer)
        except (Unavailable, UnreadableAnswer) as error:
            raise UnknownOutcome(f"It is not known whether this was done. {error}") from None

    def _last_look(self, deadline: datetime) -> None:
        failpoint("signed")
        if self._clock() > deadline:
            raise NotSent("The deadline had passed before the request could leave.")
        failpoint("leaving")

    def _exchange(
        self,
        request: requests.PreparedRequest,
        *,
        last_look: Callable[[], None],
        on_sent: Callable[[], None],
    ) -> bytes:
        answer = self._transport.exchange(request, last_look=last_look, on_sent=on_sent)
        return outcomes.body_of(answer, credentials=self._credentials, now=self._clock())

    def _url(self, path: str) -> str:
        return self._transport.base_url + path

    def _signed_at(self, signed_at: datetime) -> SignedAt:
        if self._credentials is None:
            raise InvalidCredentials("This needs an API key, and there is none.")
        return SignedAt(self._credentials, signed_at)


def _new_trade(order: NewTrade) -> Mapping[str, str | int | Decimal]:
    body: dict[str, str | int | Decimal | None] = {
        "side": order.side,
        "type": order.type,
        "leverage": order.leverage,
        "margin": order.margin,
        "quantity": order.quantity,
        "price": order.price,
        "stoploss": order.stop_loss,
        "takeprofit": order.take_profit,
        "clientId": order.client_id,
    }
    return {name: value for name, value in body.items() if value is not None}


def _require(as_asked: bool, what: str) -> None:
    """The answer to an act must be about what was asked, or else it answers nothing."""
    if not as_asked:
        raise UnknownOutcome(
            f"It is not known whether this was done. The answered trade has another {what}."
        )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
