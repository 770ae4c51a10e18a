"""The vocabulary of decisions, shared by all rules."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from automations.snapshots import Snapshot
from exchanges.types import Asset, Capability, OrderType, Side


class RuleConfig(BaseModel):
    """Base of all configs: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def needs(self) -> frozenset[Capability]:
        """The parts of the port it acts with; the account's exchange must have all of them."""
        return frozenset({Capability.ISOLATED})

    def symbols(self) -> tuple[str, ...]:
        """The markets whose quotes it looks at, such as `BTC/USD`."""
        return ()


class RuleMemory(BaseModel):
    """Base of what a rule remembers of what it saw; what it did stands in the snapshot.

    Recorded with each decision, so that a replay sees the same. Defaults are a fresh start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class AddMargin:
    """Move `amount` sats from the free balance to the margin of a running trade."""

    trade_id: str
    amount: int
    kind: Literal["add_margin"] = "add_margin"


@dataclass(frozen=True, slots=True)
class CashIn:
    """Move `amount` sats from a running trade, its profit first, back to the free balance."""

    trade_id: str
    amount: int
    kind: Literal["cash_in"] = "cash_in"


@dataclass(frozen=True, slots=True)
class CloseTrade:
    """Close the whole of a running trade at the market."""

    trade_id: str
    kind: Literal["close_position"] = "close_position"


@dataclass(frozen=True, slots=True)
class ReopenTrade:
    """Open at the market what shall be left of a trade that the action before it closes.

    Done only when that close is confirmed to be ours, within the time for a claim, and while the
    market is not worse than `worst_price` (USD); otherwise the position stays closed, and a
    person is told. `quantity` in USD.
    """

    trade_id: str
    side: Side
    quantity: int
    leverage: Decimal
    worst_price: Decimal
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    kind: Literal["reopen_position"] = "reopen_position"


@dataclass(frozen=True, slots=True)
class SetStopLoss:
    """Set the stop loss of a running trade to `price`, in USD."""

    trade_id: str
    price: Decimal
    kind: Literal["update_sl"] = "update_sl"


@dataclass(frozen=True, slots=True)
class SetTakeProfit:
    """Set the take profit of a running trade to `price`, in USD."""

    trade_id: str
    price: Decimal
    kind: Literal["update_tp"] = "update_tp"


@dataclass(frozen=True, slots=True)
class OpenTrade:
    """Open an isolated trade of `quantity` USD; `price` belongs to limit orders only."""

    side: Side
    type: OrderType
    quantity: int
    leverage: Decimal
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    kind: Literal["open_position"] = "open_position"


@dataclass(frozen=True, slots=True)
class OrderCross:
    """A market order of `quantity` USD on the cross-margin position.

    One that `reduces` goes against the position and is not larger than it.
    """

    side: Side
    quantity: int
    reduces: bool
    kind: Literal["cross_order"] = "cross_order"


@dataclass(frozen=True, slots=True)
class DepositCross:
    """Move `amount` sats from the free balance to the collateral of the cross position."""

    amount: int
    kind: Literal["cross_deposit"] = "cross_deposit"


@dataclass(frozen=True, slots=True)
class SwapAsset:
    """Give `amount` of `asset` for the other one: sats of bitcoin, or cents of dollars."""

    asset: Asset
    amount: int
    kind: Literal["swap"] = "swap"


@dataclass(frozen=True, slots=True)
class OrderSpot:
    """A market order of `amount` of the base asset of `symbol`; `cost` is about what it takes
    of (buy) or gives in (sell) the quote asset."""

    symbol: str
    side: Side
    amount: Decimal
    cost: Decimal
    kind: Literal["spot_order"] = "spot_order"


Action = (
    AddMargin
    | CashIn
    | CloseTrade
    | ReopenTrade
    | SetStopLoss
    | SetTakeProfit
    | OpenTrade
    | OrderCross
    | DepositCross
    | SwapAsset
    | OrderSpot
)


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


@dataclass(frozen=True, slots=True)
class Level:
    """A price at or beyond which the decision would change."""

    trade_id: str
    direction: Literal["at_or_below", "at_or_above"]
    price: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do (often nothing), and why; `findings` say it position by position.

    `memory` is what the rule wants to know the next time, None when that has not changed.
    `waits` marks a decision that its owner would call pending: what it waits for has not come.
    """

    actions: tuple[Action, ...]
    reason: Reason
    findings: tuple[Finding, ...] = ()
    watch: tuple[Level, ...] = ()
    memory: RuleMemory | None = None
    waits: bool = False

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
    are recorded under. `title` and `summary` are for people. What is of a lower `rank` goes first.
    """

    title: str
    summary: str
    config: type[ConfigT]
    decide: Callable[[Snapshot, ConfigT, Any], Decision]
    event: str
    rank: Rank
    every: int
    timeout: int
    retries: int
    backoff: int
    memory: type[RuleMemory] = RuleMemory

    @property
    def is_protective(self) -> bool:
        """Whether it goes ahead of all other work."""
        return self.rank is Rank.PROTECT

    def parse(self, config: dict[str, Any]) -> ConfigT:
        """Check a config; raises `pydantic.ValidationError` naming each wrong field."""
        return self.config.model_validate(config)

    def evaluate(
        self, snapshot: Snapshot, config: dict[str, Any], memory: dict[str, Any]
    ) -> Decision:
        """Decide with a stored config and what was remembered."""
        return self.decide(snapshot, self.parse(config), self.memory.model_validate(memory))
