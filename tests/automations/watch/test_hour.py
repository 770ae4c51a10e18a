"""An hour of virtual market with random faults, after which the feed knows what the book says.

`HOUR_STEPS` is how many prices it has, `HOUR_TAKES` how many seconds it takes here, `HOUR_SEED`
decides what happens: `make hour`.
"""

import contextlib
import os
import random
import time
from bisect import bisect_left
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests

from exchanges import feed
from exchanges.types import Trade
from tests.automations.conftest import Guarded
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = int(os.environ.get("HOUR_STEPS", "720"))
TAKES = float(os.environ.get("HOUR_TAKES", "15"))
SEED = int(os.environ.get("HOUR_SEED", "1"))
RECOVERY_SECONDS = 90
"""A breaker may rest for half a minute, and its probe may come late."""


class Trader:
    """Trades by hand, at random, while things go wrong."""

    def __init__(self, guarded: Guarded, dice: random.Random) -> None:
        self._control = guarded.paper.control
        self._account = guarded.paper_account.id
        self._dice = dice

    def act(self) -> None:
        """One thing; what the exchange refuses is not done."""
        held = self._control.account(self._account)["trades"]
        acts = [self._open, self._open, self._silence]
        if held:
            trade = self._dice.choice(held)["id"]
            acts += [partial(self._close, trade), partial(self._add, trade)]
        with contextlib.suppress(requests.HTTPError):
            self._dice.choice(acts)()

    def _open(self) -> None:
        self._control.open_trade(
            self._account,
            side=self._dice.choice(["buy", "sell"]),
            leverage=self._dice.randint(2, 80),
            quantity=self._dice.randint(10, 500),
        )

    def _close(self, trade: str) -> None:
        self._control.close_trade(self._account, trade)

    def _add(self, trade: str) -> None:
        self._control.add_margin(self._account, trade, amount=self._dice.randint(100, 5_000))

    def _silence(self) -> None:
        silence = self._control.fault("stream_silent")
        time.sleep(self._dice.uniform(0, 0.5))
        self._control.clear_fault(silence)


def test_after_an_hour_the_feed_equals_the_book(guarded: Guarded, watching):
    control, dice = guarded.paper.control, random.Random(SEED)
    trader, told = Trader(guarded, dice), []
    control.fault("chaos", seed=SEED, probability=0.2, seconds=0.5)
    control.fault("stream_chaos", seed=SEED + 1, probability=0.02, seconds=0.5)
    control.play_scenario(
        "volatile", seed=SEED, steps=STEPS, interval_ms=round(TAKES / STEPS * 1000)
    )
    while control.progress()["playing"]:
        trader.act()
        time.sleep(0.02)
        if ticker := feed.ticker("paper"):
            told.append((ticker.value.at, ticker.value.last_price))
    control.clear_faults()

    await_that(lambda: known(guarded) == book(guarded), RECOVERY_SECONDS)
    assert [at for at, _ in told] == sorted(at for at, _ in told)
    history = prices(control.ledger())
    assert [(at, price) for at, price in told if price not in around(at, history)] == []
    assert len({price for _, price in told}) > 10


def known(guarded: Guarded) -> object:
    """The market and the account as the feed has them."""
    seen = feed.seen("paper", guarded.account.id)
    if seen.ticker is None or seen.holdings is None:
        return None
    trades = {trade.id: of_trade(trade) for trade in seen.holdings.value.trades}
    return seen.ticker.value.last_price, seen.holdings.value.balance, trades


def of_trade(trade: Trade) -> tuple[object, ...]:
    return trade.side, trade.quantity, trade.margin, trade.liquidation_price


def book(guarded: Guarded) -> object:
    """The same by the exchange's own book."""
    control = guarded.paper.control
    account = control.account(guarded.paper_account.id)
    trades = {
        trade["id"]: (
            trade["side"],
            trade["quantity"],
            trade["margin"],
            Decimal(str(trade["liquidation"])),
        )
        for trade in account["trades"]
    }
    return control.price(), account["balance"], trades


History = tuple[list[datetime], list[Decimal]]


def prices(ledger: list[dict[str, Any]]) -> History:
    """Every price of the book, with the moment from which it held."""
    moves = [line for line in ledger if line["kind"] == "price"]
    times = [datetime.fromisoformat(line["at"]) for line in moves]
    return times, [Decimal(str(line["price"])) for line in moves]


def around(at: datetime, history: History) -> set[Decimal]:
    """The prices that may be told as of `at`: the one before, and those of that millisecond."""
    times, moved = history
    first = bisect_left(times, at)
    same = [price for time, price in zip(times[first:], moved[first:], strict=True) if time == at]
    return {*moved[max(first - 1, 0) : first], *same}
