"""Everything that can go wrong with an exchange, grouped by what to do next.

    ExchangeError
    ├── TransientError             nothing was done: wait, and try again
    │   ├── NotSent                 no byte left this machine, or the deadline passed before
    │   │   └── OutOfTime            the time of the run that wanted it was over
    │   ├── RateLimited             the exchange said 429; `retry_after` in seconds
    │   ├── Suspended               not asked at all: it failed too often of late (the breaker)
    │   ├── Unavailable             a read got no answer, or a 5xx
    │   │   └── Maintenance          the exchange says that it is not trading now
    │   ├── UnreadableAnswer        a read got an answer that does not parse
    │   └── ClockSkew               the timestamp was refused: resynchronise, the key is fine
    ├── PermanentError             trying again changes nothing: stop, tell the user
    │   ├── InvalidCredentials      key, secret or passphrase refused
    │   ├── AccessDenied            the exchange does not serve this key or place
    │   │   ├── MissingScope         the key may not do this
    │   │   ├── GeoBlocked           the exchange does not serve this place
    │   │   └── TierLimited          the account's verification tier is used up
    │   ├── NotSupported            this exchange has no such thing; nothing was sent
    │   └── Refused                 the exchange answered 4xx: the order itself is wrong
    └── UnknownOutcome             it was sent, and what became of it is not known: read back

An adapter translates at its edge; nothing above it sees an HTTP status. Only calls that act
raise `UnknownOutcome`: a read without an answer is `Unavailable`, it can simply be repeated.
Messages are written for the user and never hold a credential.
"""


class ExchangeError(Exception):
    """Base of all errors of this package."""


class TransientError(ExchangeError):
    """Nothing was done, and it may work later."""


class NotSent(TransientError):
    """No byte of the request left this machine."""


class OutOfTime(NotSent):
    """Whoever wanted it had no time left: see `exchanges.deadline`."""


class RateLimited(TransientError):
    """Refused for its frequency; never executed. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Suspended(NotSent):
    """Not asked: account or exchange failed so often of late that it is left alone for a while."""


class Unavailable(TransientError):
    """A read got no answer in time, or a server error."""


class Maintenance(Unavailable):
    """The exchange says that its trading is switched off for now."""


class UnreadableAnswer(TransientError):
    """A read got an answer that is not what the specification allows."""


class ClockSkew(TransientError):
    """The request's timestamp lies outside the exchange's window."""


class PermanentError(ExchangeError):
    """Refused for good; repeating it changes nothing."""


class InvalidCredentials(PermanentError):
    """The exchange does not accept the key, its passphrase or its signature."""


class AccessDenied(PermanentError):
    """The exchange does not serve this key, for a reason it does not give or we do not know."""


class MissingScope(AccessDenied):
    """The key was made without the permission for this."""


class GeoBlocked(AccessDenied):
    """The exchange does not serve the place this machine is in."""


class TierLimited(AccessDenied):
    """The limit of the account's verification tier is reached."""


class NotSupported(PermanentError):
    """The exchange has no such thing, or its adapter does not offer it."""


class Refused(PermanentError):
    """The exchange understood the request and declined it. `code` is the exchange's own."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownOutcome(ExchangeError):
    """An acting request may or may not have been executed. Never resend: read back."""
