"""Where an exchange may be: signed requests carry a key, so they leave this machine only by TLS."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

ALLOWED = (
    "an address like https://host/path, without user, query or fragment; "
    "http:// only to this machine (localhost, 127.0.0.1, [::1])"
)


def require_safe(url: str) -> None:
    """Raise `ValueError` with a sentence unless requests with credentials may go to `url`."""
    try:
        parts = urlsplit(url)
        safe = _is_plain(url, parts) and _is_confidential(parts)
    except ValueError:
        safe = False
    if not safe:
        raise ValueError(f"The address of an exchange must be {ALLOWED}.")


def _is_plain(url: str, parts: SplitResult) -> bool:
    return (
        url.isascii()
        and url.isprintable()
        and not set(url) & set(' \\?#@"<>')
        and bool(parts.hostname)
        and parts.port != 0
    )


def _is_confidential(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (
        parts.scheme == "http" and _is_loopback(parts.hostname or "")
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
