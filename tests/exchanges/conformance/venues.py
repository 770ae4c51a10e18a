"""The exchanges that the adapters are tried against."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from exchanges.types import Credentials
from tests.exchanges.ccxt.fake_kraken import FakeKraken, Fault, fake_kraken, fingerprint
from tests.exchanges.conformance.world import BALANCE, Venue
from tests.paper_server import PaperServer, serving

SATS_PER_BITCOIN = 100_000_000


@dataclass(frozen=True)
class PaperVenue:
    """The paper exchange, which speaks as LN Markets does."""

    paper: PaperServer
    adapter: str = "lnmarkets"

    @property
    def url(self) -> str:
        return self.paper.url

    def account(self) -> tuple[str, Credentials]:
        account = self.paper.control.create_account(balance=BALANCE)
        return account.id, account.credentials

    def done(self, account_id: str) -> int:
        entries = self.paper.control.ledger()
        return sum(entry["account"] == account_id and entry["by"] == "api" for entry in entries)

    def cut(self, *, executed: bool) -> None:
        self.paper.control.fault("cut_after" if executed else "cut_before")

    def heal(self) -> None:
        self.paper.control.clear_faults()

    def price(self) -> Decimal:
        return self.paper.control.price()


@dataclass(frozen=True)
class KrakenVenue:
    """A small exchange which speaks as Kraken does."""

    kraken: FakeKraken
    adapter: str = "ccxt-kraken"

    @property
    def url(self) -> str:
        return self.kraken.url

    def account(self) -> tuple[str, Credentials]:
        btc = str(Decimal(BALANCE) / SATS_PER_BITCOIN)
        account = self.kraken.open_account(btc=btc, usd="1000000")
        return fingerprint(account.key), account.credentials

    def done(self, account_id: str) -> int:
        accounts = self.kraken.accounts
        return next(one.done for one in accounts.values() if fingerprint(one.key) == account_id)

    def cut(self, *, executed: bool) -> None:
        self.kraken.faults.append(Fault(executed=executed))

    def heal(self) -> None:
        self.kraken.faults.clear()

    def price(self) -> Decimal:
        return self.kraken.price


@contextmanager
def kraken_venue(_directory: Path) -> Iterator[Venue]:
    with fake_kraken() as kraken:
        yield KrakenVenue(kraken)


@contextmanager
def paper_venue(directory: Path) -> Iterator[Venue]:
    with serving(directory / "ledger.jsonl") as paper:
        yield PaperVenue(paper)


VENUES: Mapping[str, Callable[[Path], AbstractContextManager[Venue]]] = {
    "lnmarkets": paper_venue,
    "ccxt-kraken": kraken_venue,
}
