"""Numbers as text. ccxt counts in floats, or in whatever text it is given to make: this one."""

import re
from decimal import Decimal
from typing import Final

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields

_NUMERAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")


SMALLEST: Final = Decimal("1e-12")
LARGEST: Final = Decimal(1_000_000_000_000)
"""Of any price or amount: beyond, it is a mistake."""


def numeral(value: object) -> str:
    """The same, if it is a number of sane length. Raises `ValueError` for others and for floats."""
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, float) or not _NUMERAL.fullmatch(text):
        raise ValueError("not a number of sane length")
    return text


def number(fields: Fields, name: str, low: Decimal, high: Decimal) -> Decimal:
    """A number from `low` to `high` that stands there as text."""
    try:
        value = Decimal(numeral(fields.value(name)))
    except ValueError:
        raise UnreadableAnswer(f"{name}: must be a number") from None
    if not low <= value <= high:
        raise UnreadableAnswer(f"{name}: must be from {low} to {high}")
    return value
