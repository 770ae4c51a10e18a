"""What stands around every request of a client, so that nobody's trouble becomes another's.

A request passes a stack of layers, each with one reason to exist, from the outside in:

    Measured    counts requests and their seconds, for `/metrics`
    Breaking    the exchange's breaker: leaves it alone while it serves nobody
    Breaking    the key's refusals: does not go on asking with a key that is not accepted
    Breaking    the key's breaker: leaves alone an account that gets no answers
    Limited     waits for a token of the key's bucket; pauses the key when the exchange says 429
    Timely      begins nothing when the time of the run is over (`exchanges.deadline`)

Public requests carry no key. They have a breaker and a bucket of their own, which all accounts of
the platform share, since the exchange counts them by address. Nothing in a stack repeats a
request. What a layer holds back was not sent: `Suspended`, `OutOfTime`, or `RateLimited` with
the seconds to wait.

A protective client (`is_protective`) goes first: a part of every bucket is kept for it, a long
pause is cut short for it, and an open breaker does not stop it; an answer that it gets closes the
breaker. Only a key that the exchange refuses is left alone by everybody.

Buckets and breakers lie in Redis, shared by all processes. While Redis is away each process has
smaller buckets of its own, and no breakers. An operation is bounded in time: it waits at most
`limiting.PATIENCE` for its token, and then as long as its transport allows for connecting,
sending and the whole answer; the transport also bounds the answer's size.

`buckets` and `breakers` hold the state, `limiting`, `breaking` and `metrics` are the layers,
`shared` is the Redis they use. To add a layer: write a class with `run(call, request)`, and put it
into the stacks that `protect` makes.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from exchanges.deadline import Timely
from exchanges.guard import Allowance, Call, Guard
from exchanges.protection.breakers import ACCOUNT, EXCHANGE, PUBLIC, REFUSALS, Breaker
from exchanges.protection.breaking import Breaking, acceptance, availability
from exchanges.protection.buckets import Bucket
from exchanges.protection.limiting import Limited, limits_of
from exchanges.protection.metrics import Measured
from exchanges.types import Credentials

T = TypeVar("T")


class Layer(Protocol):
    """One of the guards that are put around each other."""

    def run(self, call: Call, request: Callable[[], T]) -> T:
        """Make the request, once at most; see `exchanges.guard.Guard`."""
        ...


def protect(
    *,
    exchange: str,
    adapter: str,
    credentials: Credentials | None = None,
    is_protective: bool = False,
    around: Sequence[Layer] = (),
    on_open: Callable[[], None] = lambda: None,
) -> Guard:
    """The protection of one client at the exchange with this slug.

    `around` are the caller's own layers for requests that carry the key, outside of all others.
    `on_open` is called when a request of this client makes the breaker of its key open.
    """
    limits = limits_of(exchange, adapter)
    whole = Breaker(EXCHANGE, exchange)

    def opened() -> None:
        whole.failed()
        on_open()

    def limited(scope: str, rate: float) -> Limited:
        bucket = Bucket(f"{exchange}:{scope}", rate=rate)
        return Limited(bucket, exchange=exchange, is_protective=is_protective)

    breaking = partial(Breaking, judge=availability, insists=is_protective)
    outer = (Measured(exchange), breaking(whole, counts_probes_only=True))
    shared = breaking(Breaker(PUBLIC, exchange), on_open=whole.failed)
    public = _Stack((*outer, shared), limited("public", limits.public))
    if credentials is None:
        return _Protection(public, public)
    key = _digest(credentials.key)
    refusals = Breaking(Breaker(REFUSALS, f"{exchange}:{key}"), judge=acceptance)
    own = breaking(Breaker(ACCOUNT, f"{exchange}:{key}"), on_open=opened)
    layers = (*around, *outer, refusals, own)
    return _Protection(public, _Stack(layers, limited(key, limits.private)))


class _Stack:
    """Layers, the outermost first; the limiter and the limit of time stand next to the request."""

    def __init__(self, layers: Sequence[Layer], limited: Limited) -> None:
        self.limited = limited
        self._layers = (*layers, limited, Timely())

    def run(self, call: Call, request: Callable[[], T]) -> T:
        for layer in reversed(self._layers):
            request = partial(layer.run, call, request)
        return request()


class _Protection:
    """A guard with a stack for what carries the key, and one for what does not."""

    def __init__(self, public: _Stack, private: _Stack) -> None:
        self._public = public
        self._private = private

    def run(self, call: Call, request: Callable[[], T]) -> T:
        return self._of(call).run(call, request)

    def learn(self, call: Call, allowance: Allowance) -> None:
        self._of(call).limited.learn(allowance)

    def _of(self, call: Call) -> _Stack:
        return self._public if call.is_public else self._private


def _digest(key: str) -> str:
    """A name for a key which does not tell the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
