"""Sealed credentials in their rows: what may be kept, and what a thief of rows cannot do."""

import pytest
from django.db import connection

from accounts.credentials import check_credentials, unseal_credentials
from accounts.errors import AccountInactive, InvalidField, SealBroken
from accounts.gateway import open_client
from accounts.models import ExchangeAccount
from accounts.services import disconnect_account
from exchanges.types import Credentials
from tests.accounts.builders import CREDENTIALS, a_user, an_account


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(" x", id="space before"),
        pytest.param("x\n", id="newline after"),
        pytest.param("x\r\ny", id="another header"),
        pytest.param("pässword", id="not ASCII"),
        pytest.param("x" * 257, id="too long"),
    ],
)
@pytest.mark.parametrize("field", ["key", "secret", "passphrase"])
def test_a_credential_no_exchange_accepts_is_refused_by_name(field, value):
    given = {"key": "k", "secret": "s", "passphrase": "p"} | {field: value}
    with pytest.raises(InvalidField) as refused:
        check_credentials(Credentials(**given))
    assert refused.value.field == field
    assert not value.strip() or value not in str(refused.value)


def test_where_keys_have_no_passphrase_it_is_blank():
    check_credentials(Credentials("k", "s", ""), has_passphrase=False)
    with pytest.raises(InvalidField, match="blank") as refused:
        check_credentials(Credentials("k", "s", "p"), has_passphrase=False)
    assert refused.value.field == "passphrase"


@pytest.mark.parametrize("value", ["x", "a b", "x" * 256, "~!/+=="])
def test_a_sendable_credential_is_accepted(value):
    check_credentials(Credentials(value, value, value))


@pytest.mark.django_db
def test_credentials_come_back_from_the_database_and_lie_there_unreadable():
    account = ExchangeAccount.objects.get(pk=an_account(a_user()).pk)
    assert unseal_credentials(account) == CREDENTIALS
    lying_there = bytes(account.sealed_credentials or b"")
    assert lying_there
    for secret in (CREDENTIALS.key, CREDENTIALS.secret, CREDENTIALS.passphrase):
        assert secret.encode() not in lying_there


@pytest.mark.django_db
@pytest.mark.parametrize("same_user", [True, False], ids=["row of same user", "row of other user"])
def test_a_sealed_value_copied_to_another_row_is_refused(same_user):
    alice = a_user("alice")
    source = an_account(alice, "source")
    target = an_account(alice if same_user else a_user("bob"), "target")
    run_sql(
        "UPDATE accounts_exchangeaccount SET sealed_credentials = "
        "(SELECT sealed_credentials FROM accounts_exchangeaccount WHERE id = %s) WHERE id = %s",
        [source.pk, target.pk],
    )
    assert_refused(target)
    assert unseal_credentials(source) == CREDENTIALS


@pytest.mark.django_db
def test_an_account_given_to_another_user_is_refused():
    account, thief = an_account(a_user("alice")), a_user("mallory")
    run_sql(
        "UPDATE accounts_exchangeaccount SET user_id = %s WHERE id = %s", [thief.pk, account.pk]
    )
    assert_refused(account)


@pytest.mark.django_db
def test_a_bit_flipped_in_the_database_is_refused():
    account = an_account(a_user())
    run_sql(
        "UPDATE accounts_exchangeaccount SET sealed_credentials = "
        "set_bit(sealed_credentials, 400, 1 - get_bit(sealed_credentials, 400)) WHERE id = %s",
        [account.pk],
    )
    assert_refused(account)


@pytest.mark.django_db
def test_an_emptied_column_is_broken_and_not_an_account_without_key():
    account = an_account(a_user())
    run_sql(
        "UPDATE accounts_exchangeaccount SET sealed_credentials = '' WHERE id = %s", [account.pk]
    )
    assert_refused(account)


@pytest.mark.django_db
def test_a_disconnected_account_has_nothing_to_open():
    user = a_user()
    account = disconnect_account(account=an_account(user), by=user)
    with pytest.raises(AccountInactive, match="connect it again"):
        unseal_credentials(account)


def run_sql(sql, parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        assert cursor.rowcount == 1


def assert_refused(account):
    with pytest.raises(SealBroken):
        open_client(ExchangeAccount.objects.select_related("user", "exchange").get(pk=account.pk))
