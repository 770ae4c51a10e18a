"""Configs to begin with, one or more per kind: each is valid as it stands, and cautious."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Template:
    """A named config of one kind; `summary` says what it does."""

    kind: str
    title: str
    summary: str
    config: Mapping[str, Any]


TEMPLATES: Final[Mapping[str, Template]] = {
    "guard-add-margin": Template(
        "margin_guard",
        "Add margin at 80 %",
        "Adds 20,000 sats whenever 80 % of a position's margin is used, 100,000 at most.",
        {
            "threshold": "0.8",
            "action": {
                "type": "add_margin",
                "amount": 20_000,
                "max_per_position": 100_000,
                "max_per_day": 500_000,
            },
        },
    ),
    "guard-close": Template(
        "margin_guard",
        "Close at 90 %",
        "Closes a position before it is liquidated, when 90 % of its margin is used.",
        {"threshold": "0.9", "action": {"type": "close_position"}},
    ),
    "guard-reduce": Template(
        "margin_guard",
        "Halve at 85 %",
        "Closes half of a position when 85 % of its margin is used.",
        {"threshold": "0.85", "action": {"type": "reduce_position", "percent": 50}},
    ),
    "take-profit": Template(
        "tp_sl",
        "Take 50 % of profit",
        "Closes a position that has gained half of its margin.",
        {"action": {"type": "close_tp", "trigger": 50}},
    ),
    "stop-loss": Template(
        "tp_sl",
        "Stop at a loss of 30 %",
        "Closes a position that has lost 30 % of its margin.",
        {"action": {"type": "close_sl", "trigger": -30}},
    ),
    "buy-the-dip": Template(
        "auto_entry",
        "Go long at 80,000",
        "Opens a long of 100 USD at 2x, once, at or below 80,000 USD.",
        {"side": "long", "quantity": 100, "leverage": 2, "trigger_price": 80_000},
    ),
    "weekly-purchase": Template(
        "auto_invest",
        "Buy every Monday",
        "Swaps 25 USD to bitcoin every Monday at nine, 1,000 USD in all.",
        {
            "market": {"type": "swap"},
            "calendar": {"line": "0 9 * * 1", "zone": "UTC"},
            "amount": 25,
            "max_total_amount": 1_000,
        },
    ),
    "half-and-half": Template(
        "rebalancing",
        "Half bitcoin, half dollars",
        "Keeps half of the free balance in synthetic dollars; asks before it trades.",
        {"weights": {"BTC": 50, "USD": 50}, "drift": 5, "require_confirmation": True},
    ),
    "breakout": Template(
        "trigger_order",
        "Go long above 120,000",
        "Opens a long of 100 USD at 2x when the price reaches 120,000 USD, once.",
        {
            "conditions": [{"type": "price", "at_or_above": 120_000}],
            "order": {"type": "isolated", "side": "long", "quantity": 100, "leverage": 2},
        },
    ),
}
