"""Which kinds of automation there are. A recipe for adding one stands in `automations.rules`."""

from typing import Any

from automations.rules import margin_guard
from automations.rules.base import Kind
from exchanges.types import Capability

KINDS: dict[str, Kind[Any]] = {
    "margin_guard": Kind(
        config=margin_guard.MarginGuardConfig,
        decide=margin_guard.decide,
        event="margin_guard_executed",
        needs=frozenset({Capability.ISOLATED}),
        is_protective=True,
        every=30,
        timeout=60,
        retries=3,
        backoff=5,
    ),
}

COMING = ("tp_sl", "auto_entry", "auto_invest", "rebalancing", "trigger_order")


class UnknownKind(LookupError):
    """There is no such kind of automation; the message says which there are."""


def kind_of(name: str) -> Kind[Any]:
    """The kind called `name`; raises `UnknownKind` with the available ones."""
    if name in KINDS:
        return KINDS[name]
    available = ", ".join(KINDS)
    if name in COMING:
        raise UnknownKind(f"{name} is not available yet; available: {available}.")
    raise UnknownKind(f"{name!r} is not a kind of automation; available: {available}.")
