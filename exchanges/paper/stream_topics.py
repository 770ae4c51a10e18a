"""The topics of the stream, as LN Markets names them, and the scope each private one needs."""

from collections.abc import Mapping
from typing import Final

from exchanges.paper.scopes import Scope
from exchanges.types import CandleRange

INSTRUMENT: Final = "futures/inverse/btc_usd"
ANNOUNCEMENTS: Final = "announcements"
TICKER: Final = f"{INSTRUMENT}/ticker"
LAST_PRICE: Final = f"{INSTRUMENT}/lastPrice"
INDEX: Final = f"{INSTRUMENT}/index"
BUCKETS: Final = f"{INSTRUMENT}/buckets"
FUNDING: Final = f"{INSTRUMENT}/funding"
DEPOSIT: Final = "wallet/deposit"
WITHDRAWAL: Final = "wallet/withdrawal"
ISOLATED_TRADES: Final = f"{INSTRUMENT}/isolated/trades"
CROSS_ORDERS: Final = f"{INSTRUMENT}/cross/orders"
CROSS_POSITION: Final = f"{INSTRUMENT}/cross/position"

CANDLES: Final[Mapping[str, CandleRange]] = {
    f"{INSTRUMENT}/ohlc/{span}": span for span in CandleRange
}
"""The range of the candles of each topic that has some."""

SCOPES: Final[Mapping[str, Scope]] = {
    DEPOSIT: Scope.DEPOSITS_READ,
    WITHDRAWAL: Scope.WITHDRAWALS_READ,
    ISOLATED_TRADES: Scope.ISOLATED_READ,
    CROSS_ORDERS: Scope.CROSS_READ,
    CROSS_POSITION: Scope.CROSS_READ,
}
"""What a key needs to hear the private topics."""

TOPICS: Final = frozenset(
    (ANNOUNCEMENTS, TICKER, LAST_PRICE, INDEX, BUCKETS, FUNDING, *CANDLES, *SCOPES)
)
