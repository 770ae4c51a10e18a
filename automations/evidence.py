"""What the exchange's lists say about an action whose outcome is not known. Pure.

New orders carry a client id, by which they are found. Everything else shows in what it changes:

- add margin, in the position's margin, which must have grown by just that amount since the
  position was seen, after what is known to have changed it meanwhile is taken out: funding that
  was paid, margin that was cashed in, other additions of ours; cash-in, in its two sums;
- a stop loss or take profit, in its level; a close, in the trade's end: neither is provably ours;
- a swap and a deposit, in their histories, where entries of the same size that are not another
  intent's are counted: a single one is taken for it, though not provably ours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from automations.perform import Answer
from automations.rules.actions import (
    Action,
    AddMargin,
    CashIn,
    CloseTrade,
    DepositCross,
    OpenTrade,
    OrderCross,
    OrderSpot,
    ReopenTrade,
    SetStopLoss,
    SetTakeProfit,
    SwapAsset,
)
from exchanges.types import Side, Trade

CLOSED_WITHIN = timedelta(seconds=30)
"""How far from its signing a close may be dated: it waits at the exchange's edge, and the clocks
differ. The position was seen running just before."""


class Verdict(StrEnum):
    """`PRESENT`: our action had its effect. `REACHED`: what it wanted is so, not provably by it.
    `ABSENT`: no trace of it (yet). `AMBIGUOUS`: the lists fit neither.
    """

    PRESENT = "present"
    REACHED = "reached"
    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Others:
    """What other intents of ours have done to the same target since this one was signed.

    `added` and `cashed_in` in sats; `alike` counts those that look just like it, and
    `alike_before` says that there was one so shortly before that its trace may be among those
    found.
    """

    added: int = 0
    cashed_in: int = 0
    alike: int = 0
    alike_before: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found at the exchange: everything that may be the action's work.

    `asked_at` is the exchange's own clock, before its lists were read.
    """

    asked_at: datetime
    found: tuple[Answer, ...]
    others: Others = Others()

    @property
    def answer(self) -> Answer | None:
        """The last of what was found."""
        return self.found[-1] if self.found else None


def examine(action: Action, seen: Trade | None, evidence: Evidence) -> Verdict:
    """Compare the position as it was `seen` before the action with what is there now."""
    match action:
        case OpenTrade() | ReopenTrade() | OrderCross() | OrderSpot():
            return Verdict.PRESENT if evidence.found else Verdict.ABSENT
        case SwapAsset() | DepositCross():
            return _counted(len(evidence.found), evidence.others)
        case AddMargin() | CashIn() | CloseTrade() | SetStopLoss() | SetTakeProfit():
            found = evidence.answer
            if seen is None or not isinstance(found, Trade):
                return Verdict.AMBIGUOUS
            return _of_trade(action, seen, found, evidence.others)
        case _:
            assert_never(action)


def closed_as_asked(found: Trade, signed_at: datetime) -> bool:
    """Whether a trade ended when a close signed at `signed_at` would end it, and not by itself.

    That is no proof: a person's close in the same seconds looks the same.
    """
    if found.closed_at is None or abs(found.closed_at - signed_at) > CLOSED_WITHIN:
        return False
    return not _ended_by_itself(found)


def _of_trade(
    action: AddMargin | CashIn | CloseTrade | SetStopLoss | SetTakeProfit,
    seen: Trade,
    found: Trade,
    others: Others,
) -> Verdict:
    match action:
        case AddMargin(amount=amount):
            return _moved(amount, _margin_growth(seen, found) - others.added)
        case CashIn(amount=amount):
            return _moved(amount, _cashed_in(found) - _cashed_in(seen) - others.cashed_in)
        case CloseTrade():
            return Verdict.ABSENT if found.closed_at is None else Verdict.REACHED
        case SetStopLoss(price=price):
            return Verdict.REACHED if found.stop_loss == price else Verdict.ABSENT
        case SetTakeProfit(price=price):
            return Verdict.REACHED if found.take_profit == price else Verdict.ABSENT
        case _:
            assert_never(action)


def _margin_growth(seen: Trade, found: Trade) -> int:
    """Sats by which the margin grew, other than by funding and cash-in.

    Funding that is paid comes out of the margin; funding that is received goes to the balance.
    """
    funding_paid = max(0, found.sum_funding_fees - seen.sum_funding_fees)
    cashed_in = found.sum_cash_in_margin - seen.sum_cash_in_margin
    return found.margin - seen.margin + funding_paid + cashed_in


def _cashed_in(trade: Trade) -> int:
    return trade.sum_cash_in_pl + trade.sum_cash_in_margin


def _moved(amount: int, growth: int) -> Verdict:
    if growth == amount:
        return Verdict.PRESENT
    return Verdict.ABSENT if growth == 0 else Verdict.AMBIGUOUS


def _ended_by_itself(found: Trade) -> bool:
    """Whether it ended at or beyond its liquidation price, stop loss or take profit."""
    if found.exit_price is None:
        return True  # nobody says how it ended
    sign = 1 if found.side is Side.BUY else -1
    end = sign * found.exit_price
    below = [level for level in (found.liquidation_price, found.stop_loss) if level is not None]
    is_gain = found.take_profit is not None and end >= sign * found.take_profit
    return is_gain or any(end <= sign * level for level in below)


def _counted(found: int, others: Others) -> Verdict:
    if found <= others.alike:
        return Verdict.ABSENT
    if found > others.alike + 1 or others.alike_before:
        return Verdict.AMBIGUOUS
    return Verdict.REACHED
