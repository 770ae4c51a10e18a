"""One account's trouble is nobody else's: over real HTTP, with faults for one of two."""

import pytest

from accounts.gateway import open_client
from accounts.standing import State
from exchanges.errors import GeoBlocked, RateLimited, Suspended, Unavailable
from exchanges.protection.breakers import ACCOUNT
from tests.accounts.builders import a_user, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(paper, at_paper):
    """The account in trouble, with its id at the exchange, and the bystander."""
    made = [paper.control.create_account(balance=balance) for balance in (1, 2)]
    troubled, bystander = (
        an_account(a_user(f"user {number}"), credentials=one.credentials)
        for number, one in enumerate(made)
    )
    return troubled, made[0].id, bystander


@pytest.mark.parametrize(
    ("fault", "options", "first", "then", "state"),
    [
        ("cut_before", {}, Unavailable, Suspended, State.UNREACHABLE),
        ("fail_before", {"status": 502}, Unavailable, Suspended, State.UNREACHABLE),
        ("too_many_requests", {"seconds": 60}, RateLimited, RateLimited, State.RATE_LIMITED),
    ],
    ids=["no answers", "server errors", "429"],
)
def test_the_other_is_served_all_the_while(paper, pair, fault, options, first, then, state):
    troubled, remote_id, bystander = pair
    paper.control.fault(fault, account_id=remote_id, times=1000, **options)
    met = []
    for _ in range(ACCOUNT.failures + 10):
        with pytest.raises((first, then)) as trouble:
            open_client(troubled).account()
        met.append(type(trouble.value))
        client = open_client(bystander)
        assert client.account().balance == 2
        assert client.ticker().last_price == 100_000
    assert (met[0], met[-1]) == (first, then)
    for account, expected in ((troubled, state), (bystander, State.OK)):
        account.refresh_from_db()
        assert account.state == expected


def test_a_key_that_is_refused_is_left_alone_and_harms_nobody(paper, pair):
    troubled, remote_id, bystander = pair
    paper.control.set_condition("geo_block", on=True, account_id=remote_id)
    for _ in range(10):
        with pytest.raises((GeoBlocked, Suspended)):
            open_client(troubled, is_protective=True).account()
        assert open_client(bystander).account().balance == 2
    troubled.refresh_from_db()
    assert troubled.state == State.GEO_BLOCKED
