"""What is made of a refusal: how long to wait, what is said, and what is not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from exchanges.errors import (
    AccessDenied,
    ExchangeError,
    InvalidCredentials,
    RateLimited,
    Refused,
    Unavailable,
    UnreadableAnswer,
)
from exchanges.lnmarkets.outcomes import body_of, retry_after
from exchanges.lnmarkets.transport import Answer
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


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("part", ["the-key", "the-secret", "the-passphrase"])
def test_a_refusal_that_repeats_a_credential_is_not_repeated(part, status):
    error = refusal(as_json({"code": "NO", "message": f"invalid: {part}"}), status=status)

    assert part not in str(error)
