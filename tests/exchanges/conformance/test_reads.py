"""What can be asked, by whom, and what it means to get no answer."""

from datetime import UTC, datetime, timedelta

import pytest

from exchanges.errors import (
    InvalidCredentials,
    Unavailable,
)
from tests.exchanges.conformance.world import (
    BALANCE,
    each_read,
    long_ago,
)


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
        read(world.connect(world.spoiled(wrong)))


@each_read
def test_a_read_that_gets_no_answer(world, read):
    world.paper.control.fault("cut_before")

    with pytest.raises(Unavailable):
        read(world.client)
    read(world.client)


def test_nothing_yet(world):
    assert list(world.client.isolated.running_trades()) == []
    assert list(world.client.isolated.closed_trades(since=long_ago())) == []
