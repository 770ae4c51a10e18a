"""Every call of the adapter: what it sends, and an answer to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from exchanges.client import Signature
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.types import Asset, CandleRange, NewCrossOrder, NewSwap, NewTrade, OrderType, Side
from tests.exchanges.lnmarkets.answers import (
    ACCOUNT,
    BEST_PRICE,
    CANCELED,
    CANCELED_ORDER,
    CANDLE,
    CLOSED,
    FILLED_ORDER,
    FLAT_POSITION,
    FUNDING_FEE,
    OPEN,
    OPEN_ORDER,
    ORDER_ID,
    OTHER_TRADE_ID,
    PAST_SWAP,
    POSITION,
    RUNNING,
    SETTLEMENT,
    SWAP_TO_BTC,
    SWAP_TO_USD,
    TICKER,
    TRADE_ID,
    TRANSFER,
    page_of,
)

LIMIT = NewTrade(
    side=Side.BUY,
    type=OrderType.LIMIT,
    leverage=Decimal("10.0"),
    quantity=9,
    price=Decimal("0.50"),
    client_id="axisor:1",
)
MARKET = NewTrade(
    side=Side.BUY,
    type=OrderType.MARKET,
    leverage=Decimal("2.5"),
    margin=100,
    stop_loss=Decimal("85000.0"),
)

CROSS_LIMIT = NewCrossOrder(
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=1000,
    price=Decimal("90000.50"),
    client_id="axisor:1",
)

TRADE, CROSS = "/v3/futures/isolated/trade", "/v3/futures/cross"
ON_TRADE = f'{{"id":"{TRADE_ID}"}}'

Act = Callable[[LNMarketsClient, Signature], object]
ACTS: dict[str, tuple[Act, object, str, str, str]] = {
    "market order": (
        lambda c, s: c.isolated.new_trade(MARKET, signature=s),
        RUNNING,
        "POST",
        TRADE,
        '{"side":"buy","type":"market","leverage":2.5,"margin":100,"stoploss":85000}',
    ),
    "limit order": (
        lambda c, s: c.isolated.new_trade(LIMIT, signature=s),
        OPEN | {"quantity": 9},
        "POST",
        TRADE,
        '{"side":"buy","type":"limit","leverage":10,"quantity":9,"price":0.5,"clientId":"axisor:1"}',
    ),
    "close": (
        lambda c, s: c.isolated.close_trade(TRADE_ID, signature=s),
        CLOSED,
        "POST",
        f"{TRADE}/close",
        ON_TRADE,
    ),
    "cancel": (
        lambda c, s: c.isolated.cancel_trade(TRADE_ID, signature=s),
        CANCELED,
        "POST",
        f"{TRADE}/cancel",
        ON_TRADE,
    ),
    "cancel all": (
        lambda c, s: c.isolated.cancel_all_trades(signature=s),
        [CANCELED],
        "POST",
        f"{TRADE}s/cancel-all",
        "",
    ),
    "add margin": (
        lambda c, s: c.isolated.add_margin(TRADE_ID, amount=5000, signature=s),
        RUNNING,
        "POST",
        f"{TRADE}/add-margin",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "cash in": (
        lambda c, s: c.isolated.cash_in(TRADE_ID, amount=5000, signature=s),
        RUNNING,
        "POST",
        f"{TRADE}/cash-in",
        f'{{"id":"{TRADE_ID}","amount":5000}}',
    ),
    "stop loss": (
        lambda c, s: c.isolated.set_stop_loss(TRADE_ID, price=Decimal("95000.0"), signature=s),
        RUNNING | {"stoploss": 95_000},
        "PUT",
        f"{TRADE}/stoploss",
        f'{{"id":"{TRADE_ID}","value":95000}}',
    ),
    "no stop loss": (
        lambda c, s: c.isolated.set_stop_loss(TRADE_ID, price=None, signature=s),
        RUNNING,
        "DELETE",
        f"{TRADE}/stoploss?id={TRADE_ID}",
        "",
    ),
    "trailing stop": (
        lambda c, s: c.isolated.set_trailing_stop(TRADE_ID, distance=Decimal("0.10"), signature=s),
        RUNNING,
        "PUT",
        f"{TRADE}/stoploss",
        f'{{"id":"{TRADE_ID}","value":0.1,"mode":"trailing"}}',
    ),
    "take profit": (
        lambda c, s: c.isolated.set_take_profit(TRADE_ID, price=Decimal("120000.5"), signature=s),
        OPEN | {"takeprofit": 120_000.5},
        "PUT",
        f"{TRADE}/takeprofit",
        f'{{"id":"{TRADE_ID}","value":120000.5}}',
    ),
    "no take profit": (
        lambda c, s: c.isolated.set_take_profit(TRADE_ID, price=None, signature=s),
        OPEN,
        "DELETE",
        f"{TRADE}/takeprofit?id={TRADE_ID}",
        "",
    ),
    "cross order": (
        lambda c, s: c.cross.new_order(CROSS_LIMIT, signature=s),
        OPEN_ORDER,
        "POST",
        f"{CROSS}/order",
        '{"side":"buy","quantity":1000,"type":"limit","price":90000.5,"clientId":"axisor:1"}',
    ),
    "cancel cross order": (
        lambda c, s: c.cross.cancel_order(ORDER_ID, signature=s),
        CANCELED_ORDER,
        "POST",
        f"{CROSS}/order/cancel",
        f'{{"id":"{ORDER_ID}"}}',
    ),
    "cancel all cross orders": (
        lambda c, s: c.cross.cancel_all_orders(signature=s),
        [CANCELED_ORDER],
        "POST",
        f"{CROSS}/orders/cancel-all",
        "",
    ),
    "close position": (
        lambda c, s: c.cross.close_position(signature=s),
        FILLED_ORDER,
        "POST",
        f"{CROSS}/position/close",
        "",
    ),
    "leverage": (
        lambda c, s: c.cross.set_leverage(10, signature=s),
        POSITION,
        "PUT",
        f"{CROSS}/leverage",
        '{"leverage":10}',
    ),
    "deposit": (
        lambda c, s: c.cross.deposit(5000, signature=s),
        POSITION,
        "POST",
        f"{CROSS}/deposit",
        '{"amount":5000}',
    ),
    "withdraw": (
        lambda c, s: c.cross.withdraw(5000, signature=s),
        FLAT_POSITION,
        "POST",
        f"{CROSS}/withdraw",
        '{"amount":5000}',
    ),
    "swap to dollars": (
        lambda c, s: c.swaps.swap(NewSwap(100_000, Asset.BTC), signature=s),
        SWAP_TO_USD,
        "POST",
        "/v3/synthetic-usd/swap",
        '{"inAmount":100000,"inAsset":"BTC","outAsset":"USD"}',
    ),
    "swap to bitcoin": (
        lambda c, s: c.swaps.swap(NewSwap(1234, Asset.USD), signature=s),
        SWAP_TO_BTC,
        "POST",
        "/v3/synthetic-usd/swap",
        '{"inAmount":1234,"inAsset":"USD","outAsset":"BTC"}',
    ),
}

SINCE = datetime(2026, 11, 20, 13, 30, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
UNTIL = datetime(2026, 11, 20, 13, tzinfo=UTC)
FROM = "from=2026-11-20T12%3A30%3A00.123Z"

Read = Callable[[LNMarketsClient], object]
READS: dict[str, tuple[Read, object, str]] = {
    "account": (lambda c: c.account(), ACCOUNT, "/account"),
    "open trades": (lambda c: c.isolated.open_trades(), [OPEN], "/futures/isolated/trades/open"),
    "running trades": (
        lambda c: c.isolated.running_trades(),
        [RUNNING],
        "/futures/isolated/trades/running",
    ),
    "closed trades": (
        lambda c: c.isolated.closed_trades(since=SINCE),
        page_of(CLOSED),
        f"/futures/isolated/trades/closed?{FROM}&limit=500",
    ),
    "canceled trades": (
        lambda c: c.isolated.canceled_trades(since=SINCE),
        page_of(CANCELED),
        f"/futures/isolated/trades/canceled?{FROM}&limit=500",
    ),
    "funding fees": (
        lambda c: c.isolated.funding_fees(since=SINCE),
        page_of(FUNDING_FEE, FUNDING_FEE | {"tradeId": OTHER_TRADE_ID}),
        f"/futures/isolated/funding-fees?{FROM}&limit=500",
    ),
    "position": (lambda c: c.cross.position(), POSITION, "/futures/cross/position"),
    "open orders": (lambda c: c.cross.open_orders(), [OPEN_ORDER], "/futures/cross/orders/open"),
    "filled orders": (
        lambda c: c.cross.filled_orders(since=SINCE),
        page_of(FILLED_ORDER),
        f"/futures/cross/orders/filled?{FROM}&limit=500",
    ),
    "transfers": (
        lambda c: c.cross.transfers(since=SINCE),
        page_of(TRANSFER),
        f"/futures/cross/transfers?{FROM}&limit=500",
    ),
    "cross funding fees": (
        lambda c: c.cross.funding_fees(since=SINCE),
        page_of(FUNDING_FEE | {"tradeId": None}),
        f"/futures/cross/funding-fees?{FROM}&limit=500",
    ),
    "swaps": (
        lambda c: c.swaps.history(since=SINCE),
        page_of(PAST_SWAP),
        f"/synthetic-usd/swaps?{FROM}&limit=500",
    ),
}
PUBLIC_READS: dict[str, tuple[Read, object, str]] = {
    "ping": (lambda c: c.ping(), "pong", "/ping"),
    "time": (lambda c: c.time(), {"time": "2026-11-20T12:00:00Z"}, "/time"),
    "ticker": (lambda c: c.ticker(), TICKER, "/futures/ticker"),
    "best price": (lambda c: c.swaps.best_price(), BEST_PRICE, "/synthetic-usd/best-price"),
    "candles": (
        lambda c: c.candles(CandleRange.H4, since=SINCE, until=UNTIL),
        page_of(CANDLE),
        f"/futures/candles?{FROM}&limit=1000&to=2026-11-20T13%3A00%3A00.000Z&range=4h",
    ),
    "settlements": (
        lambda c: c.funding_settlements(since=SINCE),
        page_of(SETTLEMENT),
        f"/futures/funding-settlements?{FROM}&limit=500",
    ),
}
ALL_READS = READS | PUBLIC_READS
