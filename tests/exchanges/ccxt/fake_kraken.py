"""A small Kraken on a local port: real HTTP, its signatures, its nonces, its words, and faults.

It has one market, BTC/USD. A market order fills at once, a limit order when it crosses. What it
was asked and what it has done is there to be counted.
"""

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_bytes, token_hex
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from exchanges.types import Credentials

PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
    "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5,
    "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [],
    "leverage_sell": [], "fees": [[0, 0.26]], "fees_maker": [[0, 0.16]],
    "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.0001",
    "costmin": "0.5", "tick_size": "0.1", "status": "online",
}  # fmt: skip
ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
}
SPREAD = Decimal("0.1")
PAGE = 50
ACTS = ("AddOrder", "CancelOrder")


class Declined(Exception):
    """Said in the list of errors, with status 200 as Kraken does."""


@dataclass
class Account:
    """One key, and what it may spend; `orders` by id, oldest first."""

    key: str
    secret: bytes
    balances: dict[str, Decimal]
    nonce: int = 0
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: int = 0

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.key, base64.b64encode(self.secret).decode(), "")


@dataclass(frozen=True)
class Fault:
    """What becomes of a request: `answer` (status, body) or a cut, executed before or not."""

    answer: tuple[int, bytes] | None = None
    executed: bool = False
    call: str = ""


