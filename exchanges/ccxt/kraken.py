"""Kraken, as `ccxt-kraken`. https://docs.kraken.com/api-reference

Kraken has no window for signatures: what it wants is a nonce that grows with each request of a
key. Several processes that use one key at once can overtake each other, and the later one is
refused (`ClockSkew`, nothing was done): give the key a nonce window of some seconds at Kraken.
"""

import base64
import binascii
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from exchanges.ccxt.dialect import Dialect
from exchanges.ccxt.numerals import LARGEST, number
from exchanges.client import ExchangeClient
from exchanges.errors import InvalidCredentials, NotSupported, UnreadableAnswer
from exchanges.fields import Fields
from exchanges.guard import Guard
from exchanges.types import Credentials

_ORDER_LISTS: Final = {"OpenOrders": "open", "ClosedOrders": "closed"}


def connect(*, base_url: str, credentials: Credentials | None, guard: Guard) -> ExchangeClient:
    """A client for Kraken's spot markets. Raises `NotSupported` where ccxt is not installed."""
    try:
        from exchanges.ccxt.client import CcxtClient
    except ModuleNotFoundError as error:
        if error.name != "ccxt":
            raise
        raise NotSupported(
            "Kraken needs the library ccxt: pip install 'axisor[ccxt]', then start again."
        ) from None
    return CcxtClient.connect(KRAKEN, base_url, credentials=credentials, guard=guard)


def _require_usable(credentials: Credentials) -> None:
    if credentials.passphrase:
        raise InvalidCredentials("Kraken's keys have no passphrase: leave it blank.")
    try:
        base64.b64decode(credentials.secret, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidCredentials("The secret is not one of Kraken's: copy all of it.") from None


def _said(document: object) -> str:
    errors = document.get("error") if isinstance(document, dict) else None
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], str) else ""


def _require_whole(path: str, document: object) -> None:
    answer = Fields(document, where="answer")
    if answer.value("error") != []:
        raise UnreadableAnswer("answer.error: must be a list of nothing")
    call = path.rpartition("/")[2]
    result = answer.value("result")
    if call in _ORDER_LISTS:
        result = Fields(result, where=call).value(_ORDER_LISTS[call])
    if call in _ORDER_LISTS or call == "QueryOrders":
        _require_each(result, _require_order, where=call)
    elif call == "BalanceEx":
        _require_each(result, _require_balance, where=call)
    elif call == "CancelOrder":
        Fields(result, where=call).integer("count", 1, 1)
    else:
        Fields(result, where=call)


def _require_each(values: object, require: Callable[[Fields], None], *, where: str) -> None:
    if not isinstance(values, dict):
        raise UnreadableAnswer(f"{where}: must be an object")
    for value in values.values():
        require(Fields(value, where=where))


def _require_order(order: Fields) -> None:
    for name in ("vol", "vol_exec"):
        number(order, name, Decimal(0), LARGEST)
    if not Fields(order.value("descr"), where="descr").text("pair", longest=32):
        raise UnreadableAnswer("descr.pair: must not be blank")


def _require_balance(balance: Fields) -> None:
    for name in ("balance", "hold_trade"):
        number(balance, name, Decimal(0), LARGEST)


KRAKEN: Final = Dialect(
    id="kraken",
    name="Kraken",
    market="BTC/USD",
    exact={"EAPI:Invalid signature": "AuthenticationError"},
    broad={
        "EOrder:": "InvalidOrder",
        "EGeneral:Invalid arguments": "BadRequest",
        "EAPI:Bad request": "BadRequest",
    },
    require_usable=_require_usable,
    said=_said,
    require_whole=_require_whole,
)
