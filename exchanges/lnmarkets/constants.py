"""LN Markets' published figures, and ours for talking to it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

MAINNET_URL = "https://api.lnmarkets.com/v3"
SIGNET_URL = "https://api.signet.lnmarkets.com/v3"

REQUEST_WINDOW = timedelta(seconds=30)
"""A signature this far from the exchange's clock is refused."""

JUST_OUTSIDE = timedelta(seconds=1)
"""How far outside the window a signature is made to see whether it is refused."""

MAX_QUANTITY = 500_000
"""USD in one trade."""

MIN_LEVERAGE, MAX_LEVERAGE = Decimal("0.0001"), Decimal(10_000)
"""What a trade may be reported with. Orders go from 1 to 100, but funding is paid from the margin,
so a running trade can stand above what it was ordered with: exactly when it must stay readable."""

MAX_ORDER_LEVERAGE = 100

MAX_CROSS_QUANTITY = 15_000_000
"""USD in the cross-margin position, at a leverage of 1; it shrinks as the leverage grows."""

MAX_SATS = 2_100_000_000_000_000
"""All bitcoin there will ever be; a larger amount is a mistake."""

MAX_USD = Decimal(10_000_000_000_000)
"""More than anybody has, even counted in cents."""

MAX_VOLUME = Decimal(1_000_000_000_000)
"""USD traded during one candle."""

MAX_BUCKET = 1_000_000_000
"""USD at the upper end of a range of order sizes."""

MAX_FEE_TIER = 9
MAX_CLIENT_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class UsdUnits:
    """How many cents the number 1 stands for in the USD amount of a swap."""

    request: int
    answer: int


SWAP_USD = UsdUnits(request=1, answer=100)
"""Cents are sent and dollars come back, as the documentation of the official SDK 0.2.0 for Python
has it. Other official sources disagree: see a swap of 1,000 sats on signet before trusting it."""

PAGE_SIZE, CANDLES_PER_PAGE = 500, 1000
"""The exchange allows 1,000, but of trades these would fill the size limit below."""

MAX_PAGES = 200
LIST_TIMEOUT = timedelta(seconds=120)
"""For all pages of a list together, waiting for their turn included."""

DEFAULT_RETRY_AFTER = 1.0
MAX_RETRY_AFTER = 3600.0
"""Seconds to wait after a 429 which does not say, and at most, whatever it says."""