class FakeKraken:
    """The exchange behind the port."""

    def __init__(self) -> None:
        self.price = Decimal("100000.0")
        self.accounts: dict[str, Account] = {}
        self.asked: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.bend: Callable[[str, Any], Any] = lambda _call, result: result
        self.lock = Lock()
        self.url = ""

    def open_account(self, *, btc: str = "0.01", usd: str = "0") -> Account:
        balances = {"XXBT": Decimal(btc), "ZUSD": Decimal(usd)}
        account = Account(token_hex(28), token_bytes(64), balances)
        self.accounts[account.key] = account
        return account

    def public(self, call: str, query: Mapping[str, str]) -> Any:
        match call:
            case "Time":
                return {"unixtime": int(time.time()), "rfc1123": "whenever"}
            case "Assets":
                return ASSETS
            case "AssetPairs":
                return {"XXBTZUSD": PAIR}
            case "Ticker":
                return {"XXBTZUSD": self._ticker()}
            case "OHLC":
                return self._candles(int(query["interval"]))
        raise Declined("EGeneral:Unknown method")

    def private(self, call: str, account: Account, form: Mapping[str, str]) -> Any:
        match call:
            case "BalanceEx":
                return self._balances(account)
            case "AddOrder":
                return self._add(account, form)
            case "CancelOrder":
                return self._cancel(account, form["txid"])
            case "OpenOrders":
                return {"open": self._orders(account, {"open"})}
            case "ClosedOrders":
                return self._closed(account, form)
            case "QueryOrders":
                if form["txid"] not in account.orders:
                    raise Declined("EOrder:Invalid order")
                return {form["txid"]: account.orders[form["txid"]]}
        raise Declined("EGeneral:Unknown method")

    def _ticker(self) -> dict[str, Any]:
        price, day = str(self.price), [str(self.price)] * 2
        ask, bid = str(self.price + SPREAD), str(self.price - SPREAD)
        return {
            "a": [ask, "1", "1.000"], "b": [bid, "1", "1.000"], "c": [price, "0.01"],
            "v": ["10", "20"], "p": day, "t": [1, 2], "l": day, "h": day, "o": price,
        }  # fmt: skip

    def _candles(self, minutes: int) -> dict[str, Any]:
        now = int(time.time()) // (60 * minutes) * 60 * minutes
        price = str(self.price)
        starts = range(now - 719 * 60 * minutes, now + 1, 60 * minutes)
        rows = [[start, price, price, price, price, price, "1.5", 3] for start in starts]
        return {"XXBTZUSD": rows, "last": now}

    def _balances(self, account: Account) -> dict[str, Any]:
        return {
            asset: {"balance": str(held), "hold_trade": str(self._held(account, asset))}
            for asset, held in account.balances.items()
        }

    def _held(self, account: Account, asset: str) -> Decimal:
        return sum((_cost(o, asset) for o in self._orders(account, {"open"}).values()), Decimal(0))

    def _orders(self, account: Account, statuses: set[str]) -> dict[str, Any]:
        return {i: one for i, one in account.orders.items() if one["status"] in statuses}

    def _closed(self, account: Account, form: Mapping[str, str]) -> dict[str, Any]:
        over = self._orders(account, {"closed", "canceled"})
        since = float(form.get("start", "0"))
        recent = [i for i in reversed(over) if over[i]["closetm"] >= since]
        offset = int(form.get("ofs", "0"))
        page = recent[offset : offset + PAGE]
        return {"closed": {i: over[i] for i in page}, "count": len(recent)}

    def _add(self, account: Account, form: Mapping[str, str]) -> dict[str, Any]:
        order = self._order(form)
        for asset in account.balances:
            if _cost(order, asset) > account.balances[asset] - self._held(account, asset):
                raise Declined("EOrder:Insufficient funds")
        order_id = f"O{token_hex(2)}-{token_hex(2)}-{token_hex(3)}".upper()
        account.orders[order_id] = order
        if order["descr"]["ordertype"] == "market" or self._crosses(order):
            self.fill(account, order_id)
        account.done += 1
        return {"txid": [order_id], "descr": {"order": order["descr"]["order"]}}

    def _order(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form["pair"] != "XXBTZUSD":
            raise Declined("EQuery:Unknown asset pair")
        if Decimal(form["volume"]) < Decimal(PAIR["ordermin"]):
            raise Declined("EGeneral:Invalid arguments:volume minimum not met")
        price = form.get("price", "0")
        words = f"{form['type']} {form['volume']} XBTUSD @ {form['ordertype']}"
        described = {
            "pair": "XBTUSD", "type": form["type"], "ordertype": form["ordertype"],
            "price": price, "price2": "0", "leverage": "none", "close": "",
            "order": words if price == "0" else f"{words} {price}",
        }  # fmt: skip
        return {
            "refid": None, "userref": None, "cl_ord_id": form.get("cl_ord_id"), "status": "open",
            "opentm": time.time(), "vol": form["volume"], "vol_exec": "0.00000000",
            "cost": "0.00000", "fee": "0.00000", "price": "0.00000", "stopprice": "0.00000",
            "limitprice": "0.00000", "misc": "", "oflags": "fciq", "descr": described,
            "at": str(self.price),
        }  # fmt: skip

    def _crosses(self, order: Mapping[str, Any]) -> bool:
        price = Decimal(order["descr"]["price"])
        is_buy = order["descr"]["type"] == "buy"
        return price >= self.price + SPREAD if is_buy else price <= self.price - SPREAD

    def fill(self, account: Account, order_id: str) -> None:
        order = account.orders[order_id]
        volume, sign = Decimal(order["vol"]), 1 if order["descr"]["type"] == "buy" else -1
        price = self.price + sign * SPREAD
        account.balances["XXBT"] += sign * volume
        account.balances["ZUSD"] -= sign * volume * price
        order |= {"status": "closed", "vol_exec": order["vol"], "price": str(price)}
        order |= {"cost": str(volume * price), "closetm": time.time()}

    def _cancel(self, account: Account, order_id: str) -> dict[str, Any]:
        if account.orders.get(order_id, {}).get("status") != "open":
            raise Declined("EOrder:Unknown order")
        account.orders[order_id] |= {"status": "canceled", "closetm": time.time()}
        account.done += 1
        return {"count": 1}


def fingerprint(key: str) -> str:
    """The id of the account with this key, as the client has it."""
    return hashlib.sha256(f"kraken:{key}".encode()).hexdigest()[:32]


def _cost(order: Mapping[str, Any], asset: str) -> Decimal:
    """What an open order holds of an asset."""
    volume, price = Decimal(order["vol"]), Decimal(order["descr"]["price"]) or Decimal(order["at"])
    if order["descr"]["type"] == "buy":
        return volume * price if asset == "ZUSD" else Decimal(0)
    return volume if asset == "XXBT" else Decimal(0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kraken: FakeKraken

    def do_GET(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        self._serve(lambda call: self.kraken.public(call, query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body))
        self._serve(lambda call: self.kraken.private(call, self._signer(body, form), form))

    def _serve(self, do: Callable[[str], Any]) -> None:
        call = urlsplit(self.path).path.rpartition("/")[2]
        with self.kraken.lock:
            self.kraken.asked[call] += 1
            fault = self._fault(call)
            answer = b"" if fault and not fault.executed else self._answer(call, do)
        if fault is None:
            self._say(200, answer)
        elif fault.answer:
            self._say(*fault.answer)
        else:
            self.close_connection = True

    def _fault(self, call: str) -> Fault | None:
        faults = self.kraken.faults
        return faults.pop(0) if faults and faults[0].call in ("", call) else None

    def _answer(self, call: str, do: Callable[[str], Any]) -> bytes:
        try:
            told = {"error": [], "result": self.kraken.bend(call, do(call))}
        except Declined as declined:
            told = {"error": [str(declined)]}
        return json.dumps(told).encode()

    def _signer(self, body: str, form: Mapping[str, str]) -> Account:
        account = self.kraken.accounts.get(self.headers["API-Key"])
        if account is None:
            raise Declined("EAPI:Invalid key")
        digest = hashlib.sha256((form["nonce"] + body).encode()).digest()
        signed = hmac.new(account.secret, self.path.encode() + digest, hashlib.sha512).digest()
        if base64.b64encode(signed).decode() != self.headers["API-Sign"]:
            raise Declined("EAPI:Invalid signature")
        if int(form["nonce"]) <= account.nonce:
            raise Declined("EAPI:Invalid nonce")
        account.nonce = int(form["nonce"])
        return account

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def fake_kraken() -> Iterator[FakeKraken]:
    kraken = FakeKraken()
    handler = type("Handler", (_Handler,), {"kraken": kraken})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    kraken.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kraken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
