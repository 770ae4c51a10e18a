"""Synthetic dollars: both directions, the unit in which they are written, what is refused."""

from decimal import Decimal

import pytest

from exchanges.paper import swaps
from exchanges.paper.commands_account import SwapAssets
from exchanges.paper.market import Depth, Terms
from exchanges.paper.refusals import Refusal
from exchanges.paper.swaps import UsdUnit
from exchanges.paper.wire_account import account_json, swap_json
from exchanges.types import Swap
from tests.exchanges.paper.cross_desk import CrossDesk
from tests.exchanges.paper.desk import START

TO_USD = {"inAmount": 100_000, "inAsset": "BTC", "outAsset": "USD"}


def swapped(desk, amount, asset, unit=UsdUnit.DOCUMENTED):
    other = "USD" if asset == "BTC" else "BTC"
    command = SwapAssets(in_amount=Decimal(amount), in_asset=asset, out_asset=other)
    [change] = desk.do(swaps.swap, command, unit=unit)
    return change.the(Swap)


def spread_desk():
    """99,990 bid, 100,010 ask."""
    desk = CrossDesk()
    desk.book.market.terms = Terms(depths=(Depth(500_000, Decimal(20)),))
    return desk


def test_bitcoin_are_sold_at_the_bid_and_bought_at_the_ask():
    desk = spread_desk()
    assert swapped(desk, 100_000, "BTC").out_amount == 99_99
    assert (desk.balance, desk.account.usd) == (9_900_000, 99_99)
    assert swapped(desk, 99_99, "USD").out_amount == 99_980
    assert (desk.balance, desk.account.usd) == (9_999_980, 0)


@pytest.mark.parametrize("sats", [4_001, 4_999, 77_777])
def test_there_and_back_again_never_gains(sats):
    desk = CrossDesk(price=33_333)
    swapped(desk, swapped(desk, sats, "BTC").out_amount, "USD")
    assert 10_000_000 - 3_001 <= desk.balance <= 10_000_000


@pytest.mark.parametrize(
    ("unit", "sent", "answered", "balance"),
    [
        pytest.param(UsdUnit.DOCUMENTED, 2_500, 25, 75, id="cents in, dollars out"),
        pytest.param(UsdUnit.CENTS, 2_500, 2_500, 7_500, id="cents"),
        pytest.param(UsdUnit.DOLLARS, 25, 25, 75, id="dollars"),
    ],
)
def test_one_setting_says_how_dollars_are_written(unit, sent, answered, balance):
    desk = CrossDesk()
    swapped(desk, 100_000, "BTC", unit)
    swap = swapped(desk, sent, "USD", unit)
    assert (swap.in_amount, swap.out_amount) == (2_500, 25_000)
    shown = swap_json(swap, unit=unit)
    assert (shown["inAmount"], shown["outAmount"]) == (answered, 25_000)
    shown = account_json(desk.account, at=START, unit=unit)
    assert shown["syntheticUsdBalance"] == balance


@pytest.mark.parametrize(
    ("amount", "asset", "unit", "message"),
    [
        pytest.param(999, "BTC", UsdUnit.DOCUMENTED, "at least 1000 sats", id="too little"),
        pytest.param(99, "USD", UsdUnit.DOCUMENTED, "at least 1000 sats", id="too few cents"),
        pytest.param(10_000_001, "BTC", UsdUnit.DOCUMENTED, "Insufficient balance", id="poor"),
        pytest.param(101, "USD", UsdUnit.DOCUMENTED, "Insufficient synthetic USD", id="no dollars"),
        pytest.param("1000.5", "BTC", UsdUnit.DOCUMENTED, "in whole sats", id="half a sat"),
        pytest.param("100.5", "USD", UsdUnit.CENTS, "in whole cents", id="half a cent"),
        pytest.param("1.005", "USD", UsdUnit.DOLLARS, "in whole cents", id="a tenth of a cent"),
    ],
)
def test_refused(amount, asset, unit, message):
    desk = CrossDesk()
    with pytest.raises(Refusal, match=message):
        swapped(desk, amount, asset, unit)


def test_over_http(stranger):
    price = stranger.get("/synthetic-usd/best-price").json()
    assert price == {"askPrice": 100_000, "bidPrice": 100_000}
    swap = stranger.post("/synthetic-usd/swap", TO_USD).json()
    expected = {"inAmount": 100_000, "inAsset": "BTC", "outAmount": 100, "outAsset": "USD"}
    assert swap.items() >= expected.items()
    account = stranger.get("/account").json()
    assert (account["balance"], account["syntheticUsdBalance"]) == (9_900_000, 100)
    back = {"inAmount": 5_000, "inAsset": "USD", "outAsset": "BTC"}
    newest = stranger.post("/synthetic-usd/swap", back).json()
    assert (newest["inAmount"], newest["outAmount"]) == (50, 50_000)
    assert stranger.get("/synthetic-usd/swaps").json()["data"] == [newest, swap]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(TO_USD | {"outAsset": "BTC"}, id="the same asset"),
        pytest.param(TO_USD | {"inAsset": "EUR"}, id="another asset"),
        pytest.param(TO_USD | {"inAmount": -1}, id="negative"),
        pytest.param(TO_USD | {"inAmount": "1000"}, id="text"),
    ],
)
def test_bad_bodies(stranger, body):
    answer = stranger.post("/synthetic-usd/swap", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
