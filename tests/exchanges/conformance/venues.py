"""The exchanges that the adapters are tried against."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from exchanges.types import Credentials
from tests.exchanges.conformance.world import BALANCE, Venue
from tests.paper_server import PaperServer, serving


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


@contextmanager
def paper_venue(directory: Path) -> Iterator[Venue]:
    with serving(directory / "ledger.jsonl") as paper:
        yield PaperVenue(paper)


VENUES: Mapping[str, Callable[[Path], AbstractContextManager[Venue]]] = {
    "lnmarkets": paper_venue,
}
