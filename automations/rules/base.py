"""The vocabulary of decisions, shared by all rules."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from automations.rules.actions import Action
from automations.snapshots import Snapshot
from exchanges.types import Capability


class RuleConfig(BaseModel):
    """Base of all configs: frozen, and a key it does not know is an error.

    The docstrings of its fields are their descriptions in the JSON Schema.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    def needs(self) -> frozenset[Capability]:
        """The parts of the port it acts with; the account's exchange must have all of them."""
        return frozenset({Capability.ISOLATED})

    def next_date(self, now: datetime) -> datetime | None:
        """The next date of its calendar after `now`; None where it has none."""
        return None

    def symbols(self) -> tuple[str, ...]:
        """The markets whose quotes it looks at, such as `BTC/USD`."""
        return ()


class RuleMemory(BaseModel):
    """Base of what a rule remembers of what it saw; what it did stands in the snapshot.

    Recorded with each decision, so that a replay sees the same. Defaults are a fresh start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Rank(IntEnum):
    """In which order several automations of one account act."""

    PROTECT = 0
    EXIT = 1
    REST = 2


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
    measure; `liquidation_distance` is |mark − liquidation| / mark, None where there is none;
    `acts_at` is the price at which the rule would act, None where no price makes it. The
    cross-margin position stands here as `cross`.
    """

    trade_id: str
    reason: Reason
    margin_used: Decimal
    margin_ratio: Decimal
    liquidation_distance: Decimal | None
    acts_at: Decimal | None


Direction = Literal["at_or_below", "at_or_above"]


@dataclass(frozen=True, slots=True)
class Level:
    """A price at or beyond which the decision would change.

    `trade_id` names the position concerned, empty where it is none.
    """

    trade_id: str
    direction: Direction
    price: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do (often nothing), and why; `findings` say it position by position.

    `memory` is what the rule wants to know the next time, None for a rule that remembers nothing.
    Between its levels of `watch` a move of the price alone changes neither the verdict nor what
    kinds of action are wanted, and on what.
    `waits` marks a decision that its owner would call pending: what it waits for has not come.
    With `asks`, a person has to confirm the actions first.
    """

    actions: tuple[Action, ...]
    reason: Reason
    findings: tuple[Finding, ...] = ()
    watch: tuple[Level, ...] = ()
    memory: RuleMemory | None = None
    waits: bool = False
    asks: bool = False

    @property
    def verdict(self) -> str:
        """Equal for two decisions that judge the same positions in the same way."""
        judged = sorted(f"{found.trade_id} {found.reason.code}" for found in self.findings)
        return hashlib.sha256("\n".join([self.reason.code, *judged]).encode()).hexdigest()

    @property
    def hindrances(self) -> dict[str, Reason]:
        """What keeps it from acting, by position (or `-`) and code: a person should know."""
        judged = [("-", self.reason), *((found.trade_id, found.reason) for found in self.findings)]
        of_positions = {reason for _, reason in judged[1:]}
        return {
            f"{name} {reason.code}": reason
            for name, reason in judged
            if reason.severity is not Severity.INFO and (name != "-" or reason not in of_positions)
        }


ConfigT = TypeVar("ConfigT", bound=RuleConfig)


@dataclass(frozen=True, slots=True)
class Kind(Generic[ConfigT]):
    """One kind of automation: its config, its rule, and how it is scheduled and retried.

    Times are in seconds. A run is stopped after `timeout`; a failure before anything was sent is
    retried up to `retries` times, after `backoff`, doubling. One that `has_calendar` is due at its
    dates, too, and looks for missed ones as often as the platform is told to; `every` is None
    where there is nothing else to look for. `event` is the name its executions are recorded under.
    `title` and `summary` are for people. What is of a lower `rank` goes first.
    """

    title: str
    summary: str
    config: type[ConfigT]
    decide: Callable[[Snapshot, ConfigT, Any], Decision]
    event: str
    rank: Rank
    every: int | None
    timeout: int
    retries: int
    backoff: int
    memory: type[RuleMemory] = RuleMemory
    has_calendar: bool = False

    def period(self, calendar_check: int) -> int:
        """Seconds between two looks, if calendars are checked every `calendar_check` seconds."""
        if not self.has_calendar:
            return self.every or calendar_check
        return min(self.every or calendar_check, calendar_check)

    @property
    def is_protective(self) -> bool:
        """Whether it goes ahead of all other work."""
        return self.rank is Rank.PROTECT

    def parse(
        self, config: dict[str, Any], *, now: datetime | None = None, zone: str | None = None
    ) -> ConfigT:
        """Check a config; raises `pydantic.ValidationError` naming each wrong field.

        With `now`, as when it is written, dates have to lie in the future. `zone` is the time zone
        of calendars that name none.
        """
        return self.config.model_validate(config, context={"now": now, "zone": zone})

    def evaluate(
        self, snapshot: Snapshot, config: dict[str, Any], memory: dict[str, Any]
    ) -> Decision:
        """Decide with a stored config and what was remembered."""
        return self.decide(snapshot, self.parse(config), self.memory.model_validate(memory))
