"""What a test may know of an exchange and of its account there, and no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from exchanges import registry
from exchanges.client import ExchangeClient, Signature
from exchanges.types import Credentials

BALANCE = 1_000_000
NOWHERE = "http://127.0.0.1:1/v3"


class Venue(Protocol):
    """A running exchange: what goes on there besides what clients ask for."""

    @property
    def adapter(self) -> str: ...
    @property
    def url(self) -> str: ...

    def account(self) -> tuple[str, Credentials]:
        """A new account, with `BALANCE` sats where the exchange knows sats, and its key."""
        ...

    def done(self, account_id: str) -> int:
        """How many acts of the account's clients the exchange has executed so far."""
        ...

    def cut(self, *, executed: bool) -> None:
        """Let the next request go without an answer, executed or not."""
        ...

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        ...

    def price(self) -> Decimal:
        """The last price."""
        ...


class World:
    """An account at an exchange."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.account_id, self.credentials = venue.account()

    @property
    def client(self) -> ExchangeClient:
        return self.connect(self.credentials)

    def connect(self, credentials: Credentials | None) -> ExchangeClient:
        return self._connect(self.venue.url, credentials)

    def gone(self) -> ExchangeClient:
        """A client of an exchange that is not there."""
        return self._connect(NOWHERE, self.credentials)

    def spoiled(self, wrong: str) -> Credentials:
        """The account's credentials, one of which is wrong."""
        return replace(self.credentials, **{wrong: "something-else"})

    def done(self) -> int:
        return self.venue.done(self.account_id)

    def _connect(self, url: str, credentials: Credentials | None) -> ExchangeClient:
        return registry.connect(self.venue.adapter, base_url=url, credentials=credentials)


def signed_now() -> Signature:
    now = datetime.now(UTC)
    return Signature(signed_at=now, deadline=now + timedelta(seconds=20))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)
