"""Swaps of bitcoin and synthetic dollars. On the wire dollars may have another unit: `SWAP_USD`."""

from decimal import Decimal

from exchanges.errors import UnreadableAnswer
from exchanges.fields import Fields, load
from exchanges.lnmarkets.constants import MAX_SATS, MAX_USD, SWAP_USD
from exchanges.lnmarkets.parse.lists import Kind
from exchanges.lnmarkets.parse.plausible import price
from exchanges.types import Asset, BestPrice, Swap


def best_price(body: bytes) -> BestPrice:
    """What a swap would be done at now."""
    fields = Fields(load(body), where="prices")
    best = BestPrice(ask=price(fields, "askPrice"), bid=price(fields, "bidPrice"))
    if best.bid > best.ask:
        raise UnreadableAnswer("prices: the bid must not be above the ask")
    return best


def swap(body: bytes) -> Swap:
    """The swap just done, which carries no time."""
    return _swap(Fields(load(body), where="swap"), dated=False)


def _swap(fields: Fields, *, dated: bool) -> Swap:
    in_asset, out_asset = fields.choice("inAsset", Asset), fields.choice("outAsset", Asset)
    if in_asset is out_asset:
        raise UnreadableAnswer("a swap must be from one asset into the other")
    return Swap(
        id=fields.uuid("id"),
        in_amount=_amount(fields, "inAmount", in_asset),
        in_asset=in_asset,
        out_amount=_amount(fields, "outAmount", out_asset),
        out_asset=out_asset,
        created_at=fields.time("createdAt") if dated else None,
    )


def _amount(fields: Fields, name: str, asset: Asset) -> int:
    """Whole sats, or whole cents."""
    if asset is Asset.BTC:
        return fields.integer(name, 0, MAX_SATS)
    cents = fields.number(name, Decimal(0), MAX_USD) * SWAP_USD.answer
    if cents != cents.to_integral_value():
        raise UnreadableAnswer(f"{name}: must be whole cents")
    return int(cents)


SWAPS = Kind("swaps", lambda fields: _swap(fields, dated=True), lambda swap: swap.id)
