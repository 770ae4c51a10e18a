"""What can go wrong with an account, grouped by who can do something about it.

    AccountError
    ├── AccountNotFound     the user has no such account                            (API: 404)
    ├── InvalidField        the user gave something that is not allowed             (API: 400)
    ├── AccountInactive     disconnected, its exchange is off, or its owner blocked  (API: 400)
    └── SealBroken          a sealed value does not open: the operator's business    (API: 500)

An exchange that does not answer is an `exchanges.errors.TransientError` and passes through.
Messages are written for the user and never hold a credential.
"""


class AccountError(Exception):
    """Base of all errors of this package."""


class AccountNotFound(AccountError):
    """The user has no such account; whether another user has it is not said."""


class InvalidField(AccountError):
    """`field` holds something that is not allowed; `message` says what is."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class AccountInactive(AccountError):
    """The account cannot be used now; the message says why and what to do."""


class SealBroken(AccountError):
    """A sealed value was changed, cut, moved to another row, or its key is not in the ring."""
