"""Lets time pass at an exchange that nobody asks anything of."""

import asyncio
import logging
from typing import NoReturn

from exchanges.paper.exchange import PaperExchange
from exchanges.paper.ledger import LedgerNotWritten

LOOK_SECONDS = 0.5
logger = logging.getLogger(__name__)


async def keep_time(exchange: PaperExchange) -> NoReturn:
    """Do what falls due, as soon as it does; a disk that refuses is tried again."""
    while True:
        try:
            exchange.pass_time()
        except LedgerNotWritten:
            logger.exception("A funding that is due could not be written")
        await asyncio.sleep(LOOK_SECONDS)
