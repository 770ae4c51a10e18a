"""Isolated trades and cross margin, in every state they can be in."""

from tests.sdk.runner import each, page, shows
from tests.sdk.story import MARKET_ORDER, START, UNKNOWN_ID, Stage

ISOLATED, CROSS = "futures.isolated", "futures.cross"
LIMIT_ORDER = MARKET_ORDER | {"type": "limit", "price": 90_000}
CROSS_ORDER = {"type": "market", "side": "buy", "quantity": 1000}
CROSS_LIMIT = CROSS_ORDER | {"type": "limit", "price": 90_000}


def no_trades(stage: Stage) -> None:
    """Lists and histories with nothing in them."""
    run = stage.run
    for call in ("getOpenTrades", "getRunningTrades", "cancelAll"):
        run.ok(f"{ISOLATED}.{call}", holds=lambda answer: answer == [])
    for call in ("getClosedTrades", "getCanceledTrades", "getFundingFees"):
        run.ok(f"{ISOLATED}.{call}", holds=page(0))


def open_trades(stage: Stage) -> None:
    """Limit orders, until they are cancelled."""
    run = stage.run
    order = LIMIT_ORDER | {"clientId": "sdk"}
    state = shows(open=True, running=False, filledAt=None, openingFee=0, clientId="sdk")
    trade = {"id": run.ok(f"{ISOLATED}.newTrade", order, holds=state)["id"]}
    run.ok(f"{ISOLATED}.getOpenTrades", holds=each(**trade, type="limit"))
    stop = trade | {"value": 85_000}
    run.ok(f"{ISOLATED}.updateStoploss", stop, holds=shows(stoploss=85_000))
    run.ok(f"{ISOLATED}.removeStoploss", trade, holds=shows(stoploss=0))
    goal = trade | {"value": 95_000.5}
    run.ok(f"{ISOLATED}.updateTakeprofit", goal, holds=shows(takeprofit=95_000.5))
    run.ok(f"{ISOLATED}.removeTakeprofit", trade, holds=shows(takeprofit=0))
    run.ok(f"{ISOLATED}.cancel", trade, holds=shows(canceled=True, open=False, filledAt=None))
    run.refused(f"{ISOLATED}.cancel", trade, code="BAD_REQUEST")
    by_margin = {"type": "limit", "side": "sell", "margin": 20_000, "leverage": 7.5}
    for price in (110_000, 120_000.5):
        run.ok(f"{ISOLATED}.newTrade", by_margin | {"price": price}, holds=shows(margin=20_000))
    run.ok(f"{ISOLATED}.cancelAll", holds=each(canceled=True, running=False))
    run.ok(f"{ISOLATED}.getCanceledTrades", {"limit": 2}, holds=page(2, more=True, canceled=True))


def running_trade(stage: Stage) -> None:
    """A trade, and everything that can be done to it."""
    run = stage.run
    order = MARKET_ORDER | {"stoploss": 95_000, "takeprofit": 110_000}
    state = shows(running=True, open=False, entryPrice=START, stoploss=95_000, closedAt=None)
    trade = {"id": run.ok(f"{ISOLATED}.newTrade", order, holds=state)["id"]}
    run.ok(f"{ISOLATED}.getRunningTrades", holds=each(**trade, closingFee=0, exitPrice=None))
    more = trade | {"amount": 5000}
    run.ok(f"{ISOLATED}.addMargin", more, holds=shows(margin=105_000))
    run.ok(f"{ISOLATED}.cashIn", more, holds=shows(margin=100_000, sumCashInMargin=5000))
    run.ok(f"{ISOLATED}.updateStoploss", trade | {"value": 96_000})
    run.refused(f"{ISOLATED}.updateStoploss", trade | {"value": 200_000}, code="BAD_REQUEST")
    if run.has(f"{ISOLATED}.removeStoploss"):
        trailing = trade | {"value": 0.05, "mode": "trailing"}
        state = shows(stoplossTrailingDistance=0.05)
        run.ok(f"{ISOLATED}.updateStoploss", trailing, holds=state)
        run.ok(f"{ISOLATED}.removeStoploss", trade, holds=shows(stoplossTrailingDistance=0))
    run.ok(f"{ISOLATED}.updateTakeprofit", trade | {"value": 120_000})
    run.ok(f"{ISOLATED}.updateTakeprofit", trade | {"value": 0}, holds=shows(takeprofit=0))
    run.ok(f"{ISOLATED}.close", trade, holds=shows(closed=True, running=False, exitPrice=START))
    run.refused(f"{ISOLATED}.close", {"id": UNKNOWN_ID}, code="BAD_REQUEST", says="own")


