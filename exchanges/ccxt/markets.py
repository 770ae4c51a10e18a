"""Which markets an exchange has: asked once an hour by a process, shared by all its clients."""

from functools import lru_cache
from time import monotonic
from typing import Any, Final

LASTS: Final = 3600.0
"""Seconds; a market that is new or gone is noticed after this."""


class Markets:
    """The markets of one exchange, once one of its clients has asked for them."""

    def __init__(self) -> None:
        self._known: Any = None
        self._known_until = 0.0

    def give(self, library: Any) -> bool:
        """Let a client's ccxt know them too; False when they are to be asked for."""
        if self._known is None or monotonic() > self._known_until:
            return False
        if library.markets is not self._known.markets:
            library.set_markets_from_exchange(self._known)
        return True

    def take(self, library: Any) -> None:
        """Remember what a client's ccxt was told, and nothing else of it."""
        known = type(library)()
        known.set_markets_from_exchange(library)
        self._known, self._known_until = known, monotonic() + LASTS


@lru_cache
def markets_of(base_url: str) -> Markets:
    """Those of the exchange at an address."""
    return Markets()
