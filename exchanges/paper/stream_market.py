"""What the public topics of the stream tell of the market. Pure."""

from datetime import datetime
from typing import Any, Final

from exchanges.paper.market import Market, next_funding_at
from exchanges.paper.stream_news import PAIR, milliseconds
from exchanges.paper.stream_topics import BUCKETS, CANDLES, FUNDING, INDEX, LAST_PRICE, TICKER
from exchanges.paper.wire_market import bucket_json, candle_json

MARKET_TOPICS: Final = (TICKER, LAST_PRICE, INDEX, BUCKETS, FUNDING, *CANDLES)


def market_data(topic: str, market: Market, *, now: datetime) -> dict[str, Any] | None:
    """What the topic, one of `MARKET_TOPICS`, tells now; None before there is any candle.

    The index is the last price.
    """
    if topic in CANDLES:
        candle = market.candles.latest(CANDLES[topic], now=now)
        if candle is None:
            return None
        return candle_json(candle) | {"time": milliseconds(candle.at)}
    funding = {"rate": market.terms.funding_rate, "time": milliseconds(next_funding_at(now))}
    if topic == FUNDING:
        return {"pair": PAIR, "current": funding}
    buckets = [bucket_json(bucket) for bucket in market.terms.buckets(market.price)]
    price = market.price
    told: dict[str, dict[str, Any]] = {
        TICKER: {"lastPrice": price, "index": price, "funding": funding},
        LAST_PRICE: {"lastPrice": price},
        INDEX: {"index": price},
        BUCKETS: {"buckets": buckets},
    }
    return {"time": milliseconds(now)} | told[topic]
