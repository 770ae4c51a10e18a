"""What LN Markets does besides what every exchange does: its refusals, its funding, its limits."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.client import ExchangeClient
from exchanges.errors import (
    GeoBlocked,
    InvalidCredentials,
    Maintenance,
    MissingScope,
    RateLimited,
    TierLimited,
    Unavailable,
    UnknownOutcome,
)
from exchanges.guard import UNGUARDED, Guard
from exchanges.lnmarkets.rest import LNMarketsClient
from exchanges.transport import Transport
from exchanges.types import Credentials, NewCrossOrder, NewTrade, OrderType, Side
from tests.exchanges.conformance.world import signed_now
from tests.exchanges.lnmarkets.test_guarding import Witness

LONG = NewTrade(side=Side.BUY, type=OrderType.MARKET, leverage=Decimal(10), margin=10_000)
RATE = Decimal("0.001")
NINE_HOURS = 9 * 3600


@pytest.fixture
def account(paper):
    return paper.control.create_account(balance=1_000_000)


def connect(paper, credentials: Credentials, guard: Guard = UNGUARDED) -> ExchangeClient:
    return registry.connect("lnmarkets", base_url=paper.url, credentials=credentials, guard=guard)


@pytest.mark.parametrize(
    ("condition", "read_raises", "act_raises"),
    [
        ("maintenance", Maintenance, UnknownOutcome),
        ("geo_block", GeoBlocked, GeoBlocked),
        ("tier_limit", None, TierLimited),
    ],
)
def test_the_exchange_does_not_serve(paper, account, condition, read_raises, act_raises):
    client = connect(paper, account.credentials)
    paper.control.set_condition(condition, on=True)

    if read_raises:
        with pytest.raises(read_raises) as caught:
            client.account()
        assert type(caught.value) is read_raises
    else:
        client.account()
    with pytest.raises(act_raises):
        client.isolated.new_trade(LONG, signature=signed_now())

    paper.control.set_condition(condition, on=False)
    assert client.isolated.running_trades() == []


def test_a_key_may_do_what_its_scopes_say(paper, account):
    _, reader = paper.control.create_key(
        account.id, permissions=["account:read", "futures:isolated:read"]
    )
    client = connect(paper, reader)

    assert client.isolated.running_trades() == []
    with pytest.raises(MissingScope, match="futures:isolated:write"):
        client.isolated.new_trade(LONG, signature=signed_now())
    with pytest.raises(MissingScope, match="futures:cross:read"):
        client.cross.position()


def test_a_revoked_key(paper, account):
    key_id, credentials = paper.control.create_key(account.id)
    client = connect(paper, credentials)
    client.account()
    paper.control.revoke_key(account.id, key_id)

    with pytest.raises(InvalidCredentials):
        client.account()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [("fail_before", Unavailable), ("too_many_requests", RateLimited)],
)
def test_a_fault_is_over_after_one_request(paper, account, fault, raised):
    client = connect(paper, account.credentials)
    paper.control.fault(fault)

    with pytest.raises(raised):
        client.account()
    client.account()


def test_the_exchange_says_how_many_requests_are_left(paper, account):
    guard = Witness()
    paper.control.limit("strict")

    connect(paper, account.credentials, guard).account()

    ((call, left),) = guard.learnt
    assert call.operation == "account"
    assert left.remaining >= 0


def test_funding_is_found_with_its_sign(paper, account):
    """Longs pay: the isolated trade pays, the short position is paid."""
    paper.control.set_terms(funding_rate=str(RATE))
    client, begun_at = connect(paper, account.credentials), datetime.now(UTC)
    trade = client.isolated.new_trade(LONG, signature=signed_now())
    client.cross.deposit(200_000, signature=signed_now())
    short = NewCrossOrder(side=Side.SELL, type=OrderType.MARKET, quantity=100)
    client.cross.new_order(short, signature=signed_now())

    paper.control.move_clock(advance_seconds=NINE_HOURS)
    later = LNMarketsClient(
        Transport(paper.url), credentials=account.credentials, clock=paper.control.clock
    )
    settlements = later.funding_settlements(since=begun_at)
    paid = later.isolated.funding_fees(since=begun_at)
    received = later.cross.funding_fees(since=begun_at)

    assert {settlement.rate for settlement in settlements} == {RATE}
    settled = [settlement.id for settlement in settlements]
    assert settled
    assert [fee.settlement_id for fee in paid] == settled
    assert [fee.settlement_id for fee in received] == settled
    assert {(fee.fee > 0, fee.trade_id) for fee in paid} == {(True, trade.id)}
    assert {(fee.fee < 0, fee.trade_id) for fee in received} == {(True, None)}
