"""The way to an exchange that is not set up for credentials."""

import pytest

from accounts.errors import AccountInactive
from accounts.gateway import open_client
from tests.accounts.builders import a_user, an_account

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "changes",
    [{"api_url": "http://exchange.example/v3"}, {"adapter": "retired"}],
    ids=["credentials would travel in the clear", "no such adapter"],
)
def test_an_exchange_that_is_set_up_wrongly_is_said_so(changes):
    account = an_account(a_user())
    for field, value in changes.items():
        setattr(account.exchange, field, value)
    with pytest.raises(AccountInactive, match="not set up rightly"):
        open_client(account)
