"""The address under which the credentials of an account are replaced."""

from types import SimpleNamespace

import pytest

from accounts.credentials import unseal_credentials
from accounts.models import ExchangeAccount
from accounts.services import connect_account, disconnect_account
from exchanges.paper.scopes import DEFAULT_SCOPES, Scope
from tests.accounts.builders import CREDENTIALS, a_user, api_of

pytestmark = pytest.mark.django_db

WITHDRAWING = [scope.value for scope in (*DEFAULT_SCOPES, Scope.WITHDRAWALS_WRITE)]


def body_of(credentials):
    parts = ("key", "secret", "passphrase")
    return {part: getattr(credentials, part) for part in parts}


@pytest.fixture
def alice(paper, at_paper):
    """Her account, its address, and new keys for it."""
    user, made = a_user(), paper.control.create_account(balance=1)
    account = connect_account(
        user=user, exchange=at_paper, name="main", credentials=made.credentials, by=user
    )
    return SimpleNamespace(
        api=api_of(user),
        account=account,
        address=f"/api/accounts/{account.pk}/credentials/",
        new_key=lambda **options: paper.control.create_key(made.id, **options)[1],
    )


def kept(alice):
    account = ExchangeAccount.objects.get(pk=alice.account.pk)
    return unseal_credentials(account)


@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "disconnected"])
def test_a_new_key_is_kept_and_not_shown(alice, is_connected):
    if not is_connected:
        disconnect_account(account=alice.account, by=alice.account.user)
    new = alice.new_key()
    answer = alice.api.put(alice.address, body_of(new))
    assert answer.status_code == 200
    assert (answer.data["is_connected"], answer.data["is_active"]) == (True, is_connected)
    assert kept(alice) == new
    for part in body_of(new).values():
        assert part not in answer.content.decode() + str(answer.headers)
        assert part not in alice.api.get("/api/events/").content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"key": None}, "key", id="no key"),
        pytest.param({"secret": ""}, "secret", id="blank secret"),
        pytest.param({"name": "other"}, "name", id="a name"),
        pytest.param({"exchange": "paper"}, "exchange", id="an exchange"),
        pytest.param({"accept_withdrawals": "perhaps"}, "accept_withdrawals", id="no yes or no"),
        pytest.param({"passphrase": "wrong-one"}, "key", id="refused by the exchange"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(alice, change, field):
    before = kept(alice)
    answer = alice.api.put(alice.address, body_of(alice.new_key()) | change)
    assert answer.status_code == 400
    assert list(answer.data) == [field]
    assert kept(alice) == before


def test_the_key_of_another_account_is_refused(alice, paper):
    other = paper.control.create_account(balance=1).credentials
    answer = alice.api.put(alice.address, body_of(other))
    assert answer.status_code == 400
    assert "belongs to another account" in answer.data["key"][0]


@pytest.mark.parametrize(("accept", "status"), [(False, 400), (True, 200)])
def test_a_key_that_may_withdraw_wants_a_yes(alice, accept, status):
    body = body_of(alice.new_key(permissions=WITHDRAWING)) | {"accept_withdrawals": accept}
    assert alice.api.put(alice.address, body).status_code == status


@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", 401), ("bob", 404), ("staff", 404)], ids=lambda value: value
)
def test_nobody_else_replaces_them(alice, who, status):
    before = kept(alice)
    user = None if who == "anonymous" else a_user(who, is_staff=who == "staff")
    answer = api_of(user).put(alice.address, body_of(alice.new_key()))
    assert answer.status_code == status
    assert kept(alice) == before


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
def test_they_are_replaced_and_nothing_else(alice, method):
    answer = getattr(alice.api, method)(alice.address, body_of(CREDENTIALS))
    assert answer.status_code == 405
