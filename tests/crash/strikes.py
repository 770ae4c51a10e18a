"""Strikes: laid by the harness for one account and one place, taken by whoever gets there first.

A strike is a file in a folder, `<account>.<place>`, and taking it is renaming it: exactly one
process of all can, and no server that is itself struck is needed for it.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import requests

from exchanges import failpoints
from exchanges.failpoints import Place
from tests.crash.clocks import SKEW_LASTS_SECONDS
from tests.crash.skew import shift_clock

How = Literal["kill", "kill_worker", "freeze", "raise", "lose_commit", "fail_lists", "skew"]

LOSE_COMMIT = "crash: lose COMMIT "
"""What a process says to the proxy before it: one of its next COMMITs gets no reply."""


class Struck(RuntimeError):
    """Raised at a failpoint, as any bug might."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens at a place; `count` says which COMMIT is lost, or how many lists fail.

    `seconds` is how far the process' clock is ahead from there on; negative when it is behind.
    """

    place: Place
    how: How
    count: int = 1
    seconds: float = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A strike that was taken, by which process and when (seconds since 1970)."""

    place: Place
    how: How
    pid: int
    at: float


def lay(folder: Path, account: UUID, strike: Strike, **details: str) -> None:
    """Have `account` struck, once.

    `details` are what a strike at its exchange needs: the `paper_account` whose lists fail, at the
    control API at `control`.
    """
    file = folder / f"{account}.{strike.place}"
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({**asdict(strike), **details}))
    unfinished.rename(file)


def taken(folder: Path, account: UUID) -> Iterator[Taken]:
    """The strikes of `account` that were taken."""
    for file in folder.glob(f"{account}.*.taken"):
        _, place, pid, _ = file.name.split(".")
        order = json.loads(file.read_text())
        yield Taken(place, order["how"], int(pid), file.stat().st_mtime)


def are_pending(folder: Path, account: UUID) -> bool:
    """Whether a strike still waits for `account`."""
    return any((folder / f"{account}.{place}").exists() for place in failpoints.PLACES)


_present = threading.local()


def arm(folder: Path) -> None:
    """Strike this process wherever a strike is laid for the account it works on."""
    from automations import errands, turns

    _listen(errands, "accept", lambda automation, **_: automation.account_id)
    _listen(turns, "turn", lambda account_id: account_id)
    failpoints.arm(lambda place: _strike(folder, place))


def now_on(account: UUID) -> None:
    """This thread works on `account` from now on."""
    _present.account = account


def _listen(module: Any, name: str, account_of: Callable[..., UUID]) -> None:
    original = getattr(module, name)

    def listening(*args: Any, **options: Any) -> Any:
        now_on(account_of(*args, **options))
        return original(*args, **options)

    setattr(module, name, listening)


def _strike(folder: Path, place: Place) -> None:
    account = getattr(_present, "account", None)
    order = _take(folder / f"{account}.{place}")
    if order:
        _HOW[order["how"]](order)


def _take(file: Path) -> dict[str, Any] | None:
    mine = file.with_name(f"{file.name}.{os.getpid()}.taken")
    try:
        file.rename(mine)
    except FileNotFoundError:
        return None
    os.utime(mine)
    return json.loads(mine.read_text())


def _kill(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_worker(_: dict[str, Any]) -> None:
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _freeze(_: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _raise(_: dict[str, Any]) -> None:
    raise Struck("Struck.")


def _lose_commit(order: dict[str, Any]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT '{LOSE_COMMIT}{order['count']}'")


def _fail_lists(order: dict[str, Any]) -> None:
    fault = {
        "kind": "fail_before",
        "path": "/v3/futures/isolated/trades/running",
        "account_id": order["paper_account"],
        "times": order["count"],
    }
    requests.post(f"{order['control']}/control/faults", json=fault, timeout=5).raise_for_status()


def _skew(order: dict[str, Any]) -> None:
    shift_clock(order["seconds"], lasting=SKEW_LASTS_SECONDS)


_HOW: dict[How, Callable[[dict[str, Any]], None]] = {
    "kill": _kill,
    "kill_worker": _kill_worker,
    "freeze": _freeze,
    "raise": _raise,
    "lose_commit": _lose_commit,
    "fail_lists": _fail_lists,
    "skew": _skew,
}
