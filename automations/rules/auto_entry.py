"""auto_entry: open a position when the price gets there, or at once.

A long fires at or below its trigger price, a short at or above it. How often, and how long it
waits between two entries, is counted on what was really sent: an order of unknown outcome counts,
one that the exchange refused does not.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field, StrictBool, StrictInt, ValidationInfo, field_validator

from automations.rules.base import Decision, Direction, Level, Reason, RuleMemory
from automations.rules.levels import crossing
from automations.rules.orders import Entry, Price
from automations.rules.unfinished import OWN_ORDER, unfinished
from automations.snapshots import Snapshot


class AutoEntryConfig(Entry):
    """An entry at a price or at once, once or several times."""

    trigger_price: Price | None = None
    """In USD: a long enters at or below it, a short at or above; without it at once."""
    times: StrictInt = Field(default=1, ge=1, le=1000)
    """How many entries in all."""
    cool_down: StrictInt = Field(default=3600, ge=0, le=31_536_000)
    """Seconds between two entries."""
    only_when_flat: StrictBool = False
    """Whether it waits until no isolated trade of the account runs any more."""
    market: Literal["btcusd"] = "btcusd"
    """The market; there is one."""
    trigger_type: Literal["market"] = "market"
    """The kind of order; there is one."""

    @field_validator("trigger_price")
    @classmethod
    def _between_its_levels(cls, price: Decimal | None, info: ValidationInfo) -> Decimal | None:
        values = {name: info.data[name] for name in Entry.model_fields if name in info.data}
        if price is None or len(values) < len(Entry.model_fields):
            return price
        if flaw := Entry.model_construct(**values).flaw_at(price):
            raise ValueError(flaw[1])
        return price


def decide(snapshot: Snapshot, config: AutoEntryConfig, memory: RuleMemory) -> Decision:
    """One order, if its trigger is reached and nothing is in the way."""
    times = snapshot.lifetime.count
    if times >= config.times:
        return Decision((), Reason("entries_done", f"It entered {times} of {config.times} times."))
    watch = tuple(_levels(snapshot, config))
    waiting = _waiting(snapshot, config) or _obstacle(snapshot, config)
    if waiting:
        return Decision((), waiting, watch=watch, waits=True)
    side = f"{config.side} {config.quantity:,} USD at {config.leverage}x"
    text = f"The price is {snapshot.price:,}: opening {side}, entry {times + 1} of {config.times}."
    return Decision((config.action(),), Reason("trigger_reached", text), watch=watch)


def _waiting(snapshot: Snapshot, config: AutoEntryConfig) -> Reason | None:
    if _is_reached(config, snapshot.price):
        return None
    text = f"it enters {_direction(config).replace('_', ' ')} {config.trigger_price:,}."
    return Reason("price_not_triggered", f"The price is {snapshot.price:,}; {text}")


def _is_reached(config: AutoEntryConfig, price: Decimal) -> bool:
    trigger = config.trigger_price
    if trigger is None:
        return True
    return price <= trigger if config.side == "long" else price >= trigger


def _direction(config: AutoEntryConfig) -> Direction:
    return "at_or_below" if config.side == "long" else "at_or_above"


def _obstacle(snapshot: Snapshot, config: AutoEntryConfig) -> Reason | None:
    found = unfinished(snapshot, OWN_ORDER) or _pause(snapshot, config) or config.obstacle(snapshot)
    return found and replace(found, text=f"It would enter, but {found.text}")


def _pause(snapshot: Snapshot, config: AutoEntryConfig) -> Reason | None:
    last, running = snapshot.lifetime.last_at, len(snapshot.holdings.value.trades)
    wait = last and last + timedelta(seconds=config.cool_down) - snapshot.now
    if wait and wait > timedelta(0):
        text = f"it entered before, and waits for another {wait.total_seconds():.0f} s."
        return Reason("cooling_down", text)
    if config.only_when_flat and running:
        return Reason("not_flat", f"it waits for the trades of the account: {running} still run.")
    return None


def _levels(snapshot: Snapshot, config: AutoEntryConfig) -> Iterator[Level]:
    """Its trigger, and beyond it what would be in the way."""
    yield from crossing("", _direction(config), config.trigger_price, price=snapshot.price)
    if _is_reached(config, snapshot.price):
        yield from config.levels(snapshot)
