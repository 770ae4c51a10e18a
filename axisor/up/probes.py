"""Questions that tell whether something answers, asked until it does."""

import http.client
from collections.abc import Callable, Mapping

SECONDS = 2


def status(port: int, path: str, headers: Mapping[str, str]) -> int | None:
    """Return the HTTP status of a GET on 127.0.0.1, or None without an answer in two seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers=dict(headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def answers_ok(
    port: int, path: str, headers: Mapping[str, str] | None = None
) -> Callable[[], bool]:
    """Return a question: does a GET of `path` on `port` answer 200?"""
    return lambda: status(port, path, headers or {}) == http.client.OK
