"""Who signed a request: LN Markets' headers, checked as the exchange checks them.

    signature = base64(HMAC-SHA256(secret, timestamp + method in lower case + path + data))

`path` begins with `/v3`. `data` is the body as JavaScript would write it again, or the query
with its question mark as it came over the wire, or nothing. On the stream, the signature is over
timestamp + nonce.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from exchanges.paper.account import Signer
from exchanges.paper.book import Book
from exchanges.paper.refusals import Refusal, Unauthorized
from exchanges.paper.scopes import Scope

KEY_HEADER = "lnm-access-key"
TIMESTAMP_HEADER = "lnm-access-timestamp"
REQUEST_WINDOW = timedelta(seconds=30)
MAX_TIMESTAMP_DIGITS = 14


def sign(*, secret: str, timestamp: str, method: str, path: str, data: str) -> str:
    """The signature of a request; `timestamp` in milliseconds since 1970."""
    return _signature(secret, f"{timestamp}{method.lower()}{path}{data}")


def sign_stream(*, secret: str, timestamp: int, nonce: str) -> str:
    """The signature with which a stream authenticates; `timestamp` in milliseconds since 1970."""
    return _signature(secret, f"{timestamp}{nonce}")


def authenticate(
    headers: Mapping[str, str], *, method: str, path: str, data: str, book: Book, now: datetime
) -> Signer:
    """Whose key signed the request. Raises `Unauthorized`."""
    key, passphrase, timestamp, signature = (
        headers.get(f"lnm-access-{name}", "")
        for name in ("key", "passphrase", "timestamp", "signature")
    )
    signer = _signer(book, key=key, passphrase=passphrase, timestamp=timestamp, now=now)
    secret = signer.credentials.secret
    expected = sign(secret=secret, timestamp=timestamp, method=method, path=path, data=data)
    if not _same(signature, expected):
        raise Unauthorized("Wrong signature")
    return signer


def authenticate_stream(
    *,
    key: str,
    passphrase: str,
    timestamp: int,
    nonce: str,
    signature: str,
    book: Book,
    now: datetime,
) -> Signer:
    """Whose key signed the authentication of a stream. Raises `Unauthorized`."""
    signer = _signer(book, key=key, passphrase=passphrase, timestamp=str(timestamp), now=now)
    secret = signer.credentials.secret
    if not _same(signature, sign_stream(secret=secret, timestamp=timestamp, nonce=nonce)):
        raise Unauthorized("Wrong signature")
    return signer


def require(signer: Signer, scope: Scope) -> None:
    """Raises `Refusal` unless the key may do what `scope` names."""
    if scope not in signer.key.scopes:
        raise Refusal(f"The API key lacks the scope {scope}", status=403, code="FORBIDDEN")


def signed_at(timestamp: str) -> datetime:
    """The time in the timestamp's header. Raises `Unauthorized`."""
    if not (
        timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= MAX_TIMESTAMP_DIGITS
    ):
        raise Unauthorized("Timestamp must be milliseconds since 1970")
    return datetime.fromtimestamp(int(timestamp) / 1000, UTC)


def _signer(book: Book, *, key: str, passphrase: str, timestamp: str, now: datetime) -> Signer:
    signer = book.signer(key)
    if signer is None or signer.key.is_revoked:
        raise Unauthorized("Unknown key")
    if not _same(passphrase, signer.credentials.passphrase):
        raise Unauthorized("Wrong passphrase")
    if abs(now - signed_at(timestamp)) > REQUEST_WINDOW:
        raise Unauthorized("Timestamp is outside the window of 30 seconds")
    return signer


def _signature(secret: str, payload: str) -> str:
    return b64encode(hmac.digest(secret.encode(), payload.encode(), "sha256")).decode()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
