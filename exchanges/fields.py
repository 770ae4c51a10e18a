"""JSON from a stranger, read strictly: every doubt is an `UnreadableAnswer` naming the field.

The message says where and what is allowed, never what was there: an answer may repeat anything.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar

from exchanges.errors import UnreadableAnswer

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MAX_NUMBER_LENGTH = 32
"""Characters; a JavaScript number needs at most 24."""

MAX_EXPONENT = 30
"""Powers of ten either way; written out in full, larger ones would fill the memory."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def load(body: bytes) -> object:
    """The JSON document in `body`: UTF-8, finite numbers of sane length, no key twice."""
    try:
        return json.loads(
            body.decode(),
            parse_float=_decimal,
            parse_int=lambda text: int(_short(text)),
            parse_constant=_not_a_number,
            object_pairs_hook=_object,
        )
    except (ValueError, ArithmeticError, RecursionError):
        raise UnreadableAnswer("The answer is not JSON.") from None


def _decimal(text: str) -> Decimal:
    number = Decimal(_short(text))
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise UnreadableAnswer(f"The answer has an exponent of over {MAX_EXPONENT}.")
    return number


def _short(number: str) -> str:
    if len(number) > MAX_NUMBER_LENGTH:
        raise UnreadableAnswer(f"The answer has a number of over {MAX_NUMBER_LENGTH} characters.")
    return number


def _not_a_number(_name: str) -> NoReturn:
    raise UnreadableAnswer("The answer has NaN or Infinity for a number.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableAnswer("The answer has an object in which a key stands twice.")
    return fields


def items(value: object, *, where: str) -> list["Fields"]:
    """Every item of a list of objects; one bad item is enough to refuse them all."""
    if not isinstance(value, list):
        raise UnreadableAnswer(f"{where}: must be a list")
    return [Fields(item, where=f"{where}[{number}]") for number, item in enumerate(value)]


class Fields:
    """One JSON object, asked field by field. A field that is asked for must be there."""

    def __init__(self, value: object, *, where: str) -> None:
        if not isinstance(value, dict):
            raise UnreadableAnswer(f"{where}: must be an object")
        self._fields: dict[str, object] = value
        self._where = where

    def value(self, name: str) -> object:
        """Whatever is there, not checked."""
        if name not in self._fields:
            self._refuse(name, "is missing")
        return self._fields[name]

    def nullable(self, name: str, read: Callable[[str], T]) -> T | None:
        """None for null, else what `read` makes of it."""
        return None if self.value(name) is None else read(name)

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """None for null and for what is missing, else what `read` makes of it."""
        return None if self._fields.get(name) is None else read(name)

    def flag(self, name: str) -> bool:
        """A JSON true or false."""
        value = self.value(name)
        if not isinstance(value, bool):
            self._refuse(name, "must be true or false")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`; 1.0 is none, and neither is true."""
        value = self.value(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(name, f"must be an integer from {low} to {high}")
        return value

    def number(self, name: str, low: Decimal, high: Decimal) -> Decimal:
        """A number from `low` to `high`, exactly as written."""
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._refuse(name, "must be a number")
        if not low <= value <= high:
            self._refuse(name, f"must be from {low} to {high}")
        return Decimal(value)

    def text(self, name: str, *, longest: int) -> str:
        """Text of at most `longest` characters which a database can hold."""
        value = self.value(name)
        if not isinstance(value, str) or len(value) > longest or not _storable(value):
            self._refuse(name, f"must be text of at most {longest} characters")
        return value

    def uuid(self, name: str) -> str:
        """A UUID as it was written, not normalised: ids are compared and sent back as they are."""
        value = self.value(name)
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            self._refuse(name, "must be a UUID")
        return value

    def time(self, name: str) -> datetime:
        """An ISO 8601 time in UTC, written with Z."""
        value = self.value(name)
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self._refuse(name, "must be a time like 2026-01-01T00:00:00.000Z")
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self._refuse(name, "must be a time that exists")

    def choice(self, name: str, enumeration: type[E]) -> E:
        """One of the values of `enumeration`."""
        value = self.value(name)
        if not isinstance(value, str) or value not in list(enumeration):
            self._refuse(name, f"must be one of {', '.join(enumeration)}")
        return enumeration(value)

    def _refuse(self, name: str, reason: str) -> NoReturn:
        raise UnreadableAnswer(f"{self._where}.{name}: {reason}") from None


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
