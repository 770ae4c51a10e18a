"""The cross-margin position of one account, and everything that can become of it. Pure.

There is one position per account, flat or not. Orders net into it: adding averages the entry
harmonically, reducing realises the P&L of what is reduced into the margin, and an order larger
than the position turns it round, the rest entering at the order's price.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

ENTRY_TICK = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Position:
    """`quantity` in USD, positive when long, negative when short; `margin` and fees in sats.

    `realised`, `trading_fees` and `funding_fees` add up over the life of the account, so that
    the margin is always what was deposited + `realised` − both fees.
    """

    id: str
    updated_at: datetime
    quantity: int = 0
    margin: int = 0
    leverage: int = 1
    entry_price: Decimal | None = None
    realised: int = 0
    trading_fees: int = 0
    funding_fees: int = 0
