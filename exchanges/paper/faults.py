"""Faults on demand: which there are, and what may be said of each. Pure.

There are three families. A request fault strikes the next `times` requests under `/v3` that
match it, "before" and "after" the exchange executes them (`exchanges.paper.faulty_network`). A
frame fault strikes the next `times` frames that the stream would send, answers and pushes alike
(`exchanges.paper.stream_socket`). A lasting fault holds until it is cleared. To add one: its
kind, its line in `OPTIONS`, and what it does where its family is matched; mypy finds the place.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from exchanges.paper.commands import ControlCommand, Number

MAX_SECONDS = 600
MAX_SKEW = 86_400


class RequestFault(StrEnum):
    """What happens to a request.

    "delay" waits, "cut" closes the connection without an answer, "fail" answers with a server
    error; `too_many_requests` refuses with 429. A request that was delayed is executed even when
    its client has long given up; whether it is still within the signature's window is decided
    then. All others execute the request and spoil its answer.
    """

    DELAY_BEFORE = "delay_before"
    DELAY_AFTER = "delay_after"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"
    TOO_MANY_REQUESTS = "too_many_requests"
    MALFORMED_JSON = "malformed_json"
    NOT_JSON = "not_json"
    EMPTY_BODY = "empty_body"
    WRONG_TYPE = "wrong_type"
    TRUNCATED_BODY = "truncated_body"
    HUGE_BODY = "huge_body"
    GZIP_BOMB = "gzip_bomb"
    SLOW_BODY = "slow_body"


class FrameFault(StrEnum):
    """What happens to a frame of the stream, or in its place to the connection.

    "close" says goodbye and "cut" does not; a reordered frame waits for the next to overtake it;
    garbage is a text that is no JSON, in place of the frame.
    """

    CLOSE = "stream_close"
    CUT = "stream_cut"
    DUPLICATE = "stream_duplicate"
    REORDER = "stream_reorder"
    DELAY = "stream_delay"
    GARBAGE = "stream_garbage"


class LastingFault(StrEnum):
    """What is wrong until it is cleared.

    Chaos lets any request fault or frame fault strike with a probability. A silent stream takes
    connections and sends nothing, not even a pong; a refused one takes none. A skewed clock is
    off in every answer and every check of a signature.
    """

    CHAOS = "chaos"
    STREAM_CHAOS = "stream_chaos"
    STREAM_SILENT = "stream_silent"
    STREAM_REFUSE = "stream_refuse"
    CLOCK_SKEW = "clock_skew"


Kind = RequestFault | FrameFault | LastingFault
KINDS: Mapping[str, Kind] = {
    str(kind): kind for family in (RequestFault, FrameFault, LastingFault) for kind in family
}

REQUIRED = object()
_REQUEST: Mapping[str, object] = {"path": None, "method": None, "account_id": None, "times": 1}
_FRAME: Mapping[str, object] = {"topic": None, "account_id": None, "times": 1}
_DICE: Mapping[str, object] = {"seed": REQUIRED, "probability": REQUIRED, "seconds": Decimal(1)}
OPTIONS: Mapping[Kind, Mapping[str, object]] = {
    **dict.fromkeys(RequestFault, _REQUEST),
    RequestFault.DELAY_BEFORE: {**_REQUEST, "seconds": REQUIRED},
    RequestFault.DELAY_AFTER: {**_REQUEST, "seconds": REQUIRED},
    RequestFault.FAIL_BEFORE: {**_REQUEST, "status": 503},
    RequestFault.FAIL_AFTER: {**_REQUEST, "status": 503},
    RequestFault.TOO_MANY_REQUESTS: {**_REQUEST, "seconds": Decimal(1)},
    RequestFault.SLOW_BODY: {**_REQUEST, "seconds": Decimal(1)},
    **dict.fromkeys(FrameFault, _FRAME),
    FrameFault.DELAY: {**_FRAME, "seconds": REQUIRED},
    LastingFault.CHAOS: {"path": None, "method": None, "account_id": None, **_DICE},
    LastingFault.STREAM_CHAOS: {"topic": None, "account_id": None, **_DICE},
    LastingFault.STREAM_SILENT: {"account_id": None},
    LastingFault.STREAM_REFUSE: {"status": 503},
    LastingFault.CLOCK_SKEW: {"skew": REQUIRED},
}
"""What each kind takes beside `kind`, with its default."""


def _kind(value: object) -> object:
    if not isinstance(value, str) or value not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return KINDS[value]


class Fault(ControlCommand):
    """One fault; path, method, topic and account narrow what it strikes.

    `seconds` is how long a delay takes, between the bytes of a slow body, what Retry-After says,
    and the longest of these that chaos makes. `skew` is in seconds, ahead when positive.
    """

    kind: Annotated[Kind, BeforeValidator(_kind)]
    path: Annotated[str, Field(pattern=r"^/v3/")] | None = None
    method: Annotated[str, Field(pattern=r"^(GET|POST|PUT|DELETE)$")] | None = None
    topic: str | None = None
    account_id: str | None = None
    times: Annotated[int, Field(strict=True, ge=1)] | None = None
    seconds: Annotated[Number, Field(gt=0, le=MAX_SECONDS)] | None = None
    status: Literal[500, 502, 503, 504] | None = None
    skew: Annotated[Number, Field(ge=-MAX_SKEW, le=MAX_SKEW)] | None = None
    seed: Annotated[int, Field(strict=True)] | None = None
    probability: Annotated[Number, Field(gt=0, le=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _takes_what_its_kind_takes(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("kind"), str):
            return given
        kind = KINDS.get(given["kind"])
        if kind is None:
            return given
        options = OPTIONS[kind]
        for name in given.keys() & (cls.model_fields.keys() - options.keys() - {"kind"}):
            raise ValueError(f"{name}: not for {kind}, which takes {', '.join(options)}")
        for name, default in options.items():
            if default is REQUIRED and given.get(name) is None:
                raise ValueError(f"{name}: required for {kind}")
        return dict(options) | given

    def meets(self, met: Mapping[str, str | None]) -> bool:
        """Whether it is about what has these properties, by the names of the fields."""
        return all(getattr(self, name) in (None, value) for name, value in met.items())
