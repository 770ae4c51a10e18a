"""A client of the paper exchange's stream that speaks as the specification says."""

import json
import secrets
import time
from itertools import count

import websocket

from exchanges.paper.auth import sign_stream

TIMEOUT_SECONDS = 5


class Listener:
    """One connection; `pending` are the news that came while something else was awaited."""

    def __init__(self, origin):
        self.url = origin.replace("http", "ws", 1) + "/v1"
        self.socket = websocket.create_connection(self.url, timeout=TIMEOUT_SECONDS)
        self._ids = count(1)
        self.pending = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown()

    def send(self, method, params=None, **frame):
        """Only send; answers the id."""
        request = {"jsonrpc": "2.0", "id": f"{next(self._ids):016x}", "method": method} | frame
        self.socket.send(json.dumps(request | ({} if params is None else {"params": params})))
        return request["id"]

    def ask(self, method, params=None, **frame):
        """The whole answer."""
        request_id = self.send(method, params, **frame)
        while True:
            answer = self.receive()
            if "method" not in answer:
                assert answer["id"] == request_id
                return answer
            self.pending.append(answer)

    def call(self, method, **params):
        """The result; fails on an error."""
        answer = self.ask(method, params or None)
        assert "result" in answer, answer
        return answer["result"]

    def authenticate(self, credentials, **altered):
        """The whole answer; `altered` replaces what was signed."""
        return self.ask("authenticate", authentication(credentials) | altered)

    def hear(self, *topics):
        """Subscribe."""
        assert self.call("subscribe", topics=list(topics)) == {"subscribed": list(topics)}

    def next(self, *, topic=None):
        """The data of the next news, of that topic if one is named; keeps the others."""
        while True:
            for news in self.pending:
                if topic in (None, news["params"]["topic"]):
                    self.pending.remove(news)
                    return news["params"]["data"]
            self.pending.append(self.receive())

    def receive(self):
        """The next frame, as JSON."""
        return json.loads(self.socket.recv())


def authentication(credentials, *, nonce=None):
    """The params of `authenticate`, signed now."""
    timestamp = int(time.time() * 1000)
    nonce = nonce or secrets.token_hex(16)
    return {
        "key": credentials.key,
        "passphrase": credentials.passphrase,
        "timestamp": timestamp,
        "nonce": nonce,
        "signature": sign_stream(secret=credentials.secret, timestamp=timestamp, nonce=nonce),
    }
