"""The tables of this package, and the invariants the database keeps by itself.

    Automation ─┬─ Execution ── Intent ── TradeLog      history, intent
                ├─ QuietSpan                            history
                ├─ Proposal                             consent
    ExchangeAccount ─┬─ Turn, Errand                    work
                     └─ AccountLimits, Restriction      consent

An execution is unique per (automation, slot) and an intent per (automation, slot, leg), so a
message that comes twice finds what the first one did. At most one intent per (account, target)
is under way or of unknown outcome.
"""

from automations.models.automation import MAX_PERIOD, MIN_PERIOD, Automation
from automations.models.consent import AccountLimits, Proposal, Restriction
from automations.models.history import Execution, QuietSpan
from automations.models.intent import Intent, TradeLog
from automations.models.work import Errand, Turn

__all__ = [
    "MAX_PERIOD",
    "MIN_PERIOD",
    "AccountLimits",
    "Automation",
    "Errand",
    "Execution",
    "Intent",
    "Proposal",
    "QuietSpan",
    "Restriction",
    "TradeLog",
    "Turn",
]
