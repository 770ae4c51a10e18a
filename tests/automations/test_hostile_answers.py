"""A guard whose exchange has gone mad: no order, no crash, and one alert however long it lasts."""

import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import requests

from accounts.models import Event
from automations import evaluation
from automations.execution import execute
from automations.models import Automation, Intent
from automations.recovery import recover
from exchanges.errors import TransientError
from tests.exchanges.rude_server import Peer, RudeServer, answer, rude_server

pytestmark = pytest.mark.django_db

TICKER, ACCOUNT, RUNNING, ADD = (
    "/v3/futures/ticker",
    "/v3/account",
    "/v3/futures/isolated/trades/running",
    "/v3/futures/isolated/trade/add-margin",
)
NUMBER = re.compile(rb'(?<=":)-?[0-9][0-9.]*')
YEAR = re.compile(rb'(?<=")20[0-9]{2}(?=-[0-9]{2}-[0-9]{2}T)')


def number(written: bytes) -> Callable[[bytes], bytes]:
    """Puts something else in the place of the first number."""
    return lambda body: answer(NUMBER.sub(written, body, count=1))


def everything_twice(body: bytes) -> bytes:
    return answer(body[:-1] + b"," + body[1:])


DAMAGES = {
    "NaN": number(b"NaN"),
    "infinity": number(b"1e999"),
    "minus": number(b"-5"),
    "null": number(b"null"),
    "text": number(b'"5"'),
    "10,000 digits": number(b"9" * 10_000),
    "everything twice": everything_twice,
    "cut short": lambda body: answer(body[:-1]),
    "nothing": lambda body: answer(b""),
    "null alone": lambda body: answer(b"null"),
    "another answer": lambda body: answer(b'"pong"'),
    "deep nesting": lambda body: answer(b"[" * 100_000),
    "a gzip bomb": lambda body: answer(
        gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"}
    ),
    "an error page": lambda body: answer(b"<html>", status=502),
    "from the future": lambda body: answer(YEAR.sub(b"2199", body)),
}
CASES = [
    *((RUNNING, name) for name in DAMAGES),
    *((TICKER, name) for name in ("NaN", "null", "everything twice", "from the future")),
    *((ACCOUNT, name) for name in ("minus", "null alone", "cut short")),
]


class Corrupter:
    """Hands requests on to the paper exchange, and damages the answers of one path."""

    def __init__(self, url: str, server: RudeServer) -> None:
        self._origin = url.removesuffix("/v3")
        self._server = server
        self.path = ""
        self.damage: Callable[[bytes], bytes] = answer

    def __call__(self, peer: Peer) -> None:
        request = peer.request
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        body = requests.request(
            request.method,
            self._origin + request.target,
            headers=headers,
            data=request.body,
            timeout=10,
        ).content
        peer.say(self.damage(body) if request.target == self.path else answer(body))

    def orders(self) -> list[str]:
        return [one.target for one in self._server.received if one.method != "GET"]


@pytest.fixture
def corrupter(guarded) -> Iterator[Corrupter]:
    """Between the guard and its exchange, with a position that needs margin."""
    guarded.fall()
    with rude_server(answer) as server:
        server.behave = corrupter = Corrupter(guarded.paper.url, server)
        exchange = guarded.account.exchange
        exchange.api_url = server.url
        exchange.save()
        yield corrupter


def tick(guarded, slot: int) -> None:
    """What a period brings: a look, and an order to execute, whatever the look has seen."""
    automation = Automation.objects.select_related("account__exchange", "account__user")
    evaluation.look_afresh([(str(guarded.automation.id), f"test:{slot}")])
    with suppress(TransientError):
        execute(automation.get(pk=guarded.automation.pk), slot=f"test:{slot}", cause="tick")


def alerts() -> list[str]:
    events = Event.objects.exclude(severity="info").order_by("id")
    return list(events.values_list("kind", flat=True))


@pytest.mark.parametrize(("path", "name"), CASES, ids=lambda text: text.rpartition("/")[2])
def test_what_cannot_be_read_moves_nothing_and_is_told_once(guarded, corrupter, path, name):
    before = alerts()
    corrupter.path, corrupter.damage = path, DAMAGES[name]
    for slot in range(3):
        tick(guarded, slot)

    assert corrupter.orders() == []
    assert Intent.objects.count() == 0
    told = alerts()[len(before) :]
    assert told.count("automation_blind") == 1
    assert len(told) == len(set(told))
    guarded.automation.refresh_from_db()
    assert guarded.automation.reason_code == "blind"

    corrupter.path = ""
    tick(guarded, 9)
    assert corrupter.orders() == [ADD]


OTHER_TRADE = b'"id":"11111111-2222-4333-8444-555555555555"'
ACT_DAMAGES = {
    **{name: DAMAGES[name] for name in ("NaN", "cut short", "null alone", "an error page")},
    "another account's trade": lambda body: answer(re.sub(rb'"id":"[^"]+"', OTHER_TRADE, body)),
}


@pytest.mark.parametrize("damage", ACT_DAMAGES.values(), ids=ACT_DAMAGES)
def test_an_order_whose_answer_is_damaged_is_sent_once(guarded, corrupter, damage):
    corrupter.path, corrupter.damage = ADD, damage
    for slot in range(3):
        tick(guarded, slot)
    recover(guarded.account)

    assert corrupter.orders() == [ADD]
    assert guarded.effects() == ["add_margin"]
    assert Intent.objects.get().state == "confirmed"
