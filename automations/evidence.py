"""What the exchange's lists say about an action whose outcome is not known. Pure.

Add margin has no id of its own: it shows in the position's margin, which must have grown by just
that amount since the position was seen, after what is known to have changed it meanwhile is
taken out: funding that was paid, margin that was cashed in, other additions of ours.

Nothing in the lists says who closed a trade: a close that is read back is never provably ours.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from automations.rules.base import Action, AddMargin, CloseTrade
from exchanges.types import Trade


class Verdict(StrEnum):
    """`PRESENT`: our action had its effect. `REACHED`: what it wanted is so, not provably by it.
    `ABSENT`: no trace of it (yet). `AMBIGUOUS`: the lists fit neither.
    """

    PRESENT = "present"
    REACHED = "reached"
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The trade as the exchange lists it, None when it is in no list; read after `asked_at`.

    `asked_at` is the exchange's own clock, before the lists were read. `added_since` is what
    other intents of ours have added to the trade since it was seen, in sats.
    """

    asked_at: datetime
    trade: Trade | None
    added_since: int = 0


def examine(action: Action, seen: Trade, evidence: Evidence) -> Verdict:
    """Compare the trade as it was `seen` before the action with what is there now."""
    found = evidence.trade
    if found is None:
        return Verdict.AMBIGUOUS
    match action:
        case AddMargin(amount=amount):
            return _added(amount, _margin_growth(seen, found) - evidence.added_since)
        case CloseTrade():
            return Verdict.ABSENT if found.closed_at is None else Verdict.REACHED
        case _:
            assert_never(action)


def _margin_growth(seen: Trade, found: Trade) -> int:
    """Sats by which the margin grew, other than by funding and cash-in.

    Funding that is paid comes out of the margin; funding that is received goes to the balance.
    """
    funding_paid = max(0, found.sum_funding_fees - seen.sum_funding_fees)
    cashed_in = found.sum_cash_in_margin - seen.sum_cash_in_margin
    return found.margin - seen.margin + funding_paid + cashed_in


def _added(amount: int, growth: int) -> Verdict:
    if growth == amount:
        return Verdict.PRESENT
    return Verdict.ABSENT if growth == 0 else Verdict.AMBIGUOUS
