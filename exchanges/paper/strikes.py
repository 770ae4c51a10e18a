"""The faults still to come, and what the next one does to whom. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Generic, TypeVar
from uuid import uuid4

from exchanges.paper.faults import Fault, FrameFault, LastingFault, RequestFault

SERVER_ERRORS = (500, 502, 503, 504)
F = TypeVar("F", RequestFault, FrameFault)


@dataclass(frozen=True, slots=True)
class Strike(Generic[F]):
    """What is to be done to one request or one frame; `seconds` and `status` as in `Fault`."""

    kind: F
    seconds: float
    status: int


@dataclass(slots=True)
class _Coming:
    fault: Fault
    left: int | None
    dice: Random


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._coming: dict[str, _Coming] = {}
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever a fault was added or cleared."""
        self._watchers.append(watcher)

    def add(self, fault: Fault) -> str:
        """Let the fault strike from now on; answers its id."""
        fault_id = str(uuid4())
        self._coming[fault_id] = _Coming(fault, fault.times, Random(fault.seed))  # noqa: S311
        self._tell()
        return fault_id

    def clear(self, fault_id: str) -> None:
        """That one does not strike any more. Raises `KeyError` when it is not to come."""
        del self._coming[fault_id]
        self._tell()

    def clear_all(self) -> None:
        """Nothing goes wrong any more."""
        self._coming.clear()
        self._tell()

    def coming(self) -> dict[str, Fault]:
        """What is still to come, by id; `times` is how often."""
        return {
            fault_id: coming.fault.model_copy(update={"times": coming.left})
            for fault_id, coming in self._coming.items()
        }

    def strike_request(
        self, *, method: str, path: str, account_id: str | None
    ) -> Strike[RequestFault] | None:
        """What the first fault that meets this request does to it."""
        met = {"method": method, "path": path, "account_id": account_id}
        return self._strike(RequestFault, LastingFault.CHAOS, met)

    def strike_frame(
        self, *, topic: str | None, account_id: str | None
    ) -> Strike[FrameFault] | None:
        """What the first fault that meets this frame does to it; an answer has no topic."""
        met = {"topic": topic, "account_id": account_id}
        return self._strike(FrameFault, LastingFault.STREAM_CHAOS, met)

    def silences(self, account_id: str | None) -> bool:
        """Whether nothing may be sent to a stream of this account."""
        met = {"account_id": account_id}
        return any(fault.meets(met) for fault in self._lasting(LastingFault.STREAM_SILENT))

    def refuses_streams(self) -> int | None:
        """The HTTP status with which a new stream is turned away."""
        return next((fault.status for fault in self._lasting(LastingFault.STREAM_REFUSE)), None)

    def skew(self) -> timedelta:
        """How far the exchange's clock is ahead."""
        skews = (fault.skew or 0 for fault in self._lasting(LastingFault.CLOCK_SKEW))
        return timedelta(seconds=float(sum(skews)))

    def _strike(
        self, family: type[F], chaos: LastingFault, met: dict[str, str | None]
    ) -> Strike[F] | None:
        for fault_id, coming in self._coming.items():
            fault, dice = coming.fault, coming.dice
            if not fault.meets(met):
                continue
            if isinstance(fault.kind, family):
                self._count(fault_id)
                return Strike(fault.kind, float(fault.seconds or 0), fault.status or 0)
            if fault.kind is chaos and dice.random() < float(fault.probability or 0):
                wait = dice.random() * float(fault.seconds or 0)
                return Strike(dice.choice(list(family)), wait, dice.choice(SERVER_ERRORS))
        return None

    def _lasting(self, kind: LastingFault) -> list[Fault]:
        return [coming.fault for coming in self._coming.values() if coming.fault.kind is kind]

    def _count(self, fault_id: str) -> None:
        coming = self._coming[fault_id]
        if coming.left == 1:
            del self._coming[fault_id]
        elif coming.left is not None:
            coming.left -= 1

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()
