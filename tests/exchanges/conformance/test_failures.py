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
from exchanges.types import Asset, Capability, NewSwap
from tests.exchanges.conformance.calls import (
    ACTS,
    CROSS_LONG,
    LONG,
    NOBODYS,
    SPOT_BUY,
    each_act,
    each_adapter,
    each_call,
    with_window,
)
from tests.exchanges.conformance.venues import VENUES
from tests.exchanges.conformance.world import BALANCE, World, signed_now

each_act_on_something = each_call("act", {name: act for name, act in ACTS.items() if act.end})
each_act_with_window = each_call("act", ACTS, of=filter(with_window, VENUES))


@each_act
def test_acts_without_credentials(world, act):
    with pytest.raises(InvalidCredentials):
        act.do(world.connect(None), NOBODYS, signed_now())


@each_act
def test_acts_with_a_wrong_credential(world, act):
    target, before = act.given(world.client), world.done()

    with pytest.raises(InvalidCredentials):
        act.do(world.connect(world.spoiled("secret")), target, signed_now())
    assert world.done() == before


@each_act_on_something
@pytest.mark.parametrize("whose", ["nobody's", "another's", "one that is over"])
def test_acts_on_what_is_not_ours_to_act_on(world, act, whose):
    if whose == "nobody's":
        target = NOBODYS
    elif whose == "another's":
        target = act.given(World(world.venue).client)
    else:
        target = act.given(world.client)
        act.end(world.client, target)
    before = world.done()

    with pytest.raises(Refused) as caught:
        act.do(world.client, target, signed_now())
    assert str(caught.value)
    assert caught.value.code
    assert world.done() == before


def refused(world: World, ask) -> None:
    before = world.done()
    with pytest.raises(Refused):
        ask(world.client)
    assert world.done() == before


@each_adapter(Capability.ISOLATED)
@pytest.mark.parametrize(
    "order",
    [
        replace(LONG, margin=BALANCE),
        replace(LONG, leverage=Decimal(101)),
        replace(LONG, stop_loss=Decimal(100_500)),
    ],
    ids=["more than the balance", "too much leverage", "a stop loss beyond the price"],
)
def test_trades_that_are_refused(world, order):
    refused(world, lambda client: client.isolated.new_trade(order, signature=signed_now()))


@each_adapter(Capability.CROSS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda cross: cross.new_order(CROSS_LONG, signature=signed_now()),
        lambda cross: cross.deposit(BALANCE + 1, signature=signed_now()),
        lambda cross: cross.withdraw(1, signature=signed_now()),
        lambda cross: cross.set_leverage(101, signature=signed_now()),
        lambda cross: cross.close_position(signature=signed_now()),
    ],
    ids=["no collateral", "deposit too much", "withdraw too much", "leverage", "flat already"],
)
def test_what_is_refused_of_cross_margin(world, ask):
    refused(world, lambda client: ask(client.cross))


@each_adapter(Capability.SWAPS)
@pytest.mark.parametrize(
    "order",
    [NewSwap(BALANCE + 1, Asset.BTC), NewSwap(1_000, Asset.USD)],
    ids=["more than the balance", "dollars it has not"],
)
def test_swaps_that_are_refused(world, order):
    refused(world, lambda client: client.swaps.swap(order, signature=signed_now()))


@each_adapter(Capability.SPOT)
@pytest.mark.parametrize(
    "order",
    [
        replace(SPOT_BUY, amount=Decimal(1000)),
        replace(SPOT_BUY, amount=Decimal("0.000001")),
        replace(SPOT_BUY, amount=Decimal("1e-20")),
        replace(SPOT_BUY, symbol="BTC/SHELLS"),
    ],
    ids=["more than the balance", "less than the least", "nothing", "another market"],
)
def test_spot_orders_that_are_refused(world, order):
    refused(world, lambda client: client.spot.new_order(order, signature=signed_now()))


@each_act_with_window
def test_a_signature_outside_the_window_does_nothing(world, act):
    target, before = act.given(world.client), world.done()
    now = datetime.now(UTC)
    signed_at = now - world.client.request_window - timedelta(seconds=1)
    stale = Signature(signed_at=signed_at, deadline=now + timedelta(seconds=20))

    with pytest.raises(ClockSkew):
        act.do(world.client, target, stale)
    assert world.done() == before


@each_act
def test_a_signature_past_its_deadline_is_not_sent(world, act):
    target, before = act.given(world.client), world.done()
    now = datetime.now(UTC)
    late = Signature(signed_at=now, deadline=now - timedelta(milliseconds=1))

    with pytest.raises(NotSent):
        act.do(world.client, target, late)
    assert world.done() == before


@each_act
@pytest.mark.parametrize("executed", [False, True], ids=["not executed", "executed"])
def test_an_act_that_gets_no_answer_is_tried_once(world, act, executed):
    target = act.given(world.client)
    world.client.account()
    before = world.done()
    world.venue.cut(executed=executed)

    with pytest.raises(UnknownOutcome):
        act.do(world.client, target, signed_now())
    assert world.done() == before + executed


@each_act
def test_acts_at_an_exchange_that_is_gone(world, act):
    with pytest.raises(NotSent):
        act.do(world.gone(), NOBODYS, signed_now())


@each_adapter()
def test_reading_from_an_exchange_that_is_gone(world):
    with pytest.raises(Unavailable):
        world.gone().account()


@each_adapter(of=filter(with_window, VENUES))
def test_the_window_is_kept(world):
    assert world.client.refuses_stale_signature()


@each_adapter()
@pytest.mark.parametrize("wrong", ["key", "secret", "passphrase"])
def test_no_error_shows_a_credential(world, wrong):
    credentials = world.spoiled(wrong)
    with pytest.raises(ExchangeError) as caught:
        world.connect(credentials).account()
    for part in (credentials.key, credentials.secret, credentials.passphrase):
        assert not part or part not in str(caught.value)
