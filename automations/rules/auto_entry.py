"""auto_entry: open a position when the price gets there, or at once.

A long fires at or below its trigger price, a short at or above it. How often, and how long it
waits between two entries, is counted on what was really sent: an order of unknown outcome counts,
one that the exchange refused does not.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, StrictBool, StrictInt, ValidationInfo, field_validator

from automations.rules.base import Decision, Level, Reason, RuleMemory, Severity
from automations.rules.orders import Entry, Price
from automations.snapshots import Snapshot

OWN_ORDER = "open"
"""What stands for an order of the automation's own in a snapshot's `under_way` and `unsettled`."""


class AutoEntryConfig(Entry):
    """An entry, at `trigger_price` USD or at once; `times` in all, `cool_down` seconds apart.

    With `only_when_flat` it waits until no trade of the account runs any more.
    """

    trigger_price: Price | None = None
    times: StrictInt = Field(default=1, ge=1, le=1000)
    cool_down: StrictInt = Field(default=3600, ge=0, le=31_536_000)
    only_when_flat: StrictBool = False
    market: Literal["btcusd"] = "btcusd"
    trigger_type: Literal["market"] = "market"

    @field_validator("trigger_price")
    @classmethod
    def _between_its_levels(cls, price: Decimal | None, info: ValidationInfo) -> Decimal | None:
        levels = ("side", "quantity", "leverage", "stop_loss", "take_profit")
        if price is None or not set(levels) <= set(info.data):
            return price
        entry = Entry(**{name: info.data[name] for name in levels})
        for field, sentence in entry.misplaced(price):
            raise ValueError(f"{field} {sentence}, the trigger_price")
        return price


def decide(snapshot: Snapshot, config: AutoEntryConfig, memory: RuleMemory) -> Decision:
    """One order, if its trigger is reached and nothing is in the way."""
    if snapshot.lifetime.count >= config.times:
        times = snapshot.lifetime.count
        return Decision((), Reason("entries_done", f"It entered {times} of {config.times} times."))
    watch = _watch(config)
    waiting = _waiting(snapshot, config)
    if waiting:
        return Decision((), waiting, watch=watch, waits=True)
    obstacle = _obstacle(snapshot, config)
    if obstacle:
        return Decision((), obstacle, watch=watch, waits=True)
    side = f"{config.side} {config.quantity:,} USD at {config.leverage}x"
    text = f"The price is {snapshot.price:,}: opening {side}."
    return Decision((config.action(),), Reason("trigger_reached", text), watch=watch)


def _waiting(snapshot: Snapshot, config: AutoEntryConfig) -> Reason | None:
    trigger, price = config.trigger_price, snapshot.price
    if trigger is not None and not _is_reached(config, price):
        needs = "at or below" if config.side == "long" else "at or above"
        text = f"The price is {price:,}; it enters {needs} {trigger:,}."
        return Reason("price_not_triggered", text)
    return None


def _is_reached(config: AutoEntryConfig, price: Decimal) -> bool:
    if config.trigger_price is None:
        return True
    if config.side == "long":
        return price <= config.trigger_price
    return price >= config.trigger_price


def _obstacle(snapshot: Snapshot, config: AutoEntryConfig) -> Reason | None:
    if OWN_ORDER in snapshot.under_way:
        return Reason("under_way", "Its order is just being sent.")
    if OWN_ORDER in snapshot.unsettled:
        text = "What became of its last order is not known yet."
        return Reason("unsettled", text, Severity.CRITICAL)
    last = snapshot.lifetime.last_at
    wait = last and last + timedelta(seconds=config.cool_down) - snapshot.now
    if wait and wait > timedelta(0):
        text = f"It entered before, and waits for another {wait.total_seconds():.0f} s."
        return Reason("cooling_down", text)
    if config.only_when_flat and snapshot.holdings.value.trades:
        return Reason("not_flat", "A trade of the account still runs.")
    found = config.obstacle(snapshot)
    return found and Reason(found.code, f"It would enter, but {found.text}", found.severity)


def _watch(config: AutoEntryConfig) -> tuple[Level, ...]:
    if config.trigger_price is None:
        return ()
    direction: Literal["at_or_below", "at_or_above"] = (
        "at_or_below" if config.side == "long" else "at_or_above"
    )
    return (Level("", direction, config.trigger_price),)
