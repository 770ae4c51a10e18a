"""What the exchange says about a request that it declined, however it says it."""

import pytest

from exchanges.lnmarkets.parse.problems import Problem, problem
from tests.exchanges.lnmarkets.answers import as_json


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ({"code": "BAD_REQUEST", "message": "No."}, "BAD_REQUEST", "No."),
        ({"message": "No."}, "", "No."),
        ({"code": 400, "message": ["No."]}, "", ""),
        (["No."], "", ""),
        ("Not found", "", ""),
    ],
)
def test_problems_are_read_as_far_as_they_go(document, code, message):
    assert problem(as_json(document)) == Problem(code, message)
