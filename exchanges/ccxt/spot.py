"""Balances and orders of a spot account, by way of ccxt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from exchanges.ccxt import parse
from exchanges.ccxt.channel import Channel
from exchanges.client import Signature
from exchanges.errors import ExchangeError, UnknownOutcome, UnreadableAnswer
from exchanges.guard import Call
from exchanges.types import BestPrice, NewSpotOrder, OrderType, SpotBalance, SpotOrder

_MAX_PAGES: Final = 200


class CcxtSpot:
    """See the port for the errors.

    An exchange answers an act with an id and little else, so what became of the order is asked
    for afterwards. If that gets no answer the act is of unknown outcome, although it was accepted.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def best_price(self, symbol: str) -> BestPrice:
        call = Call("spot.best_price", is_public=True)
        return self._channel.read(call, lambda ccxt: ccxt.fetch_ticker(symbol), parse.best_price)

    def balances(self) -> Sequence[SpotBalance]:
        call = Call("spot.balances")
        return self._channel.read(call, lambda ccxt: ccxt.fetch_balance(), parse.balances)

    def open_orders(self, symbol: str) -> Sequence[SpotOrder]:
        call = Call("spot.open_orders")
        return self._channel.read(call, lambda ccxt: ccxt.fetch_open_orders(symbol), parse.orders)

    def closed_orders(self, symbol: str, *, since: datetime) -> Sequence[SpotOrder]:
        """Those that were filled or taken back since then, whole or in part."""
        found: dict[str, SpotOrder] = {}
        offset = 0
        for _ in range(_MAX_PAGES):
            page = self._closed_page(since, offset)
            if not page:
                return sorted(found.values(), key=lambda one: one.created_at, reverse=True)
            ours = parse.orders([one for one in page if one["symbol"] == symbol])
            found.update((one.id, one) for one in ours)
            offset += len(page)
        raise UnreadableAnswer(f"The list does not end after {_MAX_PAGES} pages.")

    def order(self, order_id: str, symbol: str) -> SpotOrder:
        def read(answer: object) -> SpotOrder:
            order = parse.order(answer)
            _require((order.id, order.symbol) == (order_id, symbol))
            return order

        call = Call("spot.order")
        return self._channel.read(call, lambda ccxt: ccxt.fetch_order(order_id, symbol), read)

    def new_order(self, order: NewSpotOrder, *, signature: Signature) -> SpotOrder:
        """What does not fit the market is cut to its steps: the amount down, the price to one."""

        def ask(ccxt: Any) -> object:
            label = {"clientOrderId": order.client_id} if order.client_id else {}
            price = None if order.price is None else format(order.price, "f")
            amount = format(order.amount, "f")
            return ccxt.create_order(
                order.symbol, order.type.value, order.side.value, amount, price, label
            )

        order_id = self._channel.act("spot.new_order", ask, parse.order_id, signature=signature)
        made = self._after_act(order_id, order.symbol)
        if not _is_as_asked(made, order):
            raise UnknownOutcome("The order that was made is another than was asked for.")
        return made

    def cancel_order(self, order_id: str, symbol: str, *, signature: Signature) -> SpotOrder:
        self._channel.act(
            "spot.cancel_order",
            lambda ccxt: ccxt.cancel_order(order_id, symbol),
            lambda _answer: None,
            signature=signature,
        )
        return self._after_act(order_id, symbol)

    def _closed_page(self, since: datetime, offset: int) -> list[Any]:
        """Of all markets, since a page that is empty is the only sign of the last one."""
        asked = {"start": int(since.timestamp()), "closetime": "close", "ofs": offset}

        def read(answer: object) -> list[Any]:
            if not isinstance(answer, list):
                raise UnreadableAnswer("orders: must be a list")
            return answer

        call = Call("spot.closed_orders")
        return self._channel.read(call, lambda ccxt: ccxt.fetch_closed_orders(params=asked), read)

    def _after_act(self, order_id: str, symbol: str) -> SpotOrder:
        try:
            return self.order(order_id, symbol)
        except ExchangeError as error:
            raise UnknownOutcome(
                f"It was accepted, but what became of the order is not known. {error}"
            ) from None


def _is_as_asked(made: SpotOrder, asked: NewSpotOrder) -> bool:
    return (
        (made.side, made.type) == (asked.side, asked.type)
        and made.amount <= asked.amount
        and made.client_id == asked.client_id
        and (made.price is not None) == (asked.type is OrderType.LIMIT)
    )


def _require(as_asked: bool) -> None:
    if not as_asked:
        raise UnreadableAnswer("The answer is about another order.")
