"""The ledger: a file with one line of JSON for everything the exchange ever accepted.

Lines are only ever appended, and on disk before the client hears of them. What one request
causes is written in one piece: every line of it but the last says `"more": true`, so that after
a crash a half-written piece, which nobody was told of, is recognised and cut off. Any other
damage is refused: a ledger that lies is worse than none.

    {"seq": 7, "more": false, "at": "2026-01-01T00:00:00.000Z", "kind": "add_margin",
     "by": "api", "price": 100000, "account": "…", "request": {"id": "…", "amount": 500},
     "trade": {the trade after it}, "balance": 99500, "signed_at": "2026-01-01T00:00:00.000Z",
     "crc": 2890124}

`signed_at` is there when a client signed the request. `crc` is the CRC-32 of the line without it.
`usd` (cents) and `records` (see `exchanges.paper.records`) are there when the step changes them.
The line of a new API key also has its `credentials`; the file is therefore readable by its owner
only, and `Ledger.entries` leaves them out.
"""

import errno
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any
from zlib import crc32

from exchanges.paper import javascript, wire
from exchanges.paper.changes import By, Change, Kind
from exchanges.paper.records import record_from_json, record_json
from exchanges.types import Credentials


class LedgerUnusable(Exception):
    """The ledger cannot be opened; the message says which file, which line, and why."""


class LedgerNotWritten(Exception):
    """The disk refused the lines: none of them is in the ledger."""


class Ledger:
    """An open ledger file that belongs to this process alone.

    Raises `LedgerUnusable` when the file cannot be opened or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ends: list[int] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise LedgerUnusable(f"{path} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise LedgerUnusable(f"{path} is in use by another paper exchange") from None
        _sync_folder(path.parent)

    def __len__(self) -> int:
        return len(self._ends)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._fd)

    def replay(self, apply: Callable[[Change], None]) -> None:
        """Hand every change to `apply`, oldest first, and cut off a torn end.

        Raises `LedgerUnusable` for any other damage, and for a change that `apply` rejects.
        """
        end = 0
        ends: list[int] = []
        piece: list[Change] = []
        for number, line in enumerate(self._whole_lines(), start=1):
            end += len(line)
            ends.append(end)
            with self._naming_damage(number):
                change, more = _read(line, seq=number)
                piece.append(change)
                if not more:
                    for each in piece:
                        apply(each)
                    self._ends += ends
                    ends, piece = [], []
        self._cut_torn_end()

    def append(self, changes: Sequence[Change]) -> None:
        """Write the changes in one piece; on return they are on disk.

        Raises `LedgerNotWritten`, and the file is as it was.
        """
        ends = list(self._ends)
        data = bytearray()
        for change in changes:
            entry = _entry(change, seq=len(ends) + 1, more=change is not changes[-1])
            data += _sealed(javascript.stringify(entry).encode())
            ends.append(self._end + len(data))
        try:
            _write_durably(self._fd, data)
        except OSError as error:
            os.ftruncate(self._fd, self._end)
            raise LedgerNotWritten(f"{self._path}: {error.strerror}") from error
        self._ends = ends

    def entries(self, *, after: int) -> list[dict[str, Any]]:
        """The lines whose `seq` is greater than `after`, without credentials."""
        start = self._ends[min(after, len(self)) - 1] if after and self._ends else 0
        lines = os.pread(self._fd, self._end - start, start).splitlines()
        entries = [javascript.parse_exactly(line.decode()) for line in lines]
        return [
            {name: value for name, value in entry.items() if name != "credentials"}
            for entry in entries
        ]

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _whole_lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as lines:
            yield from takewhile(lambda line: line.endswith(b"\n"), lines)

    @contextmanager
    def _naming_damage(self, number: int) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerUnusable(f"{self._path}, line {number}: damaged, {error!r}") from None

    def _cut_torn_end(self) -> None:
        torn = os.fstat(self._fd).st_size - self._end
        if torn:
            os.ftruncate(self._fd, self._end)
            os.fsync(self._fd)
            sys.stderr.write(
                f"{self._path}: cut off {torn} bytes after line {len(self)}, "
                "written when the exchange last stopped and never answered\n"
            )


def _entry(change: Change, *, seq: int, more: bool) -> dict[str, Any]:
    trade = change.trade and wire.trade_json(change.trade, mark=change.price)
    entry: dict[str, Any] = {
        "seq": seq,
        "more": more,
        "at": javascript.iso(change.at),
        "kind": change.kind,
        "by": change.by,
        "price": change.price,
        "account": change.account_id,
        "request": dict(change.request),
        "trade": trade,
        "balance": change.balance,
    }
    if change.usd is not None:
        entry["usd"] = change.usd
    if change.records:
        entry["records"] = [record_json(record) for record in change.records]
    if change.signed_at is not None:
        entry["signed_at"] = javascript.iso(change.signed_at)
    if change.credentials is not None:
        entry["credentials"] = wire.credentials_json(change.credentials)
    return entry


def _sealed(text: bytes) -> bytes:
    return text[:-1] + b',"crc":%d}\n' % crc32(text)


def _read(line: bytes, *, seq: int) -> tuple[Change, bool]:
    if _sealed(line.rpartition(b',"crc":')[0] + b"}") != line:
        raise ValueError("its CRC does not fit")
    entry = javascript.parse_exactly(line.decode())
    if entry["seq"] != seq:
        raise ValueError(f"its seq is {entry['seq']}")
    change = Change(
        at=datetime.fromisoformat(entry["at"]),
        kind=Kind(entry["kind"]),
        by=By(entry["by"]),
        price=Decimal(entry["price"]),
        request=entry["request"],
        account_id=entry["account"],
        trade=wire.trade_from_json(entry["trade"]) if entry["trade"] else None,
        balance=entry["balance"],
        signed_at=datetime.fromisoformat(entry["signed_at"]) if "signed_at" in entry else None,
        credentials=Credentials(**entry["credentials"]) if "credentials" in entry else None,
        usd=entry.get("usd"),
        records=tuple(record_from_json(json) for json in entry.get("records", ())),
    )
    return change, entry["more"]


def _write_durably(fd: int, data: bytearray) -> None:
    if os.write(fd, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
