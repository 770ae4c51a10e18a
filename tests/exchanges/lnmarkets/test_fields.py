"""What is not taken for JSON, wherever in the answer it stands."""

import pytest

from exchanges.errors import UnreadableAnswer
from exchanges.fields import load
from exchanges.lnmarkets.parse.problems import Problem, problem

NOT_JSON = {
    "empty": b"",
    "HTML": b"<!doctype html><title>502</title>",
    "cut": b'{"time":"2026',
    "two documents": b"{}{}",
    "not UTF-8": b'{"time":"\xff"}',
    "UTF-16": '{"time":"2026-11-20T12:00:00Z"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "a key twice": b'{"time":"2026-11-20T12:00:00Z","time":"2026-11-20T13:00:00Z"}',
    "a key twice, deep inside": b'{"x":[{"a":1,"a":1}],"time":"2026-11-20T12:00:00Z"}',
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_as_it_should_be(body):
    with pytest.raises(UnreadableAnswer):
        load(body)
    assert problem(body) == Problem("", "")


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "1e-999",
        "0e-999",
        "1e99999999999999999999",
        "9" * 10_000,
        "0." + "1" * 10_000,
        "01",
        "0x1",
        ".5",
    ],
    ids=lambda number: number[:22],
)
def test_no_such_number_is_let_in(number):
    body = f'{{"x":{number}}}'.encode()

    with pytest.raises(UnreadableAnswer):
        load(body)
