"""What happens to accounts: connected, renamed, activated, disconnected."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from accounts import services
from accounts.credentials import unseal_credentials
from accounts.errors import AccountInactive, InvalidField
from accounts.gateway import open_client
from accounts.models import Event, ExchangeAccount, User
from accounts.selectors import active_account
from accounts.signals import active_account_changed
from exchanges.errors import TransientError
from exchanges.types import Credentials
from tests.accounts.builders import CREDENTIALS, a_user, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def switches():
    """The ids of users whose active account changed, as receivers hear of it."""
    heard = []

    def receive(*, user_id, **kwargs):
        assert connection.in_atomic_block
        heard.append((user_id, User.objects.get(pk=user_id).account_generation))

    active_account_changed.connect(receive)
    yield heard
    active_account_changed.disconnect(receive)


def connect(user, exchange, credentials, name="main"):
    return services.connect_account(
        user=user, exchange=exchange, name=name, credentials=credentials, by=user
    )


def kinds_of(user):
    return [event.kind for event in Event.objects.filter(user=user).order_by("id")]


def test_connecting_verifies_and_keeps_the_credentials(paper, at_paper):
    created = paper.control.create_account(balance=100_000)
    account = connect(a_user(), at_paper, created.credentials, name="  main ")
    account = ExchangeAccount.objects.select_related("user", "exchange").get(pk=account.pk)
    assert account.name == "main"
    assert account.is_connected
    assert unseal_credentials(account) == created.credentials
    assert open_client(account).account().balance == 100_000


def test_the_first_account_becomes_active_and_the_second_does_not(paper, at_paper, switches):
    user = a_user()
    first, second = (
        connect(user, at_paper, paper.control.create_account(balance=1).credentials, name)
        for name in ("first", "second")
    )
    assert (first.is_active, second.is_active) == (True, False)
    assert active_account(user.pk) == first
    assert switches == [(user.pk, 1)]
    assert kinds_of(user) == ["account_connected", "account_activated", "account_connected"]


@pytest.mark.parametrize("wrong", ["key", "secret", "passphrase"])
def test_refused_credentials_are_not_kept(paper, at_paper, wrong):
    right = paper.control.create_account(balance=1).credentials
    given = {"key": right.key, "secret": right.secret, "passphrase": right.passphrase}
    with pytest.raises(InvalidField) as refused:
        connect(a_user(), at_paper, Credentials(**given | {wrong: "wrong-one"}))
    assert refused.value.field == "key"
    assert "wrong-one" not in str(refused.value)
    assert not ExchangeAccount.objects.exists()
    assert not Event.objects.exists()


def test_an_exchange_that_breaks_off_leaves_nothing_behind(paper, at_paper):
    created = paper.control.create_account(balance=1)
    paper.control.fault("cut_before")
    with pytest.raises(TransientError):
        connect(a_user(), at_paper, created.credentials)
    assert not ExchangeAccount.objects.exists()


def test_the_exchange_is_never_asked_inside_a_transaction_that_counts(paper, at_paper):
    created = paper.control.create_account(balance=1)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        connect(a_user(), at_paper, created.credentials)


@pytest.mark.parametrize(
    ("name", "credentials", "field"),
    [
        pytest.param("", CREDENTIALS, "name", id="no name"),
        pytest.param("  ", CREDENTIALS, "name", id="blank name"),
        pytest.param("x" * 81, CREDENTIALS, "name", id="long name"),
        pytest.param("a\nb", CREDENTIALS, "name", id="two lines"),
        pytest.param("taken", CREDENTIALS, "name", id="taken"),
        pytest.param(" taken ", CREDENTIALS, "name", id="taken but for spaces"),
        pytest.param("gone", CREDENTIALS, "name", id="taken by a disconnected one"),
        pytest.param("new", Credentials("", "s", "p"), "key", id="no key"),
        pytest.param("new", Credentials("k", " ", "p"), "secret", id="blank secret"),
        pytest.param("new", Credentials("k", "s", "ü"), "passphrase", id="bad passphrase"),
    ],
)
def test_bad_input_is_refused_before_anything_is_asked(nobody_there, name, credentials, field):
    user = a_user()
    an_account(user, "taken")
    services.disconnect_account(account=an_account(user, "gone"), by=user)
    with pytest.raises(InvalidField) as refused:
        connect(user, nobody_there, credentials, name)
    assert refused.value.field == field
    assert user.exchange_accounts.count() == 2


def test_an_exchange_that_does_not_answer_is_said(nobody_there):
    with pytest.raises(TransientError):
        connect(a_user(), nobody_there, CREDENTIALS)


def test_an_exchange_that_is_switched_off_is_not_asked(nobody_there):
    nobody_there.is_enabled = False
    with pytest.raises(AccountInactive, match="switched off"):
        connect(a_user(), nobody_there, CREDENTIALS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("other", "other", id="new name"),
        pytest.param(" other ", "other", id="trimmed"),
        pytest.param("main", "main", id="its own name"),
        pytest.param("taken", None, id="taken"),
        pytest.param("", None, id="empty"),
    ],
)
def test_renaming(name, expected):
    user = a_user()
    an_account(user, "taken")
    an_account(a_user("bob"), "other")
    account = an_account(user, "main")
    if expected is None:
        with pytest.raises(InvalidField, match="name: "):
            services.rename_account(account=account, name=name, by=account.user)
    else:
        services.rename_account(account=account, name=name, by=account.user)
    account.refresh_from_db()
    assert account.name == (expected or "main")
    assert kinds_of(user) == (["account_renamed"] if expected == "other" else [])


def test_activating_switches_and_counts_the_generation(switches):
    user = a_user()
    old, new = an_account(user, "old", is_active=True), an_account(user, "new")
    bystander = an_account(a_user("bob"), is_active=True)
    services.activate_account(account=new, by=new.user)
    assert active_account(user.pk) == new
    assert active_account(bystander.user_id) == bystander
    old.refresh_from_db()
    assert not old.is_active
    assert switches == [(user.pk, 1)]
    assert kinds_of(user) == ["account_activated"]


def test_activating_the_active_account_changes_nothing(switches):
    account = an_account(a_user(), is_active=True)
    assert services.activate_account(account=account, by=account.user) == account
    assert switches == []
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(
            lambda account: services.disconnect_account(account=account, by=account.user),
            "disconnected",
            id="disconnected",
        ),
        pytest.param(
            lambda account: type(account.exchange).objects.update(is_enabled=False),
            "switched off",
            id="exchange off",
        ),
        pytest.param(
            lambda account: User.objects.filter(pk=account.user_id).update(is_active=False),
            "blocked",
            id="owner blocked",
        ),
    ],
)
def test_an_unusable_account_is_neither_activated_nor_opened(spoil, reason):
    account = an_account(a_user())
    spoil(account)
    with pytest.raises(AccountInactive, match=reason):
        services.activate_account(account=account, by=account.user)
    account = ExchangeAccount.objects.select_related("user", "exchange").get(pk=account.pk)
    assert not account.is_active
    with pytest.raises(AccountInactive, match=reason):
        open_client(account)


def test_a_receiver_that_fails_undoes_the_switch():
    user = a_user()
    old, new = an_account(user, "old", is_active=True), an_account(user, "new")

    def fail(**kwargs):
        raise ValueError("no room for the schedule")

    active_account_changed.connect(fail)
    try:
        with pytest.raises(ValueError, match="no room"):
            services.activate_account(account=new, by=new.user)
    finally:
        active_account_changed.disconnect(fail)
    assert active_account(user.pk) == old
    assert User.objects.get(pk=user.pk).account_generation == 0


@pytest.mark.parametrize("is_active", [True, False])
def test_disconnecting_wipes_the_credentials_and_keeps_the_row(switches, is_active):
    account = an_account(a_user(), is_active=is_active)
    for _ in range(2):
        services.disconnect_account(account=account, by=account.user)
    account.refresh_from_db()
    assert account.sealed_credentials is None
    assert not account.is_connected
    assert not account.is_active
    assert switches == ([(account.user_id, 1)] if is_active else [])
    assert kinds_of(account.user) == ["account_disconnected"]


@pytest.mark.django_db(transaction=True)
def test_concurrent_switches_leave_exactly_one_active_account():
    user = a_user()
    accounts = [an_account(user, f"account {number}") for number in range(6)]
    start = threading.Barrier(len(accounts))

    def switch(account):
        try:
            start.wait(timeout=10)
            for _ in range(5):
                services.activate_account(account=account, by=account.user)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(switch, accounts))
    assert user.exchange_accounts.filter(is_active=True).count() == 1
    user.refresh_from_db()
    assert user.account_generation == Event.objects.filter(kind="account_activated").count()


@pytest.mark.django_db(transaction=True)
def test_an_account_disconnected_meanwhile_is_not_activated():
    account = an_account(a_user())
    stale = ExchangeAccount.objects.get(pk=account.pk)
    services.disconnect_account(account=account, by=account.user)
    with pytest.raises(AccountInactive):
        services.activate_account(account=stale, by=stale.user)
    with pytest.raises(AccountInactive):
        open_client(services.rename_account(account=stale, name="renamed", by=stale.user))
