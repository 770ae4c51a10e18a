"""A spot exchange of ccxt's behind the port: `exchanges.client.ExchangeClient`."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final

from exchanges.ccxt import parse
from exchanges.ccxt.channel import Channel
from exchanges.ccxt.dialect import Dialect
from exchanges.ccxt.spot import CcxtSpot
from exchanges.client import CrossMargin, IsolatedMargin, Swaps
from exchanges.errors import NotSupported
from exchanges.guard import UNGUARDED, Call, Guard
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

MAX_ANSWER_BYTES: Final = 16_000_000
"""The list of an exchange's markets is by far its longest answer."""


@lru_cache
def _shared_transport(base_url: str) -> Transport:
    return Transport(base_url, MAX_ANSWER_BYTES)


# Two processes writing to one socket would mix up their requests.
os.register_at_fork(after_in_child=_shared_transport.cache_clear)


def _now() -> datetime:
    return datetime.now(UTC)


class CcxtClient:
    """One account at a spot exchange. See the port for the errors."""

    capabilities = frozenset({Capability.SPOT})
    request_window: timedelta | None = None

    def __init__(
        self,
        dialect: Dialect,
        transport: Transport,
        *,
        credentials: Credentials | None,
        guard: Guard = UNGUARDED,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._dialect = dialect
        self._channel = Channel(
            dialect, transport, credentials=credentials, guard=guard, clock=clock
        )

    @classmethod
    def connect(
        cls, dialect: Dialect, base_url: str, *, credentials: Credentials | None, guard: Guard
    ) -> "CcxtClient":
        """Its connections are shared with all others of this process to the same place."""
        transport = _shared_transport(base_url)
        return cls(dialect, transport, credentials=credentials, guard=guard)

    @cached_property
    def spot(self) -> CcxtSpot:
        return CcxtSpot(self._channel)

    @property
    def isolated(self) -> IsolatedMargin:
        raise NotSupported(f"{self._dialect.name} is connected for its spot markets only.")

    @property
    def cross(self) -> CrossMargin:
        raise NotSupported(f"{self._dialect.name} is connected for its spot markets only.")

    @property
    def swaps(self) -> Swaps:
        raise NotSupported(f"{self._dialect.name} is connected for its spot markets only.")

    def refuses_stale_signature(self) -> bool:
        """No: there is no window."""
        return False

    def permissions(self) -> frozenset[Permission] | None:
        """None: the exchange does not say."""
        return None

    def ping(self) -> None:
        self._time("ping")

    def time(self) -> datetime:
        return self._time("time")

    def ticker(self) -> Ticker:
        asked_at = self._channel.clock()
        return self._channel.read(
            Call("ticker", is_public=True),
            lambda ccxt: ccxt.fetch_ticker(self._dialect.market),
            lambda answer: parse.ticker(answer, asked_at=asked_at),
        )

    def account(self) -> AccountInfo:
        """Known by its key, since the exchange does not say whose it is; free bitcoin in sats."""
        held = self._channel.read(
            Call("account"), lambda ccxt: ccxt.fetch_balance(), parse.balances
        )
        key = f"{self._dialect.id}:{self._channel.key().key}"
        fingerprint = sha256(key.encode()).hexdigest()[:32]
        balance = parse.free_sats(held)
        return AccountInfo(id=fingerprint, username="", balance=balance, fee_tier=0)

    def candles(self, length: CandleRange, *, since: datetime, until: datetime) -> Sequence[Candle]:
        """Oldest first, as far back as the exchange keeps them: Kraken 720 of each length.

        Raises `NotSupported` for a length that the exchange does not have.
        """
        if length.value not in self._channel.lengths:
            allowed = ", ".join(one for one in CandleRange if one.value in self._channel.lengths)
            raise NotSupported(f"{self._dialect.name} has candles of {allowed} only.")
        milliseconds = int(since.timestamp() * 1000)
        candles = self._channel.read(
            Call("candles", is_public=True),
            lambda ccxt: ccxt.fetch_ohlcv(self._dialect.market, length.value, milliseconds),
            parse.candles,
        )
        return [candle for candle in candles if candle.at <= until]

    def funding_settlements(self, *, since: datetime) -> Sequence[FundingSettlement]:
        """Raises `NotSupported`: a spot market has no funding."""
        raise NotSupported(f"{self._dialect.name}'s spot markets have no funding.")

    def _time(self, operation: str) -> datetime:
        call = Call(operation, is_public=True)
        return self._channel.read(call, lambda ccxt: ccxt.fetch_time(), parse.at)
