"""Chaos: it strikes as often as it should, everything that there is, the same for the same seed."""

from decimal import Decimal

import pytest

from exchanges.paper.faults import Fault, FrameFault, RequestFault
from exchanges.paper.strikes import Faults

DRAWS = 1000


def drawn(kind, **options):
    """What becomes of requests, or of frames; None where nothing strikes."""
    faults = Faults()
    faults.add(Fault.read({"kind": kind} | options))
    if kind == "chaos":
        request = {"method": "GET", "path": "/v3/ping", "account_id": None}
        return [faults.strike_request(**request) for _ in range(DRAWS)]
    return [faults.strike_frame(topic=None, account_id=None) for _ in range(DRAWS)]


@pytest.mark.parametrize(
    ("kind", "family"), [("chaos", RequestFault), ("stream_chaos", FrameFault)]
)
def test_chaos(kind, family):
    first = drawn(kind, seed=1, probability=1, seconds=3)
    assert {strike.kind for strike in first} == set(family)
    assert all(0 <= strike.seconds <= 3 for strike in first)
    assert {strike.status for strike in first} == {500, 502, 503, 504}
    assert drawn(kind, seed=1, probability=1, seconds=3) == first
    assert drawn(kind, seed=2, probability=1, seconds=3) != first


@pytest.mark.parametrize("kind", ["chaos", "stream_chaos"])
def test_its_probability(kind):
    struck = sum(strike is not None for strike in drawn(kind, seed=1, probability=Decimal("0.25")))
    assert DRAWS / 5 < struck < DRAWS / 3


def test_it_strikes_only_its_own_family():
    faults = Faults()
    faults.add(Fault.read({"kind": "chaos", "seed": 1, "probability": 1}))
    assert faults.strike_frame(topic=None, account_id=None) is None
    assert faults.strike_request(method="GET", path="/v3/ping", account_id=None) is not None
