"""Clients for the tests of the wire: short time-outs, canaries for credentials, a stopped clock."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from exchanges.client import Signature
from exchanges.guard import UNGUARDED, Guard
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.transport import Transport
from exchanges.types import Credentials
from tests.exchanges.lnmarkets.answers import NOW, TRADE_ID
from tests.exchanges.rude_server import Behaviour, Peer

SIGNATURE = Signature(signed_at=NOW - timedelta(seconds=5), deadline=NOW + timedelta(seconds=15))
SECRETS = ("CANARY-KEY-1f2e", "CANARY-SECRET-3d4c", "CANARY-PASSPHRASE-5b6a")


def client_of(
    url: str,
    *,
    clock: Callable[[], datetime] = lambda: NOW,
    total_timeout: float = 10,
    max_idle: float = 60,
    guard: Guard = UNGUARDED,
) -> LNMarketsClient:
    transport = Transport(url, connect_timeout=0.3, total_timeout=total_timeout, max_idle=max_idle)
    credentials = Credentials(*SECRETS)
    return LNMarketsClient(transport, credentials=credentials, guard=guard, clock=clock)


def read(client: LNMarketsClient) -> str:
    return client.account().id


def act(client: LNMarketsClient, trade_id: str = TRADE_ID) -> str:
    return client.isolated.close_trade(trade_id, signature=SIGNATURE).id


def says(data: bytes) -> Behaviour:
    return lambda peer: peer.say(data)


def says_and_hangs_up(data: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.say(data)
        peer.hang_up()

    return behave


def eventually(condition: Callable[[], object]) -> None:
    patience_ends_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < patience_ends_at
        time.sleep(0.005)


def assert_no_secret_in(error: BaseException) -> None:
    """Not in the message, nor in what a crash reporter makes of the traceback and its locals."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(report.format())
    assert not [secret for secret in SECRETS if secret in text]
