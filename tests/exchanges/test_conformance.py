"""What the platform relies on, shown of every adapter over real HTTP.

To try an adapter, name it in `ADAPTERS` with a function that makes a client of a running
exchange whose state the test can look into. The exchange is the judge: its ledger says what was
done, whatever the client says.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.client import ExchangeClient, Signature
from exchanges.errors import (
    ClockSkew,
    ExchangeError,
    InvalidCredentials,
    NotSent,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from exchanges.types import Credentials, NewTrade, OrderType, Side, Trade, TradeStatus
from tests.paper_server import PaperServer, serving

ADAPTERS: dict[str, Callable[[PaperServer, Credentials | None], ExchangeClient]] = {
    "lnmarkets": lambda paper, credentials: registry.connect(
        "lnmarkets", base_url=paper.url, credentials=credentials
    ),
}

BALANCE = 1_000_000
LONG = NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(10), margin=10_000)
LIMIT = NewTrade(
    side=Side.SELL,
    type=OrderType.LIMIT,
    leverage=Decimal("2.5"),
    quantity=100,
    price=Decimal("110000.5"),
    client_id="Zürich ⚡ 1",
)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class World:
    """An exchange, a client of one account there, and what the exchange has accepted from it."""

    paper: PaperServer
    client: ExchangeClient
    connect: Callable[[Credentials | None], ExchangeClient]
    credentials: Credentials
    account_id: str

    def done(self) -> list[str]:
        return [
            entry["kind"]
            for entry in self.paper.control.ledger()
            if entry["account"] == self.account_id and entry["by"] == "api"
        ]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory) -> Iterator[PaperServer]:
    with serving(tmp_path_factory.mktemp("paper") / "ledger.jsonl") as server:
        yield server


@pytest.fixture(params=ADAPTERS.values(), ids=ADAPTERS)
def world(request, exchange) -> World:
    """An account of its own for the test, at an exchange that all of them share."""
    exchange.control.clear_faults()
    account = exchange.control.create_account(balance=BALANCE, username="satoshi")

    def connect(credentials: Credentials | None) -> ExchangeClient:
        return request.param(exchange, credentials)

    return World(exchange, connect(account.credentials), connect, account.credentials, account.id)


def signed_now() -> Signature:
    now = datetime.now(UTC)
    return Signature(signed_at=now, deadline=now + timedelta(seconds=20))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


ACTS: dict[str, Callable[[ExchangeClient, str, Signature], Trade]] = {
    "new_trade": lambda c, _, s: c.new_trade(LONG, signature=s),
    "close": lambda c, i, s: c.close_trade(i, signature=s),
    "cancel": lambda c, i, s: c.cancel_trade(i, signature=s),
    "add_margin": lambda c, i, s: c.add_margin(i, amount=1000, signature=s),
    "cash_in": lambda c, i, s: c.cash_in(i, amount=100, signature=s),
    "stop_loss": lambda c, i, s: c.set_stop_loss(i, price=Decimal(95_000), signature=s),
    "take_profit": lambda c, i, s: c.set_take_profit(i, price=Decimal(120_000), signature=s),
}
READS: dict[str, Callable[[ExchangeClient], object]] = {
    "account": lambda c: c.account(),
    "open": lambda c: c.open_trades(),
    "running": lambda c: c.running_trades(),
    "closed": lambda c: c.closed_trades(since=long_ago()),
    "canceled": lambda c: c.canceled_trades(since=long_ago()),
}
each_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
each_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


def a_trade_for(world: World, act: object) -> str:
    """A trade that `act` can be done to; the ledger is told by hand, so not by the client."""
    if act is ACTS["cancel"]:
        order = {"type": "limit", "price": 90_000, "side": "buy", "leverage": 10, "margin": 10_000}
    else:
        order = {"side": "buy", "leverage": 10, "margin": 10_000}
    return world.paper.control.open_trade(world.account_id, **order)["id"]


# Reads


def test_what_anybody_may_ask(world):
    anybody = world.connect(None)

    anybody.ping()
    assert abs(anybody.time() - datetime.now(UTC)) < timedelta(seconds=5)
    ticker = anybody.ticker()
    assert ticker.last_price == world.paper.control.price()
    assert abs(ticker.at - datetime.now(UTC)) < timedelta(seconds=5)


def test_account(world):
    account = world.client.account()

    assert (account.id, account.username) == (world.account_id, "satoshi")
    assert account.balance == BALANCE


def test_the_window_of_a_signature_is_declared(world):
    assert world.client.request_window is None or world.client.request_window > timedelta(0)


@each_read
def test_reads_without_credentials(world, read):
    with pytest.raises(InvalidCredentials):
        read(world.connect(None))


@each_read
@pytest.mark.parametrize("wrong", ["key", "secret", "passphrase"])
def test_reads_with_a_wrong_credential(world, read, wrong):
    with pytest.raises(InvalidCredentials):
        read(world.connect(spoiled(world.credentials, wrong)))


def spoiled(credentials: Credentials, wrong: str) -> Credentials:
    parts = {name: getattr(credentials, name) for name in ("key", "secret", "passphrase")}
    return Credentials(**parts | {wrong: "something-else"})


@each_read
def test_a_read_that_gets_no_answer(world, read):
    world.paper.control.fault("cut_before")

    with pytest.raises(Unavailable):
        read(world.client)
    read(world.client)


def test_nothing_yet(world):
    assert list(world.client.running_trades()) == []
    assert list(world.client.closed_trades(since=long_ago())) == []


# Acts


def test_a_market_order(world):
    trade = world.client.new_trade(LONG, signature=signed_now())

    assert (trade.status, trade.side, trade.type) == (TradeStatus.RUNNING, Side.BUY, LONG.type)
    assert (trade.margin, trade.leverage) == (10_000, 10)
    assert trade.client_id is None
    assert list(world.client.running_trades()) == [trade]
    assert list(world.client.open_trades()) == []
    paid = trade.margin + trade.maintenance_margin + trade.opening_fee
    assert world.client.account().balance == BALANCE - paid
    assert world.done() == ["new_trade"]


def test_a_limit_order_and_its_end(world):
    trade = world.client.new_trade(LIMIT, signature=signed_now())

    assert (trade.status, trade.price, trade.quantity) == (TradeStatus.OPEN, LIMIT.price, 100)
    assert trade.client_id == LIMIT.client_id
    assert list(world.client.open_trades()) == [trade]

    canceled = world.client.cancel_trade(trade.id, signature=signed_now())

    assert canceled.status is TradeStatus.CANCELED
    assert list(world.client.canceled_trades(since=trade.created_at)) == [canceled]
    assert list(world.client.open_trades()) == []
    assert world.client.account().balance == BALANCE


def test_stops_given_with_the_order(world):
    order = NewTrade(
        side=Side.SELL,
        type=OrderType.MARKET,
        leverage=Decimal("12.5"),
        quantity=50,
        stop_loss=Decimal("101000.5"),
        take_profit=Decimal(99_000),
        client_id="axisor:1",
    )
    trade = world.client.new_trade(order, signature=signed_now())

    assert (trade.stop_loss, trade.take_profit) == (order.stop_loss, order.take_profit)
    assert (trade.quantity, trade.client_id) == (50, "axisor:1")


def test_add_margin(world):
    trade = world.client.new_trade(LONG, signature=signed_now())
    balance = world.client.account().balance

    richer = world.client.add_margin(trade.id, amount=5_000, signature=signed_now())

    assert richer.margin == trade.margin + 5_000
    assert richer.leverage < trade.leverage
    assert richer.liquidation_price < trade.liquidation_price
    assert world.client.account().balance == balance - 5_000
    assert world.done() == ["new_trade", "add_margin"]


def test_cash_in(world):
    trade = world.client.new_trade(LONG, signature=signed_now())

    poorer = world.client.cash_in(trade.id, amount=1_000, signature=signed_now())

    assert poorer.margin < trade.margin
    assert poorer.sum_cash_in_pl + poorer.sum_cash_in_margin == 1_000


def test_stop_loss_and_take_profit(world):
    trade = world.client.new_trade(LONG, signature=signed_now())

    world.client.set_stop_loss(trade.id, price=Decimal("95000.5"), signature=signed_now())
    world.client.set_take_profit(trade.id, price=Decimal(120_000), signature=signed_now())

    (guarded,) = world.client.running_trades()
    assert (guarded.stop_loss, guarded.take_profit) == (Decimal("95000.5"), Decimal(120_000))


def test_close(world):
    trade = world.client.new_trade(LONG, signature=signed_now())

    closed = world.client.close_trade(trade.id, signature=signed_now())

    assert (closed.id, closed.status) == (trade.id, TradeStatus.CLOSED)
    assert closed.exit_price is not None
    assert closed.closed_at is not None
    assert list(world.client.running_trades()) == []
    assert list(world.client.closed_trades(since=trade.created_at)) == [closed]


def test_history_is_whole(world):
    trades = [world.client.new_trade(LONG, signature=signed_now()) for _ in range(5)]
    for trade in trades:
        world.client.close_trade(trade.id, signature=signed_now())

    closed = world.client.closed_trades(since=trades[0].created_at)
    assert {trade.id for trade in closed} == {trade.id for trade in trades}


@each_act
def test_acts_without_credentials(world, act):
    with pytest.raises(InvalidCredentials):
        act(world.connect(None), NOWHERE, signed_now())


@each_act
def test_acts_with_a_wrong_credential(world, act):
    stranger = world.connect(spoiled(world.credentials, "secret"))

    with pytest.raises(InvalidCredentials):
        act(stranger, a_trade_for(world, act), signed_now())
    assert world.done() == []


@pytest.mark.parametrize("name", [name for name in ACTS if name != "new_trade"])
@pytest.mark.parametrize("whose", ["nobody's", "another's", "one that is over"])
def test_acts_on_a_trade_that_is_not_ours_to_act_on(world, name, whose):
    other = world.paper.control.create_account(balance=BALANCE)
    order = {"side": "buy", "leverage": 10, "margin": 10_000}
    over = world.paper.control.open_trade(world.account_id, **order)["id"]
    world.paper.control.close_trade(world.account_id, over)
    trade_id = {
        "nobody's": NOWHERE,
        "another's": world.paper.control.open_trade(other.id, **order)["id"],
        "one that is over": over,
    }[whose]

    with pytest.raises(Refused) as caught:
        ACTS[name](world.client, trade_id, signed_now())
    assert str(caught.value)
    assert caught.value.code
    assert world.done() == []


@pytest.mark.parametrize(
    "order",
    [
        NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(10), margin=BALANCE),
        NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(101), margin=1_000),
        NewTrade(
            side=Side.BUY,
            type=OrderType.MARKET,
            leverage=Decimal(2),
            margin=1_000,
            stop_loss=Decimal(100_500),
        ),
    ],
    ids=["more than the balance", "too much leverage", "a stop loss beyond the price"],
)
def test_orders_that_are_refused(world, order):
    with pytest.raises(Refused):
        world.client.new_trade(order, signature=signed_now())
    assert world.done() == []


@each_act
def test_a_signature_outside_the_window_does_nothing(world, act):
    window = world.client.request_window
    if window is None:
        pytest.skip("this exchange has no window")
    signed_at = datetime.now(UTC) - window - timedelta(seconds=1)
    stale = Signature(signed_at=signed_at, deadline=datetime.now(UTC) + timedelta(seconds=20))

    with pytest.raises(ClockSkew):
        act(world.client, a_trade_for(world, act), stale)
    assert world.done() == []


@each_act
def test_a_signature_past_its_deadline_is_not_sent(world, act):
    now = datetime.now(UTC)
    late = Signature(signed_at=now, deadline=now - timedelta(milliseconds=1))
    trade_id = a_trade_for(world, act)

    with pytest.raises(NotSent):
        act(world.client, trade_id, late)
    assert world.done() == []


@each_act
@pytest.mark.parametrize(("fault", "times_done"), [("cut_before", 0), ("cut_after", 1)])
def test_an_act_that_gets_no_answer_is_tried_once(world, act, fault, times_done):
    trade_id = a_trade_for(world, act)
    world.client.account()
    world.paper.control.fault(fault)

    with pytest.raises(UnknownOutcome):
        act(world.client, trade_id, signed_now())
    assert len(world.done()) == times_done


def test_an_exchange_that_is_gone(world, request):
    adapter = next(iter(request.node.callspec.params.values()))
    gone = PaperServer("http://127.0.0.1:1", world.paper.ledger_path, world.paper.control)
    client = adapter(gone, world.credentials)

    with pytest.raises(Unavailable):
        client.account()
    with pytest.raises(NotSent):
        client.close_trade(str(uuid.uuid4()), signature=signed_now())


def test_no_error_shows_a_credential(world):
    for wrong in ("key", "secret", "passphrase"):
        credentials = spoiled(world.credentials, wrong)
        with pytest.raises(ExchangeError) as caught:
            world.connect(credentials).account()
        for part in (credentials.key, credentials.secret, credentials.passphrase):
            assert part not in str(caught.value)
