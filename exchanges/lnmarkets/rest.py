"""LN Markets' REST API v3 behind the port: `exchanges.client.ExchangeClient`.

Every call is one line of the specification's tables: a route, what goes in, how to read what
comes out. The parts with routes of their own are `isolated`, `cross` and `swaps`; how a request
travels is the business of `channel`.
"""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from exchanges.client import Spot
from exchanges.errors import NotSupported
from exchanges.guard import UNGUARDED, Call, Guard
from exchanges.lnmarkets.channel import Channel, iso
from exchanges.lnmarkets.constants import JUST_OUTSIDE, REQUEST_WINDOW
from exchanges.lnmarkets.cross import LNMarketsCross
from exchanges.lnmarkets.isolated import LNMarketsIsolated
from exchanges.lnmarkets.parse import market
from exchanges.lnmarkets.parse.account import account
from exchanges.lnmarkets.swaps import LNMarketsSwaps
from exchanges.transport import Transport
from exchanges.types import (
    AccountInfo,
    Candle,
    CandleRange,
    Capability,
    Credentials,
    FundingSettlement,
    Permission,
    Ticker,
)


def connect(*, base_url: str, credentials: Credentials | None, guard: Guard) -> "LNMarketsClient":
    """A client whose connections are shared with all others of this process to the same place."""
    return LNMarketsClient(_shared_transport(base_url), credentials=credentials, guard=guard)


@lru_cache
def _shared_transport(base_url: str) -> Transport:
    return Transport(base_url)


# Two processes writing to one socket would mix up their requests.
os.register_at_fork(after_in_child=_shared_transport.cache_clear)


def _now() -> datetime:
    return datetime.now(UTC)


class LNMarketsClient:
    """One account at LN Markets, or at whatever speaks its API. See the port for the errors."""

    capabilities = frozenset({Capability.ISOLATED, Capability.CROSS, Capability.SWAPS})
    request_window = REQUEST_WINDOW

    def __init__(
        self,
        transport: Transport,
        *,
        credentials: Credentials | None,
        guard: Guard = UNGUARDED,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._channel = Channel(transport, credentials=credentials, guard=guard, clock=clock)

    @cached_property
    def isolated(self) -> LNMarketsIsolated:
        return LNMarketsIsolated(self._channel)

    @cached_property
    def cross(self) -> LNMarketsCross:
        return LNMarketsCross(self._channel)

    @cached_property
    def swaps(self) -> LNMarketsSwaps:
        return LNMarketsSwaps(self._channel)

    @property
    def spot(self) -> Spot:
        raise NotSupported("LN Markets has no spot market.")

    def refuses_stale_signature(self) -> bool:
        """Only a key that is accepted otherwise can show it; see the port."""
        self.account()
        stale = self.time() - self.request_window - JUST_OUTSIDE
        return self._channel.refuses(Call("account"), "/account", signed_at=stale)

    def permissions(self) -> frozenset[Permission] | None:
        """As its stream tells them, which alone does."""
        return self._channel.permissions()

    def ping(self) -> None:
        self._channel.read(Call("ping", is_public=True), "/ping", market.pong)

    def time(self) -> datetime:
        return self._channel.read(Call("time", is_public=True), "/time", market.time)

    def ticker(self) -> Ticker:
        call = Call("ticker", is_public=True)
        return self._channel.read(call, "/futures/ticker", market.ticker)

    def account(self) -> AccountInfo:
        return self._channel.read(Call("account"), "/account", account)

    def candles(self, length: CandleRange, *, since: datetime, until: datetime) -> Sequence[Candle]:
        """Oldest first."""
        candles = self._channel.pages(
            Call("candles", is_public=True),
            "/futures/candles",
            market.CANDLES,
            since=since,
            query={"to": iso(until), "range": length},
        )
        return sorted(candles, key=lambda candle: candle.at)

    def funding_settlements(self, *, since: datetime) -> Sequence[FundingSettlement]:
        call = Call("funding_settlements", is_public=True)
        path = "/futures/funding-settlements"
        return self._channel.pages(call, path, market.FUNDING_SETTLEMENTS, since=since)
