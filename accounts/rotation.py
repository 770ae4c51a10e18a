"""Sealing anew, under the first key of the ring, what lies under another.

The rows say what is left, since a token names its key: a rotation that was killed is simply
started again. Each row is one conditional update, which changes nothing when the value is not the
one that was read, so that a concurrent replacement wins. To have another secret rotated, add its
column to `COLUMNS`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Model, QuerySet
from django.views.decorators.debug import sensitive_variables

from accounts import vault
from accounts.credentials import place_of
from accounts.errors import SealBroken
from accounts.models import ExchangeAccount


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values, the one that counts their versions, and what binds them."""

    owner: str
    model: type[Model]
    name: str
    version: str
    place_of: Callable[[Any], str]

    def rows(self) -> QuerySet[Any]:
        """The rows that have a sealed value."""
        return QuerySet(self.model).exclude(**{self.name: None}).order_by("pk")

    def sealed(self) -> Iterator[tuple["Sealed", Any, bytes]]:
        """Each value, its row and its token, never all in memory."""
        for row in self.rows().iterator():
            yield Sealed(self, row.pk), row, bytes(getattr(row, self.name))


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value."""

    column: SealedColumn
    pk: Any

    def __str__(self) -> str:
        return f"{self.column.owner} {self.pk}"


@dataclass(slots=True)
class Census:
    """How many values lie under which key, by its id, and what does not open, with its reason.

    The key `?` is that of tokens that name none.
    """

    keys: Counter[str] = field(default_factory=Counter)
    broken: dict[Sealed, str] = field(default_factory=dict)


COLUMNS: Final = (
    SealedColumn("account", ExchangeAccount, "sealed_credentials", "credentials_version", place_of),
)


@sensitive_variables()
def census() -> Census:
    """Open every value once, and count."""
    found = Census()
    for column in COLUMNS:
        for value, row, token in column.sealed():
            found.keys[_key_of(token)] += 1
            try:
                vault.unseal(token, bound_to=column.place_of(row))
            except SealBroken as error:
                found.broken[value] = str(error)
    return found


def left() -> list[Sealed]:
    """What does not lie under the first key now."""
    first = vault.first_key()
    return [
        value
        for column in COLUMNS
        for value, _, token in column.sealed()
        if _key_of(token) != first
    ]


@sensitive_variables()
def reseal(value: Sealed) -> bool:
    """Seal a value anew, as a new version; False when it was changed meanwhile.

    Raises `SealBroken` when it does not open; nothing is changed then.
    """
    column = value.column
    row = column.rows().filter(pk=value.pk).first()
    if row is None:
        return False
    token, version = bytes(getattr(row, column.name)), getattr(row, column.version)
    plaintext = vault.unseal(token, bound_to=column.place_of(row))
    setattr(row, column.version, version + 1)
    anew = vault.seal(plaintext, bound_to=column.place_of(row))
    as_read = column.rows().filter(**{"pk": value.pk, column.name: token, column.version: version})
    return bool(as_read.update(**{column.name: anew, column.version: version + 1}))


def _key_of(token: bytes) -> str:
    try:
        return vault.key_of(token)
    except SealBroken:
        return "?"
