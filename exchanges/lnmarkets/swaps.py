"""Synthetic dollars: the routes under `/synthetic-usd`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.client import Signature
from exchanges.guard import Call
from exchanges.lnmarkets.channel import Act, Body, Channel, require
from exchanges.lnmarkets.constants import SWAP_USD
from exchanges.lnmarkets.parse import swaps as parse
from exchanges.types import Asset, BestPrice, NewSwap, Swap


class LNMarketsSwaps:
    """Bitcoin against synthetic dollars. See the port for the errors."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def best_price(self) -> BestPrice:
        call = Call("swaps.best_price", is_public=True)
        return self._channel.read(call, "/synthetic-usd/best-price", parse.best_price)

    def history(self, *, since: datetime) -> Sequence[Swap]:
        path = "/synthetic-usd/swaps"
        return self._channel.pages(Call("swaps.history"), path, parse.SWAPS, since=since)

    def swap(self, order: NewSwap, *, signature: Signature) -> Swap:
        def read(answer: bytes) -> Swap:
            swap = parse.swap(answer)
            require((swap.in_asset, swap.out_asset) == (order.asset, order.into), "pair of assets")
            require(swap.in_amount == order.amount, "amount")
            return swap

        body: Body = {"inAmount": _sent(order), "inAsset": order.asset, "outAsset": order.into}
        act = Act("swaps.swap", "POST", "/synthetic-usd/swap", body)
        return self._channel.act(act, read, signature=signature)


def _sent(order: NewSwap) -> int | Decimal:
    """The amount in the unit in which it travels."""
    if order.asset is Asset.BTC:
        return order.amount
    return Decimal(order.amount) / SWAP_USD.request
