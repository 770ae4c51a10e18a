"""From a config of the old system to one of ours, saying what changes its meaning. Pure.

The old system divided the P&L of a trade, in sats, by its quantity, in USD; ours is in % of the
margin. So the new trigger is old · quantity / margin, and quantity / margin is price · leverage /
10^8. It also took the absolute value, so that a stop closed winners: here `close_tp` acts on
gains and `close_sl` on losses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from automations.importing.rows import Refused, Row
from exchanges.inverse_futures import SATS_PER_BTC

CAP_FACTOR = 5
"""The old system added margin without an end; so many times the amount is the end here."""

HUNDREDTH = Decimal("0.01")
GUARD_ACTIONS = ("close_position", "reduce_position", "add_margin")
EXIT_ACTIONS = ("close_tp", "close_sl", "update_tp", "update_sl")
SIDES = {
    "b": "long",
    "buy": "long",
    "long": "long",
    "s": "short",
    "sell": "short",
    "short": "short",
}


@dataclass(frozen=True, slots=True)
class Converted:
    """A kind and its config. `changes` say what means something else than before, `notes` what
    else is good to know.
    """

    kind: str
    config: dict[str, Any]
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


Rates = frozenset[Decimal]
"""USD of quantity per sat of margin, of each trade that an old P&L may have been meant for."""


def rate(*, price: Decimal, leverage: Decimal) -> Decimal:
    """USD of quantity per sat of margin of a trade at `price` USD per bitcoin."""
    return price * leverage / SATS_PER_BTC


def convert(row: Row, rates: Callable[[], Rates]) -> Converted:
    """What a row becomes; `rates` is asked for a P&L only. Raises `Refused`."""
    match row.type:
        case "margin_guard":
            return _told_of_keys(_margin_guard(row.config), row.config)
        case "tp_sl":
            return _told_of_keys(_tp_sl(row.config, rates), row.config)
        case "auto_entry":
            return _auto_entry(row.config)
    raise Refused(f"{row.type} is not known from the old system: make it anew, from a template.")


KEYS: Final[Mapping[str, str]] = {
    "margin_guard": "action margin_threshold reduce_percentage add_margin_amount",
    "tp_sl": "action trigger_pnl_percentage new_takeprofit new_stoploss",
    "auto_entry": "market side leverage quantity stoploss takeprofit trigger_price trigger_type",
}


def _told_of_keys(converted: Converted, config: Mapping[str, Any]) -> Converted:
    unknown = ", ".join(_unknown(converted.kind, config))
    if not unknown:
        return converted
    left_out = f"Left out, since nobody knows what it means: {unknown}."
    return replace(converted, changes=(*converted.changes, left_out))


def _unknown(kind: str, config: Mapping[str, Any]) -> list[str]:
    return sorted(set(config) - set(KEYS[kind].split()))


def _margin_guard(config: Mapping[str, Any]) -> Converted:
    threshold = _number(config, "margin_threshold")
    measure = (
        f"The threshold of {threshold} is now of the margin used, not of the exchange's ratio,"
        " which comes too late: it acts earlier."
    )
    changes = [measure]
    action: dict[str, Any] = {"type": config.get("action")}
    match config.get("action"):
        case "close_position":
            pass
        case "reduce_position":
            action["percent"] = _number(config, "reduce_percentage")
        case "add_margin":
            amount = _whole(config, "add_margin_amount")
            cap = CAP_FACTOR * amount
            action |= {"amount": amount, "max_per_position": cap, "max_per_day": cap}
            changes.append(f"Caps of {cap:,} sats per position and per day were added.")
        case other:
            raise Refused(_wrong_action(other, GUARD_ACTIONS))
    return Converted("margin_guard", {"threshold": threshold, "action": action}, tuple(changes))


def _tp_sl(config: Mapping[str, Any], rates: Callable[[], Rates]) -> Converted:
    levels = {"update_tp": "new_takeprofit", "update_sl": "new_stoploss"}
    kind = config.get("action")
    if kind not in EXIT_ACTIONS:
        raise Refused(_wrong_action(kind, EXIT_ACTIONS))
    old = abs(_number(config, "trigger_pnl_percentage"))
    trigger = _share_of_margin(old, rates())
    signed = -trigger if kind == "close_sl" else trigger
    action = {"type": kind, "trigger": signed}
    changes = [f"The trigger of {old} % of the quantity is now {signed:+} % of the margin."]
    if kind in levels:
        action["price"] = _number(config, levels[kind])
        changes.append(
            "It acts on a gain, once per crossing; it acted on a loss as well. For that, make"
            " another one with the trigger below 0."
        )
    else:
        sort = "gains" if kind == "close_tp" else "losses"
        changes.append(f"It acts on {sort} only; it acted on gains and losses alike.")
    return Converted("tp_sl", {"action": action}, tuple(changes))


def _share_of_margin(old: Decimal, rates: Rates) -> Decimal:
    found = {(old * each).quantize(HUNDREDTH) for each in rates}
    if not found:
        raise Refused(
            "Its P&L was of the quantity, and no trade runs that tells what that is of the margin:"
            " give --price and --leverage of the trades it was meant for."
        )
    if len(found) > 1:
        said = ", ".join(f"{each} %" for each in sorted(found))
        raise Refused(
            f"Its P&L was of the quantity, which is {said} of the margins of the trades that run:"
            " give --price and --leverage of those it was meant for."
        )
    (share,) = found
    if not share:
        raise Refused(f"Its trigger of {old} % of the quantity is less than 0.01 % of the margin.")
    return share


def _auto_entry(config: Mapping[str, Any]) -> Converted:
    """Refused with a key that nobody knows: left out, it might enter at once, or without a stop."""
    if unknown := ", ".join(_unknown("auto_entry", config)):
        known = KEYS["auto_entry"].replace(" ", ", ")
        raise Refused(f"Nobody knows what {unknown} means to its entry. Known are {known}.")
    side = SIDES.get(str(config.get("side", "")).lower())
    if side is None:
        raise Refused(f"Its side is {config.get('side')!r}: it must be b or s.")
    numbers = {
        "stoploss": "stop_loss",
        "takeprofit": "take_profit",
        "trigger_price": "trigger_price",
    }
    given = {new: _number(config, old) for old, new in numbers.items() if config.get(old)}
    if config.get("leverage"):
        given["leverage"] = _number(config, "leverage")
    words = {key: config[key] for key in ("market", "trigger_type") if config.get(key)}
    quantity = _whole(config, "quantity")
    entry = {"side": side, "quantity": quantity, **given, **words}
    notes = ["It enters once; `times` allows more."]
    if "trigger_price" not in given:
        notes.append("It has no trigger_price: it enters as soon as it is active.")
    return Converted("auto_entry", entry, notes=tuple(notes))


def _wrong_action(given: object, allowed: tuple[str, ...]) -> str:
    found = "It has no action" if given is None else f"Its action is {given!r}"
    return f"{found}: it must be one of {', '.join(allowed)}."


def _number(config: Mapping[str, Any], key: str) -> Decimal:
    value = config.get(key)
    if value is None or value == "":
        raise Refused(f"It has no {key}, so it never did anything.")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise Refused(f"Its {key} is {value!r}, and must be a number.")
    return number


def _whole(config: Mapping[str, Any], key: str) -> int:
    number = _number(config, key)
    if number != number.to_integral_value():
        raise Refused(f"Its {key} is {number}, and must be a whole number.")
    return int(number)
