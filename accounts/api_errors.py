"""How the platform's errors look over HTTP, for every API: `REST_FRAMEWORK["EXCEPTION_HANDLER"]`.

    AccountNotFound   404    InvalidField      400, under the name of the field
    AccountInactive   400    TransientError    503, an exchange that gives no answer now
                             PermanentError    502, an exchange that refuses what we ask

What is not listed is a mistake of ours, and stays a 500.
"""

from typing import Any

from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.errors import AccountInactive, AccountNotFound, InvalidField
from exchanges.errors import PermanentError, TransientError


class ExchangeUnavailable(APIException):
    """The exchange could not be asked; the same request may work later."""

    status_code = 503
    default_code = "exchange_unavailable"


class ExchangeRefused(APIException):
    """The exchange was asked, and declined for a reason that is not in the request's fields."""

    status_code = 502
    default_code = "exchange_refused"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for an error raised in an API view, None for what is a mistake of ours."""
    return exception_handler(_translate(error), context)


def _translate(error: Exception) -> Exception:
    match error:
        case AccountNotFound():
            return NotFound(str(error))
        case InvalidField():
            return ValidationError({error.field: [error.message]})
        case AccountInactive():
            return ValidationError({"detail": str(error)})
        case TransientError():
            return ExchangeUnavailable(str(error))
        case PermanentError():
            return ExchangeRefused(str(error))
    return error
