"""An account at an exchange of another family, whose keys have no passphrase."""

import pytest

from accounts.credentials import unseal_credentials
from accounts.errors import InvalidField
from accounts.models import ExchangeAccount
from accounts.services import connect_account, replace_credentials
from exchanges.models import Exchange
from exchanges.types import Credentials
from tests.accounts.builders import a_user
from tests.exchanges.ccxt.fake_kraken import fake_kraken, fingerprint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kraken():
    with fake_kraken() as kraken:
        yield kraken


@pytest.fixture
def at_kraken(kraken) -> Exchange:
    exchange = Exchange(slug="kraken", name="Kraken", adapter="ccxt-kraken", api_url=kraken.url)
    exchange.full_clean()
    exchange.save()
    return exchange


def connect(exchange: Exchange, credentials: Credentials) -> ExchangeAccount:
    user = a_user()
    return connect_account(
        user=user,
        exchange=exchange,
        name="Spot",
        credentials=credentials,
        accept_withdrawals=False,
        by=user,
    )


def test_it_is_connected_without_a_passphrase(kraken, at_kraken):
    key = kraken.open_account()

    account = connect(at_kraken, key.credentials)

    assert account.remote_id == fingerprint(key.key)
    assert account.is_active


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"passphrase": "words"}, "passphrase", "must be blank"),
        ({"secret": "not base64!"}, "key", "Kraken refuses this key"),
        ({"key": "another"}, "key", "Kraken refuses this key"),
    ],
    ids=["a passphrase", "half a secret", "another key"],
)
def test_what_is_refused(kraken, at_kraken, change, field, said):
    right = kraken.open_account().credentials
    given = {"key": right.key, "secret": right.secret, "passphrase": ""} | change

    with pytest.raises(InvalidField, match=said) as refused:
        connect(at_kraken, Credentials(**given))
    assert refused.value.field == field
    assert not ExchangeAccount.objects.exists()


@pytest.mark.parametrize("is_known", [True, False], ids=["the same key", "another key"])
def test_a_key_that_cannot_be_told_to_be_of_the_account_is_refused(kraken, at_kraken, is_known):
    old, other = kraken.open_account().credentials, kraken.open_account().credentials
    account = connect(at_kraken, old)
    if is_known:
        assert replace_credentials(account=account, credentials=old, by=account.user).is_connected
        return
    with pytest.raises(InvalidField, match="does not say whether this is a key of Spot"):
        replace_credentials(account=account, credentials=other, by=account.user)
    account.refresh_from_db()
    assert unseal_credentials(account) == old
