"""LN Markets' REST API v3: isolated trades.

The tables in `Api` are the whole of it. The market is in `exchanges.paper.api_market`, cross
margin in `exchanges.paper.api_cross`, the account and its synthetic dollars in
`exchanges.paper.api_account`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from exchanges.paper import decisions, wire, wire_cross
from exchanges.paper.account import Account
from exchanges.paper.changes import Change
from exchanges.paper.commands import (
    FeesOf,
    MoveMargin,
    Nothing,
    OnTrade,
    OpenTrade,
    SetStopLoss,
    SetTakeProfit,
)
from exchanges.paper.records import key_of
from exchanges.paper.routing import Routing
from exchanges.paper.scopes import Scope
from exchanges.paper.trades import IsolatedTrade
from exchanges.types import FundingFee, TradeStatus


class Api:
    """Isolated trades."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._exchange = routing.exchange

    def routes(self) -> list[Route]:
        """All routes, without the `/v3` in front."""
        return [*self._reads(), *self._acts()]

    def _reads(self) -> list[Route]:
        trades = "/futures/isolated/trades"
        read = partial(self._routing.private, scope=Scope.ISOLATED_READ)
        return [
            read(f"{trades}/open", read=self._live(TradeStatus.OPEN)),
            read(f"{trades}/running", read=self._live(TradeStatus.RUNNING)),
            self._history(f"{trades}/closed", TradeStatus.CLOSED),
            self._history(f"{trades}/canceled", TradeStatus.CANCELED),
            self._routing.history(
                "/futures/isolated/funding-fees",
                Scope.ISOLATED_READ,
                _funding_fees,
                key=key_of,
                at=lambda fee: fee.at,
                show=wire_cross.funding_fee_json,
            ),
        ]

    def _acts(self) -> list[Route]:
        trade, trades, write = (
            "/futures/isolated/trade",
            "/futures/isolated/trades",
            Scope.ISOLATED_WRITE,
        )
        act, one, all_ = self._routing.act, self._one, self._all
        return [
            act("POST", trade, write, OpenTrade, decisions.open_trade, one, limited=True),
            act("POST", f"{trade}/close", write, OnTrade, decisions.close_trade, one),
            act("POST", f"{trade}/cancel", write, OnTrade, decisions.cancel_trade, one),
            act("POST", f"{trades}/cancel-all", write, Nothing, decisions.cancel_all, all_),
            act("POST", f"{trade}/add-margin", write, MoveMargin, decisions.add_margin, one),
            act("POST", f"{trade}/cash-in", write, MoveMargin, decisions.cash_in, one),
            act("PUT", f"{trade}/stoploss", write, SetStopLoss, decisions.set_stop_loss, one),
            act("PUT", f"{trade}/takeprofit", write, SetTakeProfit, decisions.set_take_profit, one),
            act("DELETE", f"{trade}/stoploss", write, OnTrade, decisions.remove_stop_loss, one),
            act("DELETE", f"{trade}/takeprofit", write, OnTrade, decisions.remove_take_profit, one),
        ]

    def _live(self, status: TradeStatus) -> Callable[[Account, Request], list[dict[str, Any]]]:
        return lambda account, _request: [self._shown(trade) for trade in account.trades(status)]

    def _history(self, path: str, status: TradeStatus) -> Route:
        return self._routing.history(
            path,
            Scope.ISOLATED_READ,
            lambda account, _request: list(account.trades(status)),
            key=lambda trade: trade.id,
            at=lambda trade: trade.closed_at or trade.created_at,
            show=self._shown,
        )

    def _one(self, account: Account, changes: list[Change]) -> dict[str, Any]:
        return self._all(account, changes)[0]

    def _all(self, _account: Account, changes: list[Change]) -> list[dict[str, Any]]:
        return [self._shown(change.trade) for change in changes if change.trade is not None]

    def _shown(self, trade: IsolatedTrade) -> dict[str, Any]:
        return wire.trade_json(trade, mark=self._exchange.book.price)


def _funding_fees(account: Account, request: Request) -> list[FundingFee]:
    trade_id = FeesOf.read(dict(request.query_params)).trade_id
    fees = (fee for fee in account.all(FundingFee) if fee.trade_id is not None)
    return [fee for fee in fees if trade_id in (None, fee.trade_id)]
