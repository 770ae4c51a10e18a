"""How many requests are left, as far as an answer's headers say so.

    RateLimit: "key";r=4;t=1             RateLimit-Policy: "key";q=5;w=1
    RateLimit: limit=5, remaining=4, reset=1
    X-Ratelimit-Remaining: 4             X-Ratelimit-Reset: 1

The first two are drafts of the IETF (httpapi-ratelimit-headers, from 08 on and before), the last
is older. Which of them the exchange sends is not certain, so all are understood, and nothing
that they hold is an error.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from exchanges.guard import Allowance
from exchanges.lnmarkets.constants import MAX_RETRY_AFTER

_REMAINING = re.compile(r"\b(?:r|remaining)=([0-9]{1,9})\b", re.IGNORECASE | re.ASCII)
_RESET = re.compile(r"\b(?:t|reset)=([0-9]{1,9})\b", re.IGNORECASE | re.ASCII)
_WINDOW = re.compile(r"\bw=([0-9]{1,9})\b", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def allowance(headers: Mapping[str, str], *, now: datetime) -> Allowance | None:
    """What the exchange says is left; None when it does not. `headers` know no upper case."""
    return _of_draft(headers) or _of_older_headers(headers, now=now)


def _of_draft(headers: Mapping[str, str]) -> Allowance | None:
    """Of several limits the one that leaves least; without a reset it lasts for its window."""
    limits = headers.get("RateLimit", "")
    remaining = [int(number) for number in _REMAINING.findall(limits)]
    resets = _RESET.findall(limits) or _WINDOW.findall(headers.get("RateLimit-Policy", ""))
    if not remaining or not resets:
        return None
    return Allowance(min(remaining), min(max(map(float, resets)), MAX_RETRY_AFTER))


def _of_older_headers(headers: Mapping[str, str], *, now: datetime) -> Allowance | None:
    """A reset too large to be a number of seconds to wait is a time, in seconds since 1970."""
    remaining = headers.get("X-Ratelimit-Remaining", "")
    reset = headers.get("X-Ratelimit-Reset", "")
    if not (_DIGITS.fullmatch(remaining) and _DIGITS.fullmatch(reset)):
        return None
    seconds = float(reset)
    if seconds > MAX_RETRY_AFTER:
        seconds = min(max(seconds - now.timestamp(), 0.0), MAX_RETRY_AFTER)
    return Allowance(int(remaining), seconds)
