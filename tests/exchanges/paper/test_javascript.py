"""Numbers and texts as JavaScript reads and writes them."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.paper import javascript


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param('{"value": 72000.0}', '{"value":72000}', id="whole float loses its fraction"),
        pytest.param('{"value":72000}', '{"value":72000}', id="canonical stays"),
        pytest.param('[ 0.1 , 100.50 ]', "[0.1,100.5]", id="spaces and zeros go"),
        pytest.param("[1e5,1E-3]", "[100000,0.001]", id="exponents are written out"),
        pytest.param("[0.00001,1.5e-7,1e21]", "[0.00001,1.5e-7,1e+21]", id="tiny and huge"),
        pytest.param("[-0,-0.0]", "[0,0]", id="minus zero"),
        pytest.param("[12345678901234567890]", "[12345678901234567000]", id="beyond a double"),
        pytest.param("[1e999]", "[null]", id="infinite"),
        pytest.param('"\\u00e9\\/\\n\\u2028"', '"é/\\n\u2028"', id="escapes only where needed"),
        pytest.param('{"b":1,"a":2,"b":3}', '{"b":3,"a":2}', id="last of two keys, first place"),
        pytest.param("[true,false,null]", "[true,false,null]", id="constants"),
    ],
)  # fmt: skip
def test_canonical_form(text, written):
    assert javascript.stringify(javascript.parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("NaN", id="not a number"),
        pytest.param("[-Infinity]", id="infinity"),
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param(b"\xff\xfe", id="not a text"),
        pytest.param("{'a':1}", id="wrong quotes"),
    ],
)
def test_what_is_no_json(text):
    with pytest.raises(ValueError):
        javascript.parse(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_canonical_form_keeps_every_value(value):
    text = javascript.stringify(value)
    assert json.loads(text, parse_int=float) == value
    assert javascript.stringify(javascript.parse(text)) == text


@given(st.decimals(0, 10**9, places=8))
def test_decimals_keep_every_digit(value):
    assert Decimal(str(javascript.parse_exactly(javascript.stringify(value)))) == value