def ended_trades(stage: Stage) -> None:
    """Trades that the price opens and ends, and their history."""
    run, control = stage.run, stage.control
    new = f"{ISOLATED}.newTrade"
    run.ok(new, MARKET_ORDER | {"takeprofit": 101_000, "quantity": 10_000})
    control.set_price(101_000)
    run.ok(new, MARKET_ORDER | {"stoploss": 100_000})
    run.ok(new, MARKET_ORDER | {"side": "sell", "leverage": 100})
    run.ok(new, LIMIT_ORDER | {"price": 95_000})
    control.set_price(95_000)
    run.ok(f"{ISOLATED}.getRunningTrades", holds=lambda answer: len(answer) == 2)
    control.set_price(103_000)
    run.ok(f"{ISOLATED}.getRunningTrades", holds=each(type="limit", price=95_000, side="buy"))
    control.set_price(START)
    get = f"{ISOLATED}.getClosedTrades"
    newest = run.ok(get, {"limit": 1}, holds=page(1, more=True, closed=True, exitPrice=102_020))
    run.ok(get, {"limit": 10, "cursor": newest["nextCursor"]}, holds=page(3, closed=True))
    run.ok(
        get, {"from": "2020-01-01T00:00:00.000Z", "to": "2020-01-02T00:00:00.000Z"}, holds=page(0)
    )
    run.refused(get, {"cursor": "nonsense"}, code="BAD_REQUEST", says="cursor")
    run.ok("futures.getLeaderboard", holds=lambda answer: answer["all-time"][0]["pl"] > 0)


def flat_position(stage: Stage) -> None:
    """Cross margin before anything has happened."""
    run = stage.run
    flat = shows(quantity=0, entryPrice=None, liquidation=None, margin=0)
    run.ok(f"{CROSS}.getPosition", holds=flat)
    for call in ("getOpenOrders", "cancelAll"):
        run.ok(f"{CROSS}.{call}", holds=lambda answer: answer == [])
    for call in ("getFilledOrders", "getTransfers", "getFundingFees"):
        run.ok(f"{CROSS}.{call}", holds=page(0))
    run.refused(f"{CROSS}.close", code="BAD_REQUEST")
    run.refused(f"{CROSS}.newOrder", CROSS_ORDER, code="BAD_REQUEST")


def open_orders(stage: Stage) -> None:
    """Limit orders on the position, until they are cancelled."""
    run = stage.run
    run.ok(f"{CROSS}.deposit", {"amount": 500_000}, holds=shows(margin=500_000))
    run.ok(f"{CROSS}.setLeverage", {"leverage": 20}, holds=shows(leverage=20))
    state = shows(open=True, filled=False, tradingFee=0, filledAt=None, clientId="sdk")
    order = run.ok(f"{CROSS}.newOrder", CROSS_LIMIT | {"clientId": "sdk"}, holds=state)
    run.ok(f"{CROSS}.getOpenOrders", holds=each(id=order["id"], canceled=False))
    run.ok(f"{CROSS}.cancel", {"id": order["id"]}, holds=shows(canceled=True, open=False))
    run.refused(f"{CROSS}.cancel", {"id": order["id"]}, code="BAD_REQUEST")
    for price in (80_000, 85_000.5):
        run.ok(f"{CROSS}.newOrder", CROSS_LIMIT | {"price": price}, holds=shows(price=price))
    run.ok(f"{CROSS}.cancelAll", holds=each(canceled=True, filledAt=None))


