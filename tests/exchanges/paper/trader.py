"""A client of the paper exchange that signs as the specification says, and nothing more."""

import time
from urllib.parse import urlencode, urlsplit

import requests

from exchanges.paper import javascript
from exchanges.paper.auth import sign

TIMEOUT_SECONDS = 10
ISOLATED = "/futures/isolated"


class Trader:
    """Signs for one account; answers are `requests.Response`, whatever their status.

    Its clock is `ahead` seconds ahead.
    """

    def __init__(self, url, credentials, *, ahead=0):
        self._url = url
        self._credentials = credentials
        self._ahead = ahead

    def get(self, path, **query):
        return self.send("GET", path, query=f"?{urlencode(query)}" if query else "")

    def post(self, path, body=None):
        return self.send("POST", path, body="" if body is None else javascript.stringify(body))

    def put(self, path, body):
        return self.send("PUT", path, body=javascript.stringify(body))

    def delete(self, path, **query):
        return self.send("DELETE", path, query=f"?{urlencode(query)}")

    def open(self, **order):
        """A market order for 1,000 USD at 10x, unless told otherwise; answers its JSON."""
        size = {} if "margin" in order else {"quantity": 1000}
        order = {"type": "market", "side": "buy", "leverage": 10} | size | order
        answer = self.post(f"{ISOLATED}/trade", order)
        assert answer.ok, answer.text
        return answer.json()

    def send(self, method, path, *, query="", body="", chunked=False, signed=None, timeout=None):
        data = body.encode()
        return requests.request(
            method,
            self._url + path + query,
            data=iter([data[:5], data[5:]]) if chunked else data or None,
            headers=self.headers(
                method, path, data=signed if signed is not None else body or query
            ),
            timeout=timeout or TIMEOUT_SECONDS,
        )

    def headers(self, method, path, *, data=""):
        """Who signs, and what for."""
        timestamp = str(int((time.time() + self._ahead) * 1000))
        signature = sign(
            secret=self._credentials.secret,
            timestamp=timestamp,
            method=method,
            path=urlsplit(self._url).path + path,
            data=data,
        )
        return {
            "lnm-access-key": self._credentials.key,
            "lnm-access-passphrase": self._credentials.passphrase,
            "lnm-access-timestamp": timestamp,
            "lnm-access-signature": signature,
        }
