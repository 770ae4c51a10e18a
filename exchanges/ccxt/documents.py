"""One answer of an exchange, as the JSON in it or as what its status means.

429, 418     RateLimited: never executed
5xx, 408     Unavailable
3xx, 1xx     UnreadableAnswer
4xx          what the exchange says in it; if it says nothing, `of_status`
2xx          what it says, which may be an error too
"""

import json
from typing import Final, NoReturn

from exchanges.ccxt.numerals import numeral
from exchanges.errors import (
    AccessDenied,
    ExchangeError,
    InvalidCredentials,
    RateLimited,
    Refused,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.transport import Answer

PAUSE: Final = 15.0
"""Seconds to leave an exchange alone that asks for it: exchanges here do not say how long."""


def document(answer: Answer) -> object:
    """The JSON in it, in which numbers with a point are text; None where a 4xx has none."""
    if answer.status in (429, 418):
        raise RateLimited("The exchange asks for fewer requests.", retry_after=PAUSE)
    if answer.status >= 500 or answer.status == 408:
        raise Unavailable(f"The exchange answered {answer.status}.")
    if answer.status < 200 or 300 <= answer.status < 400:
        raise UnreadableAnswer(f"The exchange answered {answer.status}, which is no answer.")
    try:
        return json.loads(
            answer.body.decode(),
            parse_float=numeral,
            parse_int=lambda text: int(numeral(text)),
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        if answer.status >= 400:
            return None
        raise UnreadableAnswer("The answer is not JSON.") from None


def of_status(status: int) -> ExchangeError:
    """What a 4xx means that says nothing."""
    said = f"The exchange answered {status} and no reason."
    if status == 401:
        return InvalidCredentials(said)
    if status in (403, 451):
        return AccessDenied(said)
    return Refused(said, code=f"HTTP_{status}")


def _refuse(_name: str) -> NoReturn:
    raise ValueError("NaN or Infinity for a number")
