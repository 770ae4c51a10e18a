"""What an answer other than success means, said in the errors of `exchanges.errors`.

The status says whether anything can have happened: after a 4xx nothing has, after a 5xx nobody
knows. Within that the exchange's code decides, then the status, and last the words of its message.

    429, TOO_MANY_REQUESTS       RateLimited: never executed
    TIER_LIMIT_EXCEEDED          TierLimited
    401, UNAUTHORIZED            ClockSkew if it speaks of the timestamp, else InvalidCredentials
    403, 451, FORBIDDEN          MissingScope or GeoBlocked if it speaks of them, else AccessDenied
    408                          Unavailable
    other 4xx                    Refused
    5xx, SERVICE_UNAVAILABLE     Maintenance; a 503 too if it speaks of it
    other 5xx                    Unavailable
    3xx and the rest             UnreadableAnswer

For a call that acts, `Unavailable` and `UnreadableAnswer` become `UnknownOutcome`: see `channel`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    RateLimited,
    Refused,
    TierLimited,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.lnmarkets.constants import DEFAULT_RETRY_AFTER, MAX_RETRY_AFTER
from exchanges.lnmarkets.parse.problems import Problem, problem
from exchanges.transport import Answer
from exchanges.types import Credentials

_LONGEST_MESSAGE = 200
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

_STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "TOO_MANY_REQUESTS": 429,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
}
"""Codes that mean a status, whichever other 4xx they come with."""

_TIMESTAMP = re.compile(r"\btimestamp", re.IGNORECASE)
_MAINTENANCE = re.compile(r"\bmaintenance\b|\btrading engine\b", re.IGNORECASE)
_SCOPE = re.compile(r"\b(scope|permission)s?\b|\b[a-z-]+(:[a-z-]+)*:(read|write)\b", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(country|countries|regions?|jurisdictions?|locations?|geo-?block\w*)\b", re.IGNORECASE
)


def body_of(answer: Answer, *, credentials: Credentials | None, now: datetime) -> bytes:
    """The body of a good answer; any other raises what it means."""
    if 200 <= answer.status < 300:
        return answer.body
    raise _meaning(answer, credentials=credentials, now=now)


def _meaning(answer: Answer, *, credentials: Credentials | None, now: datetime) -> ExchangeError:
    told = _without_secrets(problem(answer.body), credentials)
    status = answer.status
    if 400 <= status < 500:
        status = _STATUS_OF_CODE.get(told.code, status)
    if status == 429:
        wait = retry_after(answer.headers.get("Retry-After"), now=now)
        return RateLimited("The exchange asks for fewer requests.", retry_after=wait)
    if status == 408 or status >= 500:
        return _failure(status, told)
    if status >= 400:
        return _refusal(status, told)
    return UnreadableAnswer(f"The exchange answered {status}, which is no answer to this request.")


def _failure(status: int, told: Problem) -> Unavailable:
    spoken = status == 503 and _MAINTENANCE.search(told.message)
    if spoken or told.code == "SERVICE_UNAVAILABLE":
        return Maintenance(told.message[:_LONGEST_MESSAGE] or "The exchange is not trading now.")
    return Unavailable(f"The exchange answered {status}.")


def _refusal(status: int, told: Problem) -> ExchangeError:
    code = told.code if _CODE.fullmatch(told.code) else f"HTTP_{status}"
    said = told.message[:_LONGEST_MESSAGE] or f"The exchange answered {code} and no reason."
    if code == "TIER_LIMIT_EXCEEDED":
        return TierLimited(said)
    if status == 401:
        return ClockSkew(said) if _TIMESTAMP.search(said) else InvalidCredentials(said)
    if status in (403, 451):
        return _denial(said)
    return Refused(said, code=code)


def _denial(said: str) -> AccessDenied:
    if _SCOPE.search(said):
        return MissingScope(said)
    return GeoBlocked(said) if _PLACE.search(said) else AccessDenied(said)


def _without_secrets(told: Problem, credentials: Credentials | None) -> Problem:
    """The problem, or nothing of it if it repeats any part of the credentials."""
    parts = (credentials.key, credentials.secret, credentials.passphrase) if credentials else ()
    if any(part in told.code or part in told.message for part in parts):
        return Problem("", "")
    return told


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
