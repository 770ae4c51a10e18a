"""What a run came to."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Result:
    """What a run came to; times in seconds. `strikes` are counted by how and place."""

    rounds: int = 0
    strikes: Counter[tuple[str, str]] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    resolved: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    stuck: list[str] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0

    @property
    def broken(self) -> dict[str, int]:
        """How often each rule was broken."""
        found: dict[str, int] = self.verdict.get("broken", {})
        return found

    @property
    def effects_broken(self) -> dict[str, int]:
        """The same, without what is only slow: a bug has to show at the exchange."""
        return {rule: times for rule, times in self.broken.items() if rule != "not_stuck"}
