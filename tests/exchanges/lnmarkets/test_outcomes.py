"""What is made of a refusal: how long to wait, what is said, and what is not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from exchanges.errors import (
    AccessDenied,
    ClockSkew,
    ExchangeError,
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    RateLimited,
    Refused,
    TierLimited,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.lnmarkets.outcomes import body_of, retry_after
from exchanges.transport import Answer
from exchanges.types import Credentials
from tests.exchanges.lnmarkets.answers import RUNNING, as_json

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CREDENTIALS = Credentials(key="the-key", secret="the-secret", passphrase="the-passphrase")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("5", 5),
        ("3600", 3600),
        ("86400", 3600),
        ("999999999", 3600),
        ("9" * 5000, 1),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30),
        ("Fri, 20 Nov 2026 13:00:30 +0100", 30),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 20 Nov 2099 12:00:00 GMT", 3600),
        ("Fri, 99 Nov 2026 12:00:00 GMT", 1),
        (None, 1),
        ("", 1),
        ("-5", 1),
        ("1.5", 1),
        ("1e999", 1),
        ("nan", 1),
        ("٣", 1),
        ("soon", 1),
    ],
)
def test_retry_after(header, seconds):
    assert retry_after(header, now=NOW) == seconds


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} [\d:]{0,9} [+-]\d+"))
def test_retry_after_bears_anything(header):
    assert 0 <= retry_after(header, now=NOW) <= 3600


def test_a_good_answer_is_its_body():
    for status in (200, 201, 204):
        answer = Answer(status=status, headers=CaseInsensitiveDict(), body=b"{}")
        assert body_of(answer, credentials=None, now=NOW) == b"{}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (300, UnreadableAnswer),
        (304, UnreadableAnswer),
        (307, UnreadableAnswer),
        (399, UnreadableAnswer),
        (400, Refused),
        (401, InvalidCredentials),
        (403, AccessDenied),
        (404, Refused),
        (405, Refused),
        (408, Unavailable),
        (409, Refused),
        (422, Refused),
        (429, RateLimited),
        (451, AccessDenied),
        (499, Refused),
        (500, Unavailable),
        (503, Unavailable),
        (999, Unavailable),
    ],
)
def test_a_status_is_believed_whatever_the_body(status, error):
    for body in (b"", b"<html>", as_json(RUNNING)):
        assert type(refusal(body, status=status)) is error


def refusal(body: bytes, *, status: int = 400) -> ExchangeError:
    answer = Answer(status=status, headers=CaseInsensitiveDict(), body=body)
    with pytest.raises(ExchangeError) as caught:
        body_of(answer, credentials=CREDENTIALS, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"code": "BAD_REQUEST", "message": "Margin too low"}, "BAD_REQUEST", "Margin too low"),
        (
            {"code": "BAD_REQUEST"},
            "BAD_REQUEST",
            "The exchange answered BAD_REQUEST and no reason.",
        ),
        ({"message": "Margin\r\n\ttoo\x1b[31m low"}, "HTTP_400", "Margin too [31m low"),
        ({"code": "bad request", "message": "No"}, "HTTP_400", "No"),
        ({"code": "X" * 65, "message": "No"}, "HTTP_400", "No"),
        ({"code": "A", "message": "x" * 1000}, "A", "x" * 200),
        ("Not found", "HTTP_400", "The exchange answered HTTP_400 and no reason."),
    ],
)
def test_what_a_refusal_says(body, code, said):
    error = refusal(as_json(body))

    assert isinstance(error, Refused)
    assert (error.code, str(error)) == (code, said)


TOLD = {
    "tier, 403": (403, "TIER_LIMIT_EXCEEDED", "Your country's tier", TierLimited),
    "tier, 400": (400, "TIER_LIMIT_EXCEEDED", "", TierLimited),
    "tier, 401": (401, "TIER_LIMIT_EXCEEDED", "timestamp", TierLimited),
    "too many, 400": (400, "TOO_MANY_REQUESTS", "", RateLimited),
    "too many, 503": (503, "TOO_MANY_REQUESTS", "", Unavailable),
    "unauthorized, 400": (400, "UNAUTHORIZED", "Invalid signature", InvalidCredentials),
    "unauthorized, 500": (500, "UNAUTHORIZED", "", Unavailable),
    "timestamp, 401": (401, "UNAUTHORIZED", "Timestamp is outside the window", ClockSkew),
    "timestamp, 400": (400, "BAD_REQUEST", "timestamp: must be a number", Refused),
    "a scope, named": (403, "FORBIDDEN", "Requires futures:isolated:write", MissingScope),
    "a scope, short": (403, "", "This needs account:read.", MissingScope),
    "a scope": (403, "FORBIDDEN", "The API key lacks the scope", MissingScope),
    "a permission": (403, "FORBIDDEN", "Insufficient permissions", MissingScope),
    "a scope, 400": (400, "FORBIDDEN", "Missing scope", MissingScope),
    "a scope, not refused for it": (400, "BAD_REQUEST", "Missing scope", Refused),
    "a country": (403, "FORBIDDEN", "Not available in your country", GeoBlocked),
    "a region": (451, "", "Restricted region", GeoBlocked),
    "a jurisdiction": (403, "", "Jurisdiction not served", GeoBlocked),
    "geo-blocked": (403, "GEO", "Geoblocked", GeoBlocked),
    "no reason": (403, "FORBIDDEN", "Forbidden", AccessDenied),
    "no reason, 451": (451, "", "", AccessDenied),
    "telescope": (403, "", "No telescope, no countryside", AccessDenied),
    "maintenance, code": (503, "SERVICE_UNAVAILABLE", "", Maintenance),
    "maintenance, code, 500": (500, "SERVICE_UNAVAILABLE", "", Maintenance),
    "maintenance, code, 400": (400, "SERVICE_UNAVAILABLE", "No", Refused),
    "maintenance": (503, "", "Scheduled maintenance until 12:00", Maintenance),
    "trading engine": (503, "", "Trading engine is temporarily unavailable", Maintenance),
    "maintenance margin, 500": (500, "", "maintenance", Unavailable),
    "maintenance margin, 400": (400, "BAD_REQUEST", "Below maintenance margin", Refused),
}


@pytest.mark.parametrize(("status", "code", "message", "error"), TOLD.values(), ids=TOLD)
def test_what_is_made_of_code_status_and_words(status, code, message, error):
    assert type(refusal(as_json({"code": code, "message": message}), status=status)) is error


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("part", ["the-key", "the-secret", "the-passphrase"])
def test_a_refusal_that_repeats_a_credential_is_not_repeated(part, status):
    error = refusal(as_json({"code": "NO", "message": f"invalid: {part}"}), status=status)

    assert part not in str(error)
