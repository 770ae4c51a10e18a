"""Signatures of LN Markets' REST API v3.

    signature = base64(HMAC-SHA256(secret, timestamp + lower(method) + path + data))

`path` includes `/v3`; `data` is the query with its `?`, or the body, exactly as on the wire. The
exchange checks the body after writing the parsed JSON anew, as JavaScript would. So a body must
look like that from the start: see `canonical_json`.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import requests
from requests.auth import AuthBase

from exchanges.errors import InvalidCredentials
from exchanges.types import Credentials

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST_FRACTION = Decimal("0.0001")


def canonical_json(body: Mapping[str, str | int | Decimal]) -> bytes:
    """`body` as JavaScript writes it: compact, keys in order, 72000 and never 72000.0 or 7.2e4.

    A fraction is rounded to the nearest double, which is all that JSON numbers are over there.
    Raises `ValueError` for a number that JavaScript has no plain notation for.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, default=_json_number)
    return text.encode()


def _json_number(value: object) -> int | float:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise ValueError("the body of a request holds text, integers and finite decimals only")
    if value == value.to_integral_value():
        return int(value)
    if abs(value) < _SMALLEST_FRACTION:
        raise ValueError(f"the body of a request holds no fraction below {_SMALLEST_FRACTION}")
    return float(value)


def sign(secret: str, *, timestamp: int, method: str, path: str, data: str) -> str:
    """The signature of one request; `timestamp` in milliseconds since 1970."""
    return hmac_base64(secret, f"{timestamp}{method.lower()}{path}{data}")


def hmac_base64(secret: str, payload: str) -> str:
    """Standard base64, padded, of HMAC-SHA256; the secret is used as text, not decoded."""
    return base64.b64encode(hmac.digest(secret.encode(), payload.encode(), "sha256")).decode()


class SignedAt(AuthBase):
    """Signs what `requests` is about to send, as of the given time.

    Raises `InvalidCredentials` when a credential cannot stand in a header.
    """

    def __init__(self, credentials: Credentials, signed_at: datetime) -> None:
        self._credentials = credentials
        self._timestamp = (signed_at - _EPOCH) // timedelta(milliseconds=1)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        credentials = self._credentials
        _require_sendable(credentials)
        path, mark, query = request.path_url.partition("?")
        body = request.body or b""
        request.headers["lnm-access-key"] = credentials.key
        request.headers["lnm-access-passphrase"] = credentials.passphrase
        request.headers["lnm-access-timestamp"] = str(self._timestamp)
        request.headers["lnm-access-signature"] = sign(
            credentials.secret,
            timestamp=self._timestamp,
            method=request.method or "",
            path=path,
            data=mark + query + (body if isinstance(body, str) else body.decode()),
        )
        return request


def _require_sendable(credentials: Credentials) -> None:
    for name, value in (("key", credentials.key), ("passphrase", credentials.passphrase)):
        if not (value.isascii() and value.isprintable() and value == value.strip() != ""):
            raise InvalidCredentials(
                f"The {name} is not usable: it must be printable ASCII without blanks around it."
            )
    if not credentials.secret or not credentials.secret.isprintable():
        raise InvalidCredentials("The secret is not usable: it must be printable text.")
