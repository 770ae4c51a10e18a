"""What an account can be asked, by whom, and what it means to get no answer."""

import pytest

from exchanges.errors import InvalidCredentials, Unavailable
from tests.exchanges.conformance.calls import each_adapter, each_read
from tests.exchanges.conformance.world import BALANCE


@each_adapter()
def test_account(world):
    account = world.client.account()

    assert account.id == world.account_id
    assert (account.balance, account.usd) == (BALANCE, 0)


@each_read
def test_reads_without_credentials(world, read):
    with pytest.raises(InvalidCredentials):
        read.ask(world.connect(None))


@each_read
@pytest.mark.parametrize("wrong", ["key", "secret", "passphrase"])
def test_reads_with_a_wrong_credential(world, read, wrong):
    with pytest.raises(InvalidCredentials):
        read.ask(world.connect(world.spoiled(wrong)))


@each_read
def test_a_read_that_gets_no_answer(world, read):
    world.venue.cut(executed=False)

    with pytest.raises(Unavailable):
        read.ask(world.client)
    read.ask(world.client)


@each_read
def test_a_new_account_has_done_nothing(world, read):
    answer = read.ask(world.client)

    if isinstance(answer, list):
        assert answer == []
    assert world.done() == 0
