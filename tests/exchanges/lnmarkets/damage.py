"""Valid answers, damaged: for the tests that nothing an exchange says can do harm.

`EXAMPLES` says how many a test tries in all: some hundreds, or what `make fuzz` asks for.
"""

import copy
import os
from typing import Any

from hypothesis import strategies as st

from tests.exchanges.lnmarkets.answers import OTHER_TRADE_ID, as_json

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "800"))

# Written into the text in place of a value, so that they need not be valid JSON.
RAW = [
    "NaN", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "-0.0", "9" * 10_000, "0." + "1" * 40,
    "1E+25", "null", "true", "false", "{}", "[]", '""', '"\\u0000"', '"\\ud800"', "01", "0x10",
    '"2026-13-45T99:99:99Z"', '"9999-12-31T23:59:59.999Z"', '"2027-01-01T00:00:00Z"', "[[[[[]]]]]",
    "[" * 3000, '{"a":' * 3000, '{"a":1,"a":2}', f'"{OTHER_TRADE_ID}"', "", "'",
]  # fmt: skip
PLACE = "a place for something else"

values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=80)
    | st.lists(st.integers(), max_size=2)
)


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> bytes:
    """`document` as JSON, after one to three kinds of damage."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, 2))):
        _damage_value(draw, document)
    text = as_json(document).decode("utf-8", "surrogatepass")
    text = text.replace(f'"{PLACE}"', draw(st.sampled_from(RAW)))
    return _damage_bytes(draw, text.encode("utf-8", "surrogatepass"))


def _damage_value(draw: st.DrawFn, document: Any) -> None:
    places = [
        (holder, key)
        for holder in _holders(document)
        for key in (holder if isinstance(holder, dict) else range(len(holder)))
    ]
    if not places:
        return
    holder, key = draw(st.sampled_from(places))
    if draw(st.booleans()):
        holder[key] = draw(st.just(PLACE) | values)
    elif isinstance(holder, dict):
        del holder[key]
    else:
        holder.append(copy.deepcopy(holder[key]))


def _holders(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    below = [holder for item in inner for holder in _holders(item)]
    return [value, *below] if isinstance(value, dict | list) else below


def _damage_bytes(draw: st.DrawFn, body: bytes) -> bytes:
    position = draw(st.integers(0, len(body)))
    return draw(
        st.sampled_from(
            [
                body,
                body,
                body[:position],
                body[:position] + draw(st.binary(max_size=3)) + body[position:],
                body[:position] + body[position + 1 :],
                body + body[position:],
            ]
        )
    )
