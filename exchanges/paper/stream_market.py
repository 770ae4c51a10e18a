"""What the public topics of the stream tell of the market. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from exchanges.paper import wire_market
from exchanges.paper.book import Book
from exchanges.paper.stream_news import PAIR, milliseconds
from exchanges.paper.stream_topics import BUCKETS, CANDLES, FUNDING, INDEX, LAST_PRICE, TICKER

MARKET_TOPICS: Final = (TICKER, LAST_PRICE, INDEX, BUCKETS, FUNDING, *CANDLES)


def market_data(topic: str, book: Book, *, now: datetime) -> dict[str, Any] | None:
    """What the topic tells now; None where there is nothing to tell."""
    ticker = wire_market.ticker_json(book.market, at=now)
    at = {"time": milliseconds(now)}
    match topic:
        case _ if topic == LAST_PRICE:
            return at | {"lastPrice": ticker["lastPrice"]}
        case _ if topic == INDEX:
            return at | {"index": ticker["index"]}
        case _ if topic == BUCKETS:
            return at | {"buckets": ticker["prices"]}
        case _ if topic == FUNDING:
            return {"pair": PAIR, "current": _funding(ticker)}
        case _ if topic == TICKER:
            prices = {name: ticker[name] for name in ("lastPrice", "index")}
            return at | prices | {"funding": _funding(ticker)}
    return None


def _funding(ticker: Mapping[str, Any]) -> dict[str, Any]:
    next_at = datetime.fromisoformat(ticker["fundingTime"])
    return {"rate": ticker["fundingRate"], "time": milliseconds(next_at)}
