"""The account behind a key."""

from decimal import Decimal

from exchanges.fields import Fields, load
from exchanges.lnmarkets.constants import MAX_FEE_TIER, MAX_USD
from exchanges.lnmarkets.parse.plausible import sats
from exchanges.types import AccountInfo


def account(body: bytes) -> AccountInfo:
    """What is free, in sats and in synthetic dollars."""
    fields = Fields(load(body), where="account")
    return AccountInfo(
        id=fields.uuid("id"),
        username=fields.text("username", longest=200),
        balance=sats(fields, "balance"),
        fee_tier=fields.integer("feeTier", 0, MAX_FEE_TIER),
        usd=fields.number("syntheticUsdBalance", Decimal(0), MAX_USD),
    )
