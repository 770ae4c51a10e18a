"""Plays a list of prices in real time."""

import asyncio
import logging
from collections.abc import Sequence
from decimal import Decimal

from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import LedgerNotWritten

logger = logging.getLogger(__name__)


class PricePlayer:
    """Moves the price along a list; a new list replaces one that still plays."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._playing: asyncio.Task[None] | None = None

    def play(self, prices: Sequence[Decimal], *, interval: float) -> None:
        """Begin with the list; `interval` is in seconds."""
        self.stop()
        self._playing = asyncio.create_task(self._play(prices, interval))

    def stop(self) -> None:
        """Leave the price where it is."""
        if self._playing is not None:
            self._playing.cancel()

    async def _play(self, prices: Sequence[Decimal], interval: float) -> None:
        for step, price in enumerate(prices, start=1):
            try:
                self._exchange.move_price(price)
            except LedgerNotWritten:
                logger.exception("Stopped playing prices at step %d of %d", step, len(prices))
                return
            await asyncio.sleep(interval)
