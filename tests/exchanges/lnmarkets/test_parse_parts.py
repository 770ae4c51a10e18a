"""Reading the answers of cross margin, swaps and the market's past."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.errors import UnreadableAnswer
from exchanges.lnmarkets.constants import UsdUnits
from exchanges.lnmarkets.parse import cross, isolated, lists, market, swaps
from exchanges.types import (
    Asset,
    BestPrice,
    Bucket,
    Candle,
    CrossOrder,
    CrossPosition,
    FundingFee,
    FundingSettlement,
    OrderStatus,
    OrderType,
    Side,
    Swap,
    Transfer,
)
from tests.exchanges.lnmarkets.answers import (
    BEST_PRICE,
    CANCELED_ORDER,
    CANDLE,
    FILLED_ORDER,
    FLAT_POSITION,
    FUNDING_FEE,
    OPEN_ORDER,
    ORDER_ID,
    PAST_SWAP,
    POSITION,
    SETTLEMENT,
    SWAP_TO_BTC,
    SWAP_TO_USD,
    TICKER,
    TRADE_ID,
    TRANSFER,
    as_json,
    page_of,
    without,
)

AT = datetime(2026, 11, 20, 11, tzinfo=UTC)
FUNDED_AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
MILLISECOND = datetime(2026, 11, 20, 11, 0, 0, 1000, tzinfo=UTC)


def one(kind: lists.Kind, document: object) -> object:
    (item,) = lists.page(as_json(page_of(document)), kind).items.values()
    return item


def test_a_cross_order():
    assert cross.order(as_json(FILLED_ORDER)) == CrossOrder(
        id=ORDER_ID,
        type=OrderType.MARKET,
        side=Side.BUY,
        status=OrderStatus.FILLED,
        quantity=1000,
        price=Decimal(100000),
        trading_fee=1000,
        created_at=AT,
        filled_at=MILLISECOND,
        canceled_at=None,
        client_id=None,
    )


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (OPEN_ORDER, OrderStatus.OPEN),
        (FILLED_ORDER, OrderStatus.FILLED),
        (FILLED_ORDER | {"type": "liquidation"}, OrderStatus.FILLED),
        (CANCELED_ORDER, OrderStatus.CANCELED),
    ],
)
def test_every_status_of_an_order(document, status):
    assert cross.order(as_json(document)).status is status
    (listed,) = lists.whole(as_json([document]), cross.orders(status))
    assert listed.status is status


def test_a_short_position():
    assert cross.position(as_json(POSITION)) == CrossPosition(
        id=POSITION["id"],
        quantity=-1000,
        margin=500_000,
        leverage=10,
        entry_price=Decimal(100000),
        liquidation_price=Decimal(199402),
        initial_margin=100_000,
        running_margin=100_000,
        maintenance_margin=1500,
        total_pl=-250,
        delta_pl=0,
        funding_fees=-12,
        trading_fees=1000,
        updated_at=AT,
    )


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        (FLAT_POSITION, "entry_price", None),
        (FLAT_POSITION, "liquidation_price", None),
        (POSITION | {"liquidation": 0}, "liquidation_price", None),
        (POSITION | {"quantity": 15_000_000}, "quantity", 15_000_000),
    ],
    ids=["flat", "flat, no liquidation", "never liquidated", "the largest"],
)
def test_plausible_positions(document, field, value):
    assert getattr(cross.position(as_json(document)), field) == value


READ = {
    "a candle": (
        lambda: one(market.CANDLES, CANDLE),
        Candle(
            at=datetime(2026, 11, 20, 11, 59, tzinfo=UTC),
            open=Decimal(100000),
            high=Decimal("100010.5"),
            low=Decimal(99990),
            close=Decimal(100005),
            volume=Decimal("12345.5"),
        ),
    ),
    "a settlement": (
        lambda: one(market.FUNDING_SETTLEMENTS, SETTLEMENT),
        FundingSettlement(SETTLEMENT["id"], FUNDED_AT, Decimal("0.0001"), Decimal(60000)),
    ),
    "a fee": (
        lambda: one(isolated.FUNDING_FEES, FUNDING_FEE),
        FundingFee(1667, SETTLEMENT["id"], FUNDED_AT, TRADE_ID),
    ),
    "a fee received, on cross margin": (
        lambda: one(cross.FUNDING_FEES, FUNDING_FEE | {"fee": -7, "tradeId": None}),
        FundingFee(-7, SETTLEMENT["id"], FUNDED_AT, None),
    ),
    "a withdrawal": (lambda: one(cross.TRANSFERS, TRANSFER), Transfer(TRANSFER["id"], -500, AT)),
    "best prices": (
        lambda: swaps.best_price(as_json(BEST_PRICE)),
        BestPrice(ask=Decimal("100000.5"), bid=Decimal("99999.5")),
    ),
    "a swap to dollars": (
        lambda: swaps.swap(as_json(SWAP_TO_USD)),
        Swap(SWAP_TO_USD["id"], 100_000, Asset.BTC, 9999, Asset.USD, None),
    ),
    "a swap to bitcoin": (
        lambda: swaps.swap(as_json(SWAP_TO_BTC)),
        Swap(SWAP_TO_BTC["id"], 1234, Asset.USD, 12_339, Asset.BTC, None),
    ),
    "a swap of the past": (
        lambda: one(swaps.SWAPS, PAST_SWAP),
        Swap(PAST_SWAP["id"], 100_000, Asset.BTC, 9999, Asset.USD, AT),
    ),
    "a bucket nobody quotes": (
        lambda: market.ticker(as_json(TICKER | {"prices": [{"minSize": 5, "maxSize": 5}]})).buckets,
        (Bucket(5, 5, ask=None, bid=None),),
    ),
}


@pytest.mark.parametrize(("read", "value"), READ.values(), ids=READ)
def test_what_is_read(read, value):
    assert read() == value


def test_dollars_may_travel_in_another_unit(monkeypatch):
    monkeypatch.setattr(swaps, "SWAP_USD", UsdUnits(request=1, answer=1))

    assert swaps.swap(as_json(SWAP_TO_BTC | {"inAmount": 1234})).in_amount == 1234
    with pytest.raises(UnreadableAnswer, match="whole cents"):
        swaps.swap(as_json(SWAP_TO_BTC))


def refused_order(document: object) -> None:
    cross.order(as_json(document))


def refused_position(document: object) -> None:
    cross.position(as_json(document))


def refused_swap(document: object) -> None:
    swaps.swap(as_json(document))


def refused_in(kind: lists.Kind):
    return lambda document: one(kind, document)


REFUSED = {
    "order in no state": (refused_order, FILLED_ORDER | {"filled": False}, "an order must be one"),
    "order in two states": (refused_order, FILLED_ORDER | {"open": True}, "an order must be one"),
    "order of nothing": (refused_order, FILLED_ORDER | {"quantity": 0}, "order.quantity: must"),
    "order of a fraction": (
        refused_order,
        FILLED_ORDER | {"quantity": 1.5},
        "order.quantity: must",
    ),
    "order paid for": (refused_order, FILLED_ORDER | {"tradingFee": -1}, "order.tradingFee: must"),
    "order without side": (refused_order, without(FILLED_ORDER, "side"), "order.side: is missing"),
    "filled among the open": (
        refused_in(cross.orders(OrderStatus.OPEN)),
        FILLED_ORDER,
        "orders: must all be open",
    ),
    "a position without entry": (
        refused_position,
        POSITION | {"entryPrice": None},
        "position.entryPrice: must be there",
    ),
    "too large a position": (
        refused_position,
        POSITION | {"quantity": 15_000_001},
        "position.quantity: must be an integer from -15000000 to 15000000",
    ),
    "half a leverage": (refused_position, POSITION | {"leverage": 2.5}, "position.leverage: must"),
    "margin of less than nothing": (refused_position, POSITION | {"margin": -1}, "position.margin"),
    "swap into itself": (refused_swap, SWAP_TO_USD | {"inAsset": "USD"}, "a swap must be from one"),
    "swap of half a cent": (refused_swap, SWAP_TO_BTC | {"inAmount": 1.005}, "inAmount: must be w"),
    "swap of half a sat": (refused_swap, SWAP_TO_USD | {"inAmount": 0.5}, "swap.inAmount: must be"),
    "swap of another asset": (refused_swap, SWAP_TO_USD | {"outAsset": "EUR"}, "swap.outAsset"),
    "swap of the past without time": (
        refused_in(swaps.SWAPS),
        SWAP_TO_USD,
        r"swaps\[0\].createdAt: is missing",
    ),
    "bid above ask": (
        lambda document: swaps.best_price(as_json(document)),
        {"askPrice": 1, "bidPrice": 2},
        "prices: the bid must not be above the ask",
    ),
    "a candle with its close above its high": (
        refused_in(market.CANDLES),
        CANDLE | {"close": 100011},
        "a candle must have its prices between low and high",
    ),
    "a candle with its open below its low": (
        refused_in(market.CANDLES),
        CANDLE | {"open": 99989.5},
        "a candle must have its prices between low and high",
    ),
    "a candle of less than nothing": (
        refused_in(market.CANDLES),
        CANDLE | {"volume": -1},
        r"candles\[0\].volume: must be from 0",
    ),
    "a rate of 200 %": (
        refused_in(market.FUNDING_SETTLEMENTS),
        SETTLEMENT | {"fundingRate": 2},
        r"settlements\[0\].fundingRate: must be from -1 to 1",
    ),
    "buckets upside down": (
        lambda document: market.ticker(as_json(document)),
        TICKER | {"prices": [{"minSize": 2, "maxSize": 1}]},
        r"prices\[0\].maxSize: must be an integer from 2",
    ),
    "no buckets": (
        lambda document: market.ticker(as_json(document)),
        without(TICKER, "prices"),
        "ticker.prices: is missing",
    ),
}


@pytest.mark.parametrize(("read", "document", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(read, document, said):
    with pytest.raises(UnreadableAnswer, match=f"^{said}"):
        read(document)


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (market.CANDLES, CANDLE),
        (market.FUNDING_SETTLEMENTS, SETTLEMENT),
        (isolated.FUNDING_FEES, FUNDING_FEE),
        (cross.FUNDING_FEES, FUNDING_FEE),
        (cross.TRANSFERS, TRANSFER),
        (cross.orders(OrderStatus.FILLED), FILLED_ORDER),
        (swaps.SWAPS, PAST_SWAP),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_nothing_stands_on_a_page_twice(kind, document):
    with pytest.raises(UnreadableAnswer, match="twice"):
        lists.page(as_json(page_of(document, document)), kind)


def test_one_settlement_costs_each_trade_a_fee():
    other = FUNDING_FEE | {"tradeId": ORDER_ID}
    fees = lists.page(as_json(page_of(FUNDING_FEE, other)), isolated.FUNDING_FEES).items

    assert [fee.trade_id for fee in fees.values()] == [TRADE_ID, ORDER_ID]
