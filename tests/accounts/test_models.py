"""What the database itself refuses, whatever code runs."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Event, ExchangeAccount
from tests.accounts.builders import CREDENTIALS, a_user, an_account

pytestmark = pytest.mark.django_db


def test_two_active_accounts_of_one_user_are_refused():
    user = a_user()
    an_account(user, "one", is_active=True)
    with pytest.raises(IntegrityError, match="account_one_active_per_user"):
        an_account(user, "two", is_active=True)


def test_two_users_may_each_have_an_active_account_of_the_same_name():
    for username in ("alice", "bob"):
        an_account(a_user(username), "main", is_active=True)
    assert ExchangeAccount.objects.filter(is_active=True).count() == 2


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        pytest.param({"name": "taken"}, "account_name_unique_per_user", id="name taken"),
        pytest.param({"name": ""}, "account_name_not_blank", id="no name"),
        pytest.param({"name": " \t"}, "account_name_not_blank", id="blank name"),
        pytest.param(
            {"sealed_credentials": None},
            "account_credentials_exactly_while_connected",
            id="connected without credentials",
        ),
        pytest.param(
            {"disconnected_at": timezone.now()},
            "account_credentials_exactly_while_connected",
            id="disconnected with credentials",
        ),
        pytest.param(
            {"disconnected_at": timezone.now(), "sealed_credentials": None, "is_active": True},
            "account_active_only_while_connected",
            id="active and disconnected",
        ),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(change, constraint):
    user = a_user()
    an_account(user, "taken")
    account = an_account(user, "main")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ExchangeAccount.objects.filter(pk=account.pk).update(**change)


def test_an_event_of_unknown_severity_is_refused():
    with pytest.raises(IntegrityError, match="event_severity_known"):
        Event.objects.create(kind="x", severity="bad", user=a_user(), message="x")


def test_no_text_of_a_row_shows_a_credential():
    account = an_account(a_user())
    event = Event(kind="account_connected", account=account, user=account.user, message="main")
    texts = [form(thing) for thing in (account, event, account.user) for form in (str, repr)]
    for secret in (CREDENTIALS.key, CREDENTIALS.secret, CREDENTIALS.passphrase):
        assert not any(secret in text for text in texts)
