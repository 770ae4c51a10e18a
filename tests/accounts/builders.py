"""Users and accounts as rows, for tests that start after the exchange was asked."""

from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.credentials import seal_credentials
from accounts.models import ExchangeAccount, User
from exchanges.models import Exchange
from exchanges.types import Credentials

CREDENTIALS = Credentials(key="a-key", secret="a-secret", passphrase="a-passphrase")


def a_user(username="alice", **fields):
    return User.objects.create(username=username, password="!", **fields)


def the_paper_exchange():
    """The row of the migration, made anew where a transactional test has flushed the table."""
    defaults = {"name": "Paper", "adapter": "lnmarkets", "api_url": "", "is_enabled": True}
    return Exchange.objects.get_or_create(slug="paper", defaults=defaults)[0]


def an_account(user, name="main", *, credentials=CREDENTIALS, **fields):
    account = ExchangeAccount(
        user=user,
        exchange=the_paper_exchange(),
        name=name,
        **{"verified_at": timezone.now(), **fields},
    )
    seal_credentials(account, credentials)
    account.save(force_insert=True)
    return account


class JsonClient(APIClient):
    """What programs send."""

    default_format = "json"


def api_of(user):
    """A client that sends a token of this user; without one for None."""
    client = JsonClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")
    return client
