"""Kraken, as `ccxt-kraken`. https://docs.kraken.com/api-reference

Kraken has no window for signatures: what it wants is a nonce that grows with each request of a
key. Several processes that use one key at once can overtake each other, and the later one is
refused (`ClockSkew`, nothing was done): give the key a nonce window of some seconds at Kraken.
"""

import base64
import binascii
from typing import Final

from exchanges.ccxt.dialect import Dialect
from exchanges.client import ExchangeClient
from exchanges.errors import InvalidCredentials, NotSupported, UnreadableAnswer
from exchanges.fields import Fields
from exchanges.guard import Guard
from exchanges.types import Credentials

_ORDER_LISTS: Final = {"OpenOrders": "open", "ClosedOrders": "closed"}
_OF_AN_ORDER: Final = ("status", "opentm", "vol", "vol_exec", "descr")
_OF_A_BALANCE: Final = ("balance", "hold_trade")


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
    result = Fields(answer.value("result"), where=call)
    if call in _ORDER_LISTS:
        _require_each(result.value(_ORDER_LISTS[call]), _OF_AN_ORDER, where=call)
    elif call == "QueryOrders":
        _require_each(answer.value("result"), _OF_AN_ORDER, where=call)
    elif call == "BalanceEx":
        _require_each(answer.value("result"), _OF_A_BALANCE, where=call)
    elif call == "CancelOrder":
        result.integer("count", 1, 1)


def _require_each(values: object, names: tuple[str, ...], *, where: str) -> None:
    if not isinstance(values, dict):
        raise UnreadableAnswer(f"{where}: must be an object")
    for value in values.values():
        fields = Fields(value, where=where)
        for name in names:
            fields.value(name)


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
