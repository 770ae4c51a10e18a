"""Which kinds of automation there are. A recipe for adding one stands in `automations.rules`."""

from typing import Any

from automations.rules import (
    auto_entry,
    auto_invest,
    calendars,
    guarding,
    margin_guard,
    rebalancing,
    tp_sl,
    trigger_order,
)
from automations.rules.base import Kind, Rank

KINDS: dict[str, Kind[Any]] = {
    "margin_guard": Kind(
        title="Margin guard",
        summary="Adds margin, reduces or closes before a position is liquidated.",
        config=guarding.MarginGuardConfig,
        decide=margin_guard.decide,
        event="margin_guard_executed",
        rank=Rank.PROTECT,
        every=30,
        timeout=60,
        retries=3,
        backoff=5,
    ),
    "tp_sl": Kind(
        title="Take profit, stop loss",
        summary="Closes a position on gain or loss, or moves its levels.",
        config=tp_sl.TpSlConfig,
        decide=tp_sl.decide,
        memory=tp_sl.Crossings,
        event="tp_sl_executed",
        rank=Rank.EXIT,
        every=15,
        timeout=30,
        retries=2,
        backoff=3,
    ),
    "auto_entry": Kind(
        title="Automatic entry",
        summary="Opens a position when the price gets there.",
        config=auto_entry.AutoEntryConfig,
        decide=auto_entry.decide,
        event="auto_entry_executed",
        rank=Rank.REST,
        every=10,
        timeout=20,
        retries=2,
        backoff=2,
    ),
    "auto_invest": Kind(
        title="Automatic investing",
        summary="Buys for a fixed amount on the dates of a calendar.",
        config=auto_invest.AutoInvestConfig,
        decide=auto_invest.decide,
        memory=calendars.Dates,
        has_calendar=True,
        event="auto_invest_executed",
        rank=Rank.REST,
        every=None,
        timeout=60,
        retries=3,
        backoff=5,
    ),
    "rebalancing": Kind(
        title="Rebalancing",
        summary="Brings the weights of assets back to what they should be.",
        config=rebalancing.RebalancingConfig,
        decide=rebalancing.decide,
        memory=calendars.Dates,
        has_calendar=True,
        event="rebalancing_executed",
        rank=Rank.REST,
        every=900,
        timeout=60,
        retries=3,
        backoff=5,
    ),
    "trigger_order": Kind(
        title="Trigger order",
        summary="Sends one order, once, when its conditions hold.",
        config=trigger_order.TriggerOrderConfig,
        decide=trigger_order.decide,
        event="trigger_order_executed",
        rank=Rank.REST,
        every=10,
        timeout=20,
        retries=2,
        backoff=2,
    ),
}


class UnknownKind(LookupError):
    """There is no such kind of automation; the message says which there are."""


def kind_of(name: str) -> Kind[Any]:
    """The kind called `name`; raises `UnknownKind` with the available ones."""
    if name in KINDS:
        return KINDS[name]
    available = ", ".join(KINDS)
    raise UnknownKind(f"{name!r} is not a kind of automation; available: {available}.")
