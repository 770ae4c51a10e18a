"""Other credentials in the place of the old ones: the account stays what it is."""

import pytest
from django.db import transaction

from accounts import services
from accounts.credentials import unseal_credentials
from accounts.errors import AccountInactive, InvalidField
from accounts.gateway import open_client
from accounts.models import Event, ExchangeAccount
from accounts.standing import State
from exchanges.errors import InvalidCredentials, TransientError
from exchanges.paper.scopes import DEFAULT_SCOPES, Scope
from exchanges.types import Credentials
from tests.accounts.builders import CREDENTIALS, a_user

pytestmark = pytest.mark.django_db

READING = [scope.value for scope in DEFAULT_SCOPES if scope.endswith(":read")]
WITHDRAWING = [scope.value for scope in (*DEFAULT_SCOPES, Scope.WITHDRAWALS_WRITE)]


class Place:
    """Alice's account at the exchange and here, and the keys she may come with."""

    def __init__(self, paper, exchange):
        self.paper, self.exchange, self.user = paper, exchange, a_user()
        self.made = paper.control.create_account(balance=7)
        self.account = self.connect("main", self.made.credentials)

    def connect(self, name, credentials):
        return services.connect_account(
            user=self.user, exchange=self.exchange, name=name, credentials=credentials, by=self.user
        )

    def new_key(self, **options):
        return self.paper.control.create_key(self.made.id, **options)[1]

    def strangers_key(self):
        return self.paper.control.create_account(balance=9).credentials

    def replace(self, credentials, **options):
        return services.replace_credentials(
            account=self.account, credentials=credentials, **options, by=self.account.user
        )

    def row(self):
        return ExchangeAccount.objects.values().get(pk=self.account.pk)

    def told(self):
        return list(Event.objects.filter(kind="credentials_replaced").values_list("message"))


@pytest.fixture
def place(paper, at_paper):
    return Place(paper, at_paper)


def revoke(place):
    """The exchange takes the key no more, and the platform has noticed."""
    place.paper.control.revoke_key(place.made.id, place.made.key_id)
    with pytest.raises(InvalidCredentials):
        open_client(place.account).account()
    assert place.row()["state"] == State.CREDENTIALS_REFUSED


def disconnect(place):
    services.disconnect_account(account=place.account, by=place.user)


def forget_whose(place):
    ExchangeAccount.objects.update(remote_id="")


@pytest.mark.parametrize(
    ("given", "is_active", "says"),
    [
        pytest.param(lambda place: None, True, "has a new key", id="a key that works"),
        pytest.param(revoke, True, "has a new key", id="a revoked key"),
        pytest.param(forget_whose, True, "has a new key", id="not known whose"),
        pytest.param(disconnect, False, "is connected again", id="disconnected"),
    ],
)
def test_a_new_key_of_the_same_account_takes_its_place(place, given, is_active, says):
    given(place)
    new = place.new_key()
    replaced = place.replace(new)
    assert unseal_credentials(replaced) == new
    row = place.row()
    assert (row["name"], row["is_active"], row["remote_id"]) == ("main", is_active, place.made.id)
    assert (row["state"], row["state_message"]) == (State.OK, "")
    assert row["disconnected_at"] is None
    assert open_client(replaced).account().balance == 7
    assert place.told() == [(f"main {says} at {place.exchange.name}.",)]


@pytest.mark.parametrize("given", [lambda place: None, disconnect], ids=["connected", "not"])
@pytest.mark.parametrize(
    ("come_with", "field", "says"),
    [
        pytest.param(Place.strangers_key, "key", "belongs to another account", id="stranger's"),
        pytest.param(lambda place: CREDENTIALS, "key", "refuses this key", id="no key at all"),
        pytest.param(
            lambda place: place.new_key(permissions=WITHDRAWING),
            "accept_withdrawals",
            "take all your funds",
            id="may withdraw",
        ),
        pytest.param(
            lambda place: Credentials("k", " ", "p"), "secret", "printable", id="unsendable"
        ),
    ],
)
def test_a_key_that_is_refused_changes_nothing(place, given, come_with, field, says):
    given(place)
    before = place.row()
    with pytest.raises(InvalidField, match=says) as refused:
        place.replace(come_with(place))
    assert refused.value.field == field
    assert place.row() == before
    assert place.told() == []


def test_a_key_that_may_withdraw_is_taken_with_a_yes(place):
    place.replace(place.new_key(permissions=WITHDRAWING), accept_withdrawals=True)
    assert "may withdraw, which was accepted" in place.told()[0][0]


def test_a_key_that_may_not_trade_is_taken_and_says_what_it_lacks(place):
    place.replace(place.new_key(permissions=READING))
    assert place.row()["state"] == State.SCOPE_MISSING
    assert "futures:isolated:write" in place.told()[0][0]


@pytest.mark.parametrize(
    "given", [disconnect, lambda place: (disconnect(place), forget_whose(place))]
)
def test_what_is_connected_under_another_name_is_not_connected_twice(place, given):
    given(place)
    place.connect("anew", place.new_key())
    with pytest.raises(InvalidField, match="connected already, as anew"):
        place.replace(place.new_key())
    assert place.row()["sealed_credentials"] is None


def test_an_exchange_that_breaks_off_leaves_the_old_key(place):
    before, new = place.row(), place.new_key()
    place.paper.control.fault("cut_before")
    with pytest.raises(TransientError):
        place.replace(new)
    assert place.row() == before


def test_an_exchange_that_is_switched_off_is_not_asked(place):
    place.account.exchange.is_enabled = False
    with pytest.raises(AccountInactive, match="switched off"):
        place.replace(place.new_key())


def test_the_exchange_is_never_asked_inside_a_transaction_that_counts(place):
    new = place.new_key()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        place.replace(new)
