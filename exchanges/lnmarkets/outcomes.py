"""What the status of an answer means, said in the errors of `exchanges.errors`.

    2xx                        the body
    429                        RateLimited: never executed
    408, 5xx                   Unavailable: nobody knows what happened behind it
    401                        InvalidCredentials, or ClockSkew if it speaks of the timestamp
    403, 451, a tier limit     AccessDenied
    other 4xx                  Refused
    3xx and the rest           UnreadableAnswer

For a call that acts, `Unavailable` and `UnreadableAnswer` become `UnknownOutcome`: see `rest`.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    InvalidCredentials,
    RateLimited,
    Refused,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.lnmarkets import parse
from exchanges.lnmarkets.constants import DEFAULT_RETRY_AFTER, MAX_RETRY_AFTER
from exchanges.lnmarkets.transport import Answer
from exchanges.types import Credentials

_LONGEST_MESSAGE = 200
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def body_of(answer: Answer, *, credentials: Credentials | None, now: datetime) -> bytes:
    """The body of a good answer; any other raises what it means."""
    if 200 <= answer.status < 300:
        return answer.body
    raise _meaning(answer, credentials=credentials, now=now)


def _meaning(answer: Answer, *, credentials: Credentials | None, now: datetime) -> ExchangeError:
    status = answer.status
    if status == 429:
        return RateLimited(
            "The exchange asks for fewer requests.",
            retry_after=retry_after(answer.headers.get("Retry-After"), now=now),
        )
    if status == 408 or status >= 500:
        return Unavailable(f"The exchange answered {status}.")
    if status >= 400:
        return _refusal(status, _without_secrets(parse.problem(answer.body), credentials))
    return UnreadableAnswer(f"The exchange answered {status}, which is no answer to this request.")


def _refusal(status: int, problem: parse.Problem) -> ExchangeError:
    code = problem.code if _CODE.fullmatch(problem.code) else f"HTTP_{status}"
    said = problem.message[:_LONGEST_MESSAGE] or f"The exchange answered {code} and no reason."
    if status == 401:
        return ClockSkew(said) if "timestamp" in said.lower() else InvalidCredentials(said)
    if status in (403, 451) or code == "TIER_LIMIT_EXCEEDED":
        return AccessDenied(said)
    return Refused(said, code=code)


def _without_secrets(problem: parse.Problem, credentials: Credentials | None) -> parse.Problem:
    """The problem, or nothing of it if it repeats any part of the credentials."""
    parts = (credentials.key, credentials.secret, credentials.passphrase) if credentials else ()
    if any(part in problem.code or part in problem.message for part in parts):
        return parse.Problem("", "")
    return problem


def retry_after(value: str | None, *, now: datetime) -> float:
    """Seconds to wait, of a header that holds seconds or an HTTP date, or is missing or wrong."""
    if value is None:
        return DEFAULT_RETRY_AFTER
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return DEFAULT_RETRY_AFTER
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), MAX_RETRY_AFTER)
