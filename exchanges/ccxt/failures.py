"""ccxt's errors as ours. The first line that fits counts.

    ExchangeError itself            UnreadableAnswer: an error that ccxt does not know
    PermissionDenied                MissingScope
    AccountSuspended                AccessDenied
    AuthenticationError             InvalidCredentials
    RestrictedLocation              GeoBlocked
    NotSupported                    NotSupported
    other kinds of ExchangeError    Refused: the order, the market, the funds
    RateLimitExceeded               RateLimited: never executed
    DDoSProtection                  RateLimited
    InvalidNonce                    ClockSkew
    OnMaintenance                   Maintenance
    other kinds of NetworkError     Unavailable: ExchangeNotAvailable, RequestTimeout
    anything else                   UnreadableAnswer: BadResponse, CancelPending

For a call that acts, `Unavailable` and `UnreadableAnswer` become `UnknownOutcome`: see `channel`.
"""

from collections.abc import Mapping
from typing import Final

import ccxt

from exchanges.ccxt.documents import PAUSE
from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    NotSupported,
    RateLimited,
    Refused,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.types import Credentials

_MEANINGS: Final[Mapping[type[Exception], type[ExchangeError]]] = {
    ccxt.PermissionDenied: MissingScope,
    ccxt.AccountSuspended: AccessDenied,
    ccxt.AuthenticationError: InvalidCredentials,
    ccxt.RestrictedLocation: GeoBlocked,
    ccxt.NotSupported: NotSupported,
    ccxt.ExchangeError: Refused,
    ccxt.RateLimitExceeded: RateLimited,
    ccxt.DDoSProtection: RateLimited,
    ccxt.InvalidNonce: ClockSkew,
    ccxt.OnMaintenance: Maintenance,
    ccxt.NetworkError: Unavailable,
}

_LONGEST = 200


def meaning(error: Exception, said: str) -> ExchangeError:
    """What an error of ccxt's means; `said` are the exchange's words, in which no secret is."""
    words = said or f"The library ccxt stopped with {type(error).__name__}."
    if type(error) is ccxt.ExchangeError:
        return UnreadableAnswer(f"The exchange gave an error that is not known. {words}")
    for theirs, ours in _MEANINGS.items():
        if isinstance(error, theirs):
            return _made(ours, words, code=said or type(error).__name__)
    return UnreadableAnswer(words)


def _made(kind: type[ExchangeError], words: str, *, code: str) -> ExchangeError:
    if issubclass(kind, RateLimited):
        return kind(words, retry_after=PAUSE)
    if issubclass(kind, Refused):
        return kind(words, code=code)
    return kind(words)


def printable(said: str, credentials: Credentials | None) -> str:
    """An exchange's words on one line, not too long; blank if they repeat a credential."""
    parts = (credentials.key, credentials.secret) if credentials else ()
    if any(part and part in said for part in parts):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:_LONGEST]
