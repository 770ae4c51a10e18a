"""What was asked of an SDK, and what came of it."""

from collections import Counter
from enum import StrEnum

from rich.table import Table as Shown


class Outcome(StrEnum):
    """What came of a step; the last two are what must not be."""

    OK = "ok"
    REFUSED = "refused as expected"
    REMOVED = "removed by the exchange"
    FAILED = "failed"
    MISSING = "missing"


BAD = (Outcome.FAILED, Outcome.MISSING)


class Table:
    """The outcomes of one SDK by call, and what to say about the bad ones."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[str] = []
        self._outcomes: dict[str, Counter[Outcome]] = {}

    def add(self, call: str, outcome: Outcome, note: str = "") -> None:
        """One step."""
        self._outcomes.setdefault(call, Counter())[outcome] += 1
        if outcome in BAD:
            self.notes.append(f"{call}: {outcome} {note}".strip())

    def expect(self, calls: list[str]) -> None:
        """Those that no step was about are missing."""
        for call in calls:
            if call not in self._outcomes:
                self.add(call, Outcome.MISSING)

    @property
    def totals(self) -> Counter[Outcome]:
        """How many steps came to what."""
        return sum(self._outcomes.values(), Counter())

    def shown(self) -> Shown:
        """One line per call."""
        table = Shown(
            "call", "outcomes", title=f"{self.name}, {len(self._outcomes)} calls and news"
        )
        for call, outcomes in sorted(self._outcomes.items()):
            table.add_row(call, ", ".join(f"{count} {name}" for name, count in outcomes.items()))
        return table
