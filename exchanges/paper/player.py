"""Plays prices in real time, whatever the exchange's own clock does."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import LedgerNotWritten

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Playlist:
    """Prices to come, the first at once; `name` is that of the scenario, "candles" or "prices"."""

    name: str
    prices: Sequence[Decimal]
    interval_ms: int


class PricePlayer:
    """Moves the price along a playlist; a new one replaces one that still plays.

    A restart of the exchange ends it: the price stays where it got to.
    """

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._list: Playlist | None = None
        self._done = 0
        self._playing: asyncio.Task[None] | None = None

    def play(self, playlist: Playlist) -> None:
        """Begin with the list."""
        self.stop()
        self._list, self._done = playlist, 0
        self._playing = asyncio.create_task(self._play(playlist))

    def stop(self) -> None:
        """Leave the price where it is."""
        if self._playing is not None:
            self._playing.cancel()

    def progress(self) -> dict[str, Any]:
        """How far it is, as JSON."""
        steps = len(self._list.prices) if self._list else 0
        return {
            "name": self._list and self._list.name,
            "playing": self._playing is not None and not self._playing.done(),
            "steps": steps,
            "done": self._done,
            "left": steps - self._done,
            "interval_ms": self._list and self._list.interval_ms,
        }

    async def _play(self, playlist: Playlist) -> None:
        for price in playlist.prices:
            try:
                self._exchange.move_price(price)
            except LedgerNotWritten:
                logger.exception("Stopped playing %s after %d steps", playlist.name, self._done)
                return
            self._done += 1
            if self._done < len(playlist.prices):
                await asyncio.sleep(playlist.interval_ms / 1000)
