"""JSON as JavaScript reads and writes it.

LN Markets checks a request's signature against `JSON.stringify(JSON.parse(body))`: every number
passes through a double, so `72000.0` becomes `72000` and no longer fits a signature made over
`72000.0`. The same writer makes the answers.
"""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

LARGEST_PLAIN = 1e21
SMALLEST_PLAIN = 1e-6


def parse(text: str | bytes) -> Any:
    """`JSON.parse`, with numbers as floats. Raises `ValueError`, also for absurd nesting."""
    try:
        return json.loads(text, parse_int=float, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_exactly(text: str) -> Any:
    """What `stringify` wrote, with whole numbers as int and others as Decimal."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def stringify(value: object) -> str:
    """`JSON.stringify`: compact, non-ASCII unescaped, keys in their order.

    Takes `Decimal` too and writes all of its digits; whole numbers never get a fraction. A
    `datetime` becomes what a JavaScript date does: UTC with milliseconds and a Z.
    """
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case Decimal():
            return _plain(value)
        case float():
            return _number(value)
        case datetime():
            return f'"{iso(value)}"'
        case dict():
            pairs = (f"{stringify(str(key))}:{stringify(item)}" for key, item in value.items())
            return "{" + ",".join(pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(stringify, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def iso(at: datetime) -> str:
    """UTC with milliseconds and a Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    if SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        return _plain(Decimal(repr(value)))
    return repr(value).replace("e-0", "e-")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
