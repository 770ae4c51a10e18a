"""What is counted about requests to exchanges, for Prometheus, and the layer that counts it.

Nothing here names an account or a key: those have no end, and are nobody else's business.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final, TypeVar

from prometheus_client import Counter, Histogram

from exchanges.errors import ExchangeError
from exchanges.guard import Call

T = TypeVar("T")

REQUESTS: Final = Counter(
    "axisor_exchange_requests",
    "Requests to exchanges by what became of them; `Suspended` and `NotSent` never left.",
    ["exchange", "operation", "outcome"],
)
SECONDS: Final = Histogram(
    "axisor_exchange_request_seconds",
    "Seconds that requests took, waiting for their tokens included.",
    ["exchange", "operation"],
)
WAITS: Final = Histogram(
    "axisor_exchange_token_wait_seconds",
    "Seconds that requests waited for a token of the rate limiter.",
    ["exchange"],
)
BREAKER_CHANGES: Final = Counter(
    "axisor_exchange_breaker_changes",
    "Changes of circuit breakers, by their kind and new state.",
    ["exchange", "breaker", "state"],
)


class Measured:
    """Counts each request and how long it took."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request; `outcome` is `answered` or the name of the error."""
        outcome, began = "broken_off", perf_counter()
        try:
            answer = request()
            outcome = "answered"
        except ExchangeError as error:
            outcome = type(error).__name__
            raise
        finally:
            REQUESTS.labels(self._exchange, call.operation, outcome).inc()
            SECONDS.labels(self._exchange, call.operation).observe(perf_counter() - began)
        return answer


@contextmanager
def token_wait(exchange: str) -> Iterator[None]:
    """Observe how long the block takes."""
    began = perf_counter()
    try:
        yield
    finally:
        WAITS.labels(exchange).observe(perf_counter() - began)


def breaker_changed(exchange: str, breaker: str, state: str) -> None:
    """Count a change to `open` or `closed`."""
    BREAKER_CHANGES.labels(exchange, breaker, state).inc()
