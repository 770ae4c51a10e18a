"""Lists: whole ones, and the pages of long ones."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, items, load
from exchanges.lnmarkets.constants import PAGE_SIZE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What a list holds: its name, how one item is read, and what tells it from the others.

    `page_size` is how many are asked for at once.
    """

    name: str
    read: Callable[[Fields], T]
    key: Callable[[T], Hashable]
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a long list, by key, newest first; `next_cursor` asks for what follows."""

    items: Mapping[Hashable, T]
    next_cursor: str | None


def whole(body: bytes, kind: Kind[T]) -> Sequence[T]:
    """A list that comes in one piece."""
    return list(_by_key(load(body), kind).values())


def page(body: bytes, kind: Kind[T]) -> Page[T]:
    """One page of a list."""
    fields = Fields(load(body), where="page")
    return Page(
        items=_by_key(fields.value("data"), kind),
        next_cursor=fields.nullable("nextCursor", lambda name: fields.text(name, longest=200)),
    )


def _by_key(value: object, kind: Kind[T]) -> dict[Hashable, T]:
    listed = [kind.read(fields) for fields in items(value, where=kind.name)]
    by_key = {kind.key(item): item for item in listed}
    if len(by_key) != len(listed):
        raise UnreadableAnswer(f"{kind.name}: nothing may stand in a list twice")
    return by_key
