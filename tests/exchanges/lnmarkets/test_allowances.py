"""How many requests are left, in whichever header it stands, and whatever else stands there."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from exchanges.guard import Allowance
from exchanges.lnmarkets.allowances import allowance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IN_A_MINUTE = str(int(NOW.timestamp()) + 60)
NAMES = ("RateLimit", "RateLimit-Policy", "X-Ratelimit-Remaining", "X-Ratelimit-Reset")

SAID = {
    "nothing": ({}, None),
    "the newest draft": ({"RateLimit": '"default";r=4;t=1'}, Allowance(4, 1)),
    "with blanks": ({"RateLimit": '"default" ; r=4 ; t=1'}, Allowance(4, 1)),
    "in lower case": ({"ratelimit": '"default";r=4;t=1'}, Allowance(4, 1)),
    "an older draft": ({"RateLimit": "limit=5, remaining=0, reset=7"}, Allowance(0, 7)),
    "two limits": ({"RateLimit": '"second";r=4;t=1, "hour";r=2;t=3000'}, Allowance(2, 3000)),
    "no reset, but a window": (
        {"RateLimit": '"default";r=4', "RateLimit-Policy": '"default";q=5;w=10'},
        Allowance(4, 10),
    ),
    "no reset and no window": ({"RateLimit": '"default";r=4'}, None),
    "a policy alone": ({"RateLimit-Policy": '"default";q=5;w=10'}, None),
    "a reset in a year": ({"RateLimit": '"default";r=4;t=31536000'}, Allowance(4, 3600)),
    "the oldest": ({"X-RateLimit-Remaining": "9", "X-RateLimit-Reset": "30"}, Allowance(9, 30)),
    "the oldest, as a time": (
        {"X-Ratelimit-Remaining": "9", "X-Ratelimit-Reset": IN_A_MINUTE},
        Allowance(9, 60),
    ),
    "a time that is past": (
        {"X-Ratelimit-Remaining": "9", "X-Ratelimit-Reset": "1700000000"},
        Allowance(9, 0),
    ),
    "half of the oldest": ({"X-Ratelimit-Remaining": "9"}, None),
    "negative": ({"X-Ratelimit-Remaining": "-9", "X-Ratelimit-Reset": "30"}, None),
    "negative, in a draft": ({"RateLimit": '"default";r=-4;t=1'}, None),
    "too many digits": ({"RateLimit": f'"default";r={"9" * 5000};t=1'}, None),
    "other digits": ({"X-Ratelimit-Remaining": "٣", "X-Ratelimit-Reset": "٣"}, None),
    "words": ({"RateLimit": "plenty", "X-Ratelimit-Remaining": "lots"}, None),
}


@pytest.mark.parametrize(("headers", "left"), SAID.values(), ids=SAID)
def test_what_is_left(headers, left):
    assert allowance(CaseInsensitiveDict(headers), now=NOW) == left


pieces = st.sampled_from(
    ['"default"', ";", ",", " ", "r=", "t=", "w=", "remaining=", "reset=", "9"]
)
values = st.text(max_size=40) | st.lists(pieces, max_size=12).map("".join) | st.integers().map(str)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_headers_bear_anything(headers):
    left = allowance(CaseInsensitiveDict(headers), now=NOW)
    assert left is None or (left.remaining >= 0 and 0 <= left.resets_in <= 3600)
