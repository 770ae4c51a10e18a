"""The vocabulary of decisions, shared by all rules."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from automations.snapshots import Snapshot
from exchanges.types import Capability


class RuleConfig(BaseModel):
    """Base of all configs: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class AddMargin:
    """Move `amount` sats from the free balance to the margin of a running trade."""

    trade_id: str
    amount: int
    kind: Literal["add_margin"] = "add_margin"


@dataclass(frozen=True, slots=True)
class CloseTrade:
    """Close the whole of a running trade at the market."""

    trade_id: str
    kind: Literal["close_position"] = "close_position"


Action = AddMargin | CloseTrade


class Severity(StrEnum):
    """How urgently a person should know."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, for a program (`code`) and for a person (`text`)."""

    code: str
    text: str
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule saw of one position: the measured values, and what follows from them.

    `margin_used` is 0 without a loss and 1 at liquidation; `margin_ratio` is the exchange's own
    measure; `liquidation_distance` is |mark − liquidation| / mark; `acts_at` is the price at
    which the rule's threshold is reached.
    """

    trade_id: str
    reason: Reason
    margin_used: Decimal
    margin_ratio: Decimal
    liquidation_distance: Decimal
    acts_at: Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """A price at or beyond which the decision would change."""

    trade_id: str
    direction: Literal["at_or_below", "at_or_above"]
    price: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do (often nothing), and why; `findings` say it position by position."""

    actions: tuple[Action, ...]
    reason: Reason
    findings: tuple[Finding, ...] = ()
    watch: tuple[Level, ...] = ()

    @property
    def verdict(self) -> str:
        """Equal for two decisions that judge the same positions in the same way."""
        judged = sorted(f"{found.trade_id} {found.reason.code}" for found in self.findings)
        return hashlib.sha256("\n".join([self.reason.code, *judged]).encode()).hexdigest()

    @property
    def hindrances(self) -> dict[str, Reason]:
        """What keeps it from protecting positions, by trade and code: a person should know."""
        return {
            f"{found.trade_id} {found.reason.code}": found.reason
            for found in self.findings
            if found.reason.severity is not Severity.INFO
        }


ConfigT = TypeVar("ConfigT", bound=RuleConfig)


@dataclass(frozen=True, slots=True)
class Kind(Generic[ConfigT]):
    """One kind of automation: its config, its rule, and how it is scheduled and retried.

    Times are in seconds. A run is stopped after `timeout`; a failure before anything was sent is
    retried up to `retries` times, after `backoff`, doubling. `event` is the name its executions
    are recorded under. A protective kind goes ahead of all other work. `needs` are the parts that
    an exchange must have for it.
    """

    config: type[ConfigT]
    decide: Callable[[Snapshot, ConfigT], Decision]
    event: str
    needs: frozenset[Capability]
    is_protective: bool
    every: int
    timeout: int
    retries: int
    backoff: int

    def parse(self, config: dict[str, Any]) -> ConfigT:
        """Check a config; raises `pydantic.ValidationError` naming each wrong field."""
        return self.config.model_validate(config)

    def evaluate(self, snapshot: Snapshot, config: dict[str, Any]) -> Decision:
        """Decide with a stored config."""
        return self.decide(snapshot, self.parse(config))
