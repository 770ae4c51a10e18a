"""The layer that keeps requests below the exchange's limits."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Final, TypeVar

from django.conf import settings

from exchanges import deadline
from exchanges.errors import RateLimited
from exchanges.guard import Allowance, Call
from exchanges.protection import metrics
from exchanges.protection.buckets import Bucket

T = TypeVar("T")

PATIENCE: Final = 2.0
"""Seconds that a request waits for its token. An order may leave for 5 s after it was signed, and
whatever is read before it must be fresh, so more would not help."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a second: with one key, and without any from one address."""

    private: float
    public: float


def limits_of(exchange: str, adapter: str) -> Limits:
    """The limits in the settings: of the exchange itself, else of its adapter."""
    limits = settings.EXCHANGE_LIMITS
    return Limits(**(limits.get(exchange) or limits[adapter]))


class Limited:
    """Lets a request through when there is a token for it, within `PATIENCE`."""

    def __init__(self, bucket: Bucket, *, exchange: str, is_protective: bool) -> None:
        self._bucket = bucket
        self._exchange = exchange
        self._is_protective = is_protective

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request; raises `RateLimited` when its token would come too late."""
        with metrics.token_wait(self._exchange):
            self._wait()
        try:
            return request()
        except RateLimited as refusal:
            self._bucket.pause(refusal.retry_after)
            raise

    def learn(self, allowance: Allowance) -> None:
        """Hold no more tokens than the exchange says; none at all until it gives some."""
        if allowance.remaining > 0:
            self._bucket.leave(allowance.remaining)
        else:
            self._bucket.pause(allowance.resets_in)

    def _wait(self) -> None:
        patient_until = monotonic() + deadline.at_most(PATIENCE)
        while wait := self._bucket.take(is_protective=self._is_protective):
            if monotonic() + wait > patient_until:
                raise RateLimited(
                    f"Not sent: the exchange's limit of requests leaves none for {wait:.1f} s.",
                    retry_after=wait,
                )
            sleep(wait)
