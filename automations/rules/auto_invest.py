"""auto_invest: buy bitcoin for a fixed amount on the dates of a calendar, up to a total.

A date is done when a purchase was sent since, or may have been: whatever came of it, there is one
purchase per date at most. A date that was missed, because nothing ran or there was no money, is
made up once, with the latest of the missed ones, or skipped.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from automations.rules.base import Decision, Reason, RuleConfig, RuleMemory, Severity
from automations.rules.buying import Market
from automations.rules.calendars import Calendar
from automations.snapshots import Snapshot
from exchanges.types import Capability

ON_TIME = timedelta(minutes=10)
"""How long after its time a date is not yet missed."""


class AutoInvestConfig(RuleConfig):
    """Buy for `amount` of the quote currency (US dollars) at each date of `calendar`, until
    `max_total_amount` is spent.
    """

    market: Market
    calendar: Calendar
    amount: Decimal = Field(gt=0, le=1_000_000, decimal_places=2)
    max_total_amount: Decimal = Field(gt=0, le=100_000_000, decimal_places=2)
    missed: Literal["make_up", "skip"] = "make_up"

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

    def symbols(self) -> tuple[str, ...]:
        """The market it buys at."""
        return (self.market.symbol,)


class Progress(RuleMemory):
    """When it began to look, and the last date that was dealt with without a purchase."""

    begun_at: datetime | None = None
    skipped_at: datetime | None = None


def decide(snapshot: Snapshot, config: AutoInvestConfig, memory: Progress) -> Decision:
    """One purchase, if a date is due and there is money for it."""
    begun = memory if memory.begun_at else Progress(begun_at=snapshot.now)
    spent = snapshot.lifetime.spent
    left = config.max_total_amount - spent
    if left < config.market.smallest(snapshot.quote(config.market.symbol).ask):
        text = f"{spent:,} of {config.max_total_amount:,} are spent."
        return Decision((), Reason("total_reached", text), memory=begun)
    due = _due(snapshot, config, begun)
    if due is None:
        return Decision((), _not_due(snapshot, config), memory=begun, waits=True)
    if config.missed == "skip" and snapshot.now - due > ON_TIME:
        text = f"The date of {_said(due)} was missed and is skipped."
        skipped = begun.model_copy(update={"skipped_at": due})
        return Decision((), Reason("date_skipped", text, Severity.WARNING), memory=skipped)
    amount = min(config.amount, left)
    obstacle = _obstacle(snapshot, config, amount)
    if obstacle:
        return Decision((), obstacle, memory=begun, waits=True)
    text = f"The date of {_said(due)} is due: buying for {amount:,}, after {spent:,} so far."
    action = config.market.buy(amount, snapshot)
    return Decision((action,), Reason("date_due", text), memory=begun)


def next_date(snapshot: Snapshot, config: AutoInvestConfig) -> datetime | None:
    """The next date to come."""
    return config.calendar.next_after(snapshot.now)


def _due(snapshot: Snapshot, config: AutoInvestConfig, memory: Progress) -> datetime | None:
    """The latest date that has come since it began and is not dealt with."""
    due = config.calendar.last_until(snapshot.now)
    dealt_with = [memory.begun_at, memory.skipped_at]
    if due is None or any(moment and due <= moment for moment in dealt_with):
        return None
    bought_at = snapshot.lifetime.last_at
    return None if bought_at and bought_at >= due else due


def _not_due(snapshot: Snapshot, config: AutoInvestConfig) -> Reason:
    coming = next_date(snapshot, config)
    spent, count = snapshot.lifetime.spent, snapshot.lifetime.count
    when = f"The next date is {_said(coming)}" if coming else "There is no further date"
    return Reason("not_due", f"{when}; {count} purchases for {spent:,} so far.")


def _obstacle(snapshot: Snapshot, config: AutoInvestConfig, amount: Decimal) -> Reason | None:
    market = config.market
    if market.target in snapshot.under_way:
        return Reason("under_way", "A purchase is just being sent.")
    if market.target in snapshot.unsettled:
        text = "What became of an earlier purchase is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    smallest = market.smallest(snapshot.quote(market.symbol).ask)
    if amount < smallest:
        text = f"{amount:,} is less than the smallest purchase of {smallest:,}."
        return Reason("amount_too_small", text, Severity.CRITICAL)
    free = market.money(snapshot)
    if amount > free:
        text = f"A date is due, but {free:,} are free and {amount:,} are needed."
        return Reason("balance_too_small", text, Severity.CRITICAL)
    return None


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
