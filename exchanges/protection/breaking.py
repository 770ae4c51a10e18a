"""The layer that leaves alone what has failed too often of late.

Three outcomes are told apart: what counts for a breaker, what counts against it, and what says
nothing about it, such as a request that was never made.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from exchanges.errors import (
    AccessDenied,
    ExchangeError,
    InvalidCredentials,
    MissingScope,
    NotSent,
    RateLimited,
    Suspended,
    TierLimited,
    TransientError,
    Unavailable,
    UnknownOutcome,
    UnreadableAnswer,
)
from exchanges.guard import Call
from exchanges.protection.breakers import Breaker

T = TypeVar("T")


class Verdict(Enum):
    """What an outcome says to a breaker."""

    GOOD = auto()
    BAD = auto()
    NEITHER = auto()


Judge = Callable[[ExchangeError | None], Verdict]
"""Judges an error, or None for an answer."""


def availability(error: ExchangeError | None) -> Verdict:
    """Bad is no answer, a server error, or nonsense; any other answer is good, a refusal too."""
    match error:
        case Unavailable() | UnreadableAnswer() | UnknownOutcome():
            return Verdict.BAD
        case NotSent() | RateLimited():
            return Verdict.NEITHER
    return Verdict.GOOD


def acceptance(error: ExchangeError | None) -> Verdict:
    """Bad is a refusal of the key or the place; what a key may not do leaves the rest to it."""
    match error:
        case MissingScope() | TierLimited():
            return Verdict.GOOD
        case InvalidCredentials() | AccessDenied():
            return Verdict.BAD
        case TransientError() | UnknownOutcome():
            return Verdict.NEITHER
    return Verdict.GOOD


class Breaking:
    """Raises `Suspended` instead of making requests while its breaker is open.

    One that `insists` makes them all the same. With `counts_probes_only` a failure is counted by
    somebody else, except that of a probe.
    """

    def __init__(
        self,
        breaker: Breaker,
        judge: Judge,
        *,
        insists: bool = False,
        counts_probes_only: bool = False,
        on_open: Callable[[], object] = lambda: None,
    ) -> None:
        self._breaker = breaker
        self._judge = judge
        self._insists = insists
        self._counts_probes_only = counts_probes_only
        self._on_open = on_open

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request, and tell the breaker what became of it."""
        was_open = self._breaker.is_open()
        is_probe = was_open and not self._insists
        if is_probe and not self._breaker.takes_probe():
            raise Suspended(f"Not asked: {self._breaker.kind.reason}")
        try:
            answer = request()
        except ExchangeError as error:
            self._tell(self._judge(error), was_open=was_open, is_probe=is_probe)
            raise
        self._breaker.succeeded()
        return answer

    def _tell(self, verdict: Verdict, *, was_open: bool, is_probe: bool) -> None:
        match verdict:
            case Verdict.GOOD:
                self._breaker.succeeded()
            case Verdict.BAD if was_open or not self._counts_probes_only:
                if self._breaker.failed():
                    self._on_open()
            case Verdict.NEITHER if is_probe:
                self._breaker.end_probe()
            case Verdict.BAD | Verdict.NEITHER:
                pass
