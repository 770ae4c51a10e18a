"""auto_invest: buy bitcoin for a fixed amount on the dates of a calendar, up to a total.

There is one purchase per date at most, of unknown outcome too; one that never left, or was refused,
is tried again. A date that was missed, because nothing ran or there was no money, is made up once,
with the latest of the missed ones, or skipped.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from automations.rules.base import Decision, Reason, RuleConfig, Severity
from automations.rules.buying import Market, hindrance
from automations.rules.calendars import Calendar, Dates
from automations.snapshots import Snapshot
from exchanges.types import Capability

ON_TIME = timedelta(minutes=10)
"""How long after its time a date is not yet missed."""


class AutoInvestConfig(RuleConfig):
    """What is bought, when, for how much, and until when."""

    market: Market
    """Where it buys."""
    calendar: Calendar
    """The dates of the purchases."""
    amount: Decimal = Field(gt=0, le=1_000_000, decimal_places=2)
    """What a purchase costs, in the quote currency (US dollars)."""
    max_total_amount: Decimal = Field(gt=0, le=100_000_000, decimal_places=2)
    """What all purchases together cost at most; the last one may be smaller."""
    missed: Literal["make_up", "skip"] = "make_up"
    """What becomes of a date at which nothing could be bought for ten minutes."""

    @field_validator("max_total_amount")
    @classmethod
    def _room_for_one(cls, total: Decimal, info: ValidationInfo) -> Decimal:
        amount = info.data.get("amount", Decimal(0))
        if total < amount:
            raise ValueError(f"must be at least the amount of {amount:,}, or nothing is bought")
        return total

    def needs(self) -> frozenset[Capability]:
        """Swaps or spot orders, as the market says."""
        return self.market.needs()

    def next_date(self, now: datetime) -> datetime | None:
        """The next date of the calendar."""
        return self.calendar.next_after(now)

    def symbols(self) -> tuple[str, ...]:
        """The market it buys at."""
        return (self.market.symbol,)


def decide(snapshot: Snapshot, config: AutoInvestConfig, memory: Dates) -> Decision:
    """One purchase, if a date is due and there is money for it."""
    now, count, spent = snapshot.now, snapshot.lifetime.count, snapshot.lifetime.spent
    dates = memory.begun(now)
    left = config.max_total_amount - spent
    smallest = config.market.smallest(snapshot.quote(config.market.symbol).ask)
    if left < smallest:
        total = config.max_total_amount
        text = f"{spent:,.2f} of {total:,.2f} are spent, and {smallest:,} is the least."
        return Decision((), Reason("total_reached", text), memory=dates)
    due = dates.due(config.calendar, now=now, count=count)
    if due is None:
        return Decision((), _not_due(snapshot, config), memory=dates, waits=True)
    amount = min(config.amount, left)
    obstacle = _obstacle(snapshot, config, amount)
    if config.missed == "skip" and now - due > ON_TIME:
        return Decision((), _skipped(due, obstacle), memory=dates.done(due))
    if obstacle:
        return Decision((), obstacle, memory=dates, waits=True)
    text = f"The date of {_said(due)} is due: buying for {amount:,.2f}, after {spent:,.2f} so far."
    action = config.market.buy(amount, snapshot)
    tried = dates.tried(due, count=count)
    return Decision((action,), Reason("date_due", text), memory=tried)


def _skipped(due: datetime, obstacle: Reason | None) -> Reason:
    why = obstacle.text if obstacle else "Nothing looked in time."
    return Reason(
        "date_skipped", f"{_said(due)} was missed, and is skipped. {why}", Severity.WARNING
    )


def _not_due(snapshot: Snapshot, config: AutoInvestConfig) -> Reason:
    coming = config.next_date(snapshot.now)
    spent, count = snapshot.lifetime.spent, snapshot.lifetime.count
    when = f"The next date is {_said(coming)}" if coming else "There is no further date"
    return Reason("not_due", f"{when}; {count} purchases for {spent:,.2f} so far.")


def _obstacle(snapshot: Snapshot, config: AutoInvestConfig, amount: Decimal) -> Reason | None:
    obstacle = hindrance(snapshot, config.market, amount)
    return obstacle and replace(obstacle, text=f"A date is due, but {obstacle.text}")


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
