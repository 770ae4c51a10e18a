"""The tables of this package, and the invariants the database keeps by itself.

    Automation ─┬─ Execution ── Intent ── TradeLog      history, intent
                ├─ QuietSpan                            history
                ├─ Proposal                             consent
                └─ Skip                                 scheduling
    ExchangeAccount ─┬─ Turn, Errand                    work
                     ├─ AccountLimits, Restriction      consent
                     └─ MarginAlert, UnguardedPosition  margin
    User ── ScheduleRevision                            scheduling

An execution is unique per (automation, slot) and an intent per (automation, slot, leg), so a
message that comes twice finds what the first one did. At most one intent per (account, target)
is under way or of unknown outcome.
"""

from automations.models.automation import (
    MAX_BACKOFF,
    MAX_PERIOD,
    MAX_RETRIES,
    MAX_TIMEOUT,
    MIN_BACKOFF,
    MIN_PERIOD,
    MIN_TIMEOUT,
    Automation,
)
from automations.models.consent import AccountLimits, Proposal, Restriction
from automations.models.history import Execution, QuietSpan
from automations.models.intent import Intent, TradeLog
from automations.models.margin import MarginAlert, UnguardedPosition
from automations.models.scheduling import ScheduleRevision, Skip
from automations.models.work import Errand, Turn

__all__ = [
    "MAX_BACKOFF",
    "MAX_PERIOD",
    "MAX_RETRIES",
    "MAX_TIMEOUT",
    "MIN_BACKOFF",
    "MIN_PERIOD",
    "MIN_TIMEOUT",
    "AccountLimits",
    "Automation",
    "Errand",
    "Execution",
    "Intent",
    "MarginAlert",
    "Proposal",
    "QuietSpan",
    "Restriction",
    "ScheduleRevision",
    "Skip",
    "TradeLog",
    "Turn",
    "UnguardedPosition",
]