def position(stage: Stage) -> None:
    """Long, longer by a limit order, short, flat again."""
    run, control = stage.run, stage.control
    state = shows(filled=True, open=False, type="market", price=START)
    run.ok(f"{CROSS}.newOrder", CROSS_ORDER, holds=state)
    run.ok(f"{CROSS}.getPosition", holds=shows(quantity=1000, entryPrice=START))
    run.ok(f"{CROSS}.newOrder", CROSS_LIMIT | {"price": 99_000}, holds=shows(open=True))
    control.set_price(99_000)
    control.set_price(START)
    run.ok(f"{CROSS}.getPosition", holds=shows(quantity=2000))
    run.ok(f"{CROSS}.newOrder", CROSS_ORDER | {"side": "sell", "quantity": 3000})
    run.ok(f"{CROSS}.getPosition", holds=shows(quantity=-1000))
    run.ok(f"{CROSS}.close", holds=shows(filled=True, side="buy", quantity=1000, clientId=None))
    run.ok(f"{CROSS}.withdraw", {"amount": 100_000})
    run.refused(f"{CROSS}.withdraw", {"amount": 2_000_000}, code="BAD_REQUEST")
    newest = run.ok(f"{CROSS}.getFilledOrders", {"limit": 3}, holds=page(3, more=True, filled=True))
    rest = {"limit": 3, "cursor": newest["nextCursor"]}
    run.ok(f"{CROSS}.getFilledOrders", rest, holds=page(1, type="market"))
    run.ok(f"{CROSS}.getTransfers", {"limit": 1}, holds=page(1, more=True, amount=-100_000))


def liquidated_position(stage: Stage) -> None:
    """All of the margin is lost, and the exchange's own order is in the history."""
    run, control = stage.run, stage.control
    run.ok(f"{CROSS}.setLeverage", {"leverage": 100})
    run.ok(f"{CROSS}.newOrder", CROSS_ORDER | {"quantity": 10_000})
    control.set_price(80_000)
    control.set_price(START)
    run.ok(f"{CROSS}.getPosition", holds=shows(quantity=0, entryPrice=None))
    run.ok(f"{CROSS}.getFilledOrders", {"limit": 1}, holds=page(1, more=True, type="liquidation"))


def funding(stage: Stage) -> None:
    """Two fundings go by; the clock is set back to ours, so that signatures stay good."""
    run, control = stage.run, stage.control
    control.set_terms(funding_rate="0.0001")
    run.ok(f"{ISOLATED}.newTrade", MARKET_ORDER)
    run.ok(f"{CROSS}.deposit", {"amount": 500_000})
    run.ok(f"{CROSS}.newOrder", CROSS_ORDER | {"side": "sell"})
    control.move_clock(advance_seconds=16 * 3600)
    control.fault("clock_skew", skew=-16 * 3600)
    settlements = run.ok("futures.getFundingSettlements", {"limit": 1}, holds=page(1, more=True))
    rest = {"limit": 5, "cursor": settlements["nextCursor"]}
    run.ok("futures.getFundingSettlements", rest, holds=page(1, fundingRate=0.0001))
    fees = run.ok(f"{ISOLATED}.getFundingFees", {"limit": 1}, holds=page(1, more=True, fee=100))
    trade_id = fees["data"][0]["tradeId"]
    run.ok(f"{ISOLATED}.getFundingFees", {"tradeId": trade_id}, holds=page(2, tradeId=trade_id))
    run.ok(f"{CROSS}.getFundingFees", {"limit": 5}, holds=page(2, fee=-100, tradeId=None))
