"""Acts that are refused, not sent, or of which nobody knows: the ledger tells what was done."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.client import Signature
from exchanges.errors import (
    ClockSkew,
    ExchangeError,
    InvalidCredentials,
    NotSent,
    Refused,
    Unavailable,
    UnknownOutcome,
)
from exchanges.types import NewTrade, OrderType, Side
from tests.exchanges.conformance.world import (
    ACTS,
    BALANCE,
    NOWHERE,
    each_act,
    signed_now,
)


@each_act
def test_acts_without_credentials(world, act):
    with pytest.raises(InvalidCredentials):
        act(world.connect(None), NOWHERE, signed_now())


@each_act
def test_acts_with_a_wrong_credential(world, act):
    stranger = world.connect(world.spoiled("secret"))

    with pytest.raises(InvalidCredentials):
        act(stranger, world.a_trade_for(act), signed_now())
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
        world.client.isolated.new_trade(order, signature=signed_now())
    assert world.done() == []


@each_act
def test_a_signature_outside_the_window_does_nothing(world, act):
    window = world.client.request_window
    if window is None:
        pytest.skip("this exchange has no window")
    signed_at = datetime.now(UTC) - window - timedelta(seconds=1)
    stale = Signature(signed_at=signed_at, deadline=datetime.now(UTC) + timedelta(seconds=20))

    with pytest.raises(ClockSkew):
        act(world.client, world.a_trade_for(act), stale)
    assert world.done() == []


@each_act
def test_a_signature_past_its_deadline_is_not_sent(world, act):
    now = datetime.now(UTC)
    late = Signature(signed_at=now, deadline=now - timedelta(milliseconds=1))
    trade_id = world.a_trade_for(act)

    with pytest.raises(NotSent):
        act(world.client, trade_id, late)
    assert world.done() == []


@each_act
@pytest.mark.parametrize(("fault", "times_done"), [("cut_before", 0), ("cut_after", 1)])
def test_an_act_that_gets_no_answer_is_tried_once(world, act, fault, times_done):
    trade_id = world.a_trade_for(act)
    world.client.account()
    world.paper.control.fault(fault)

    with pytest.raises(UnknownOutcome):
        act(world.client, trade_id, signed_now())
    assert len(world.done()) == times_done


def test_an_exchange_that_is_gone(world):
    gone = replace(world, paper=replace(world.paper, origin="http://127.0.0.1:1"))
    client = gone.client

    with pytest.raises(Unavailable):
        client.account()
    with pytest.raises(NotSent):
        client.isolated.close_trade(NOWHERE, signature=signed_now())


def test_no_error_shows_a_credential(world):
    for wrong in ("key", "secret", "passphrase"):
        credentials = world.spoiled(wrong)
        with pytest.raises(ExchangeError) as caught:
            world.connect(credentials).account()
        for part in (credentials.key, credentials.secret, credentials.passphrase):
            assert part not in str(caught.value)
