"""The operator's pages: what they show, what they do, and who gets in."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from accounts.models import Event, ExchangeAccount, User
from accounts.services import record_event
from tests.accounts.builders import CREDENTIALS, a_user, an_account, api_of

pytestmark = pytest.mark.django_db

SECRETS = (CREDENTIALS.key, CREDENTIALS.secret, CREDENTIALS.passphrase)
CHANGELIST = "admin:accounts_exchangeaccount_changelist"
CONNECT = "admin:accounts_exchangeaccount_add"


@pytest.fixture
def operator():
    return a_user("operator", is_staff=True, is_superuser=True)


@pytest.fixture
def page(operator):
    client = Client()
    client.force_login(operator)
    return client


def run(page, name, *accounts):
    form = {"action": name, "_selected_action": [str(account.pk) for account in accounts]}
    return page.post(reverse(CHANGELIST), form, follow=True)


def words_for(user, exchange, credentials=CREDENTIALS):
    return {
        "user": user.pk,
        "exchange": exchange.pk,
        "name": "main",
        "key": credentials.key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
    }


def pages():
    account = an_account(a_user(), is_active=True)
    event = record_event(
        kind="x", severity=Event.Severity.INFO, user=account.user, message="x", account=account
    )
    token, _ = AuthToken.objects.create(account.user)
    for thing in (account, event, account.user, token):
        prefix = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
        yield reverse(f"{prefix}_changelist")
        for name in ("change", "history"):
            yield reverse(f"{prefix}_{name}", args=(thing.pk,))
    for model in ("accounts_user", "auth_group", "knox_authtoken", "accounts_exchangeaccount"):
        yield reverse(f"admin:{model}_add")
    yield reverse("admin:index")
    yield reverse("admin:accounts_user_changelist") + "?q=alice"
    yield reverse(CHANGELIST) + "?q=main"


def test_every_page_opens_and_shows_no_credential(page):
    for address in pages():
        answer = page.get(address)
        assert answer.status_code == 200, address
        assert not any(secret in answer.content.decode() for secret in SECRETS), address


def test_nobody_but_staff_gets_in():
    addresses = list(pages())
    stranger = Client()
    stranger.force_login(User.objects.get(username="alice"))
    for address in addresses:
        for client in (Client(), stranger):
            assert client.get(address).status_code == 302, address


def test_staff_without_permission_changes_nothing():
    account = an_account(a_user())
    staff = a_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_exchangeaccount"))
    client = Client()
    client.force_login(staff)
    assert client.get(reverse(CHANGELIST)).status_code == 200
    assert client.get(reverse(CONNECT)).status_code == 403
    assert client.post(reverse(CONNECT), {}).status_code == 403
    run(client, "activate", account)
    run(client, "disconnect", account)
    account.refresh_from_db()
    assert account.is_connected
    assert not account.is_active


def test_an_operator_connects_an_account(page, operator, paper, at_paper):
    user = a_user()
    credentials = paper.control.create_account(balance=1).credentials
    answer = page.post(reverse(CONNECT), words_for(user, at_paper, credentials), follow=True)
    assert "main is connected." in answer.content.decode()
    assert ExchangeAccount.objects.get().user == user
    assert LogEntry.objects.get().user == operator


def test_the_form_says_what_the_exchange_refuses(page, paper, at_paper):
    answer = page.post(reverse(CONNECT), words_for(a_user(), at_paper))
    assert "refuses" in answer.content.decode()
    assert not ExchangeAccount.objects.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"name": ""}, "required", id="no name"),
        pytest.param({"name": "taken"}, "choose a different name", id="name taken"),
        pytest.param({"key": "ü"}, "printable ASCII", id="bad key"),
        pytest.param({"exchange": "999"}, "valid choice", id="unknown exchange"),
        pytest.param({}, "could not be reached", id="nobody answers"),
    ],
)
def test_the_form_says_what_is_wrong_and_forgets_what_was_typed(page, nobody_there, change, says):
    user = a_user()
    an_account(user, "taken")
    answer = page.post(reverse(CONNECT), words_for(user, nobody_there) | change)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert says in shown
    assert not any(secret in shown for secret in SECRETS)
    assert user.exchange_accounts.count() == 1


def test_accounts_are_renamed_and_nothing_else_is_edited(page):
    user = a_user()
    an_account(user, "taken")
    account = an_account(user)
    before = ExchangeAccount.objects.values().get(pk=account.pk)
    address = reverse("admin:accounts_exchangeaccount_change", args=(account.pk,))
    refused = page.post(address, {"name": "taken"})
    assert "choose a different name" in refused.content.decode()
    page.post(address, {"name": "new", "is_active": "on", "user": "1", "sealed_credentials": "x"})
    after = ExchangeAccount.objects.values().get(pk=account.pk)
    assert after == before | {"name": "new", "updated_at": after["updated_at"]}
    assert Event.objects.get().kind == "account_renamed"


def test_accounts_are_activated_and_disconnected_by_action(page, operator):
    account = an_account(a_user())
    assert "main is activated." in run(page, "activate", account).content.decode()
    account.refresh_from_db()
    assert account.is_active
    assert "main is disconnected." in run(page, "disconnect", account).content.decode()
    account.refresh_from_db()
    assert account.sealed_credentials is None
    assert "connect it again" in run(page, "activate", account).content.decode()
    assert LogEntry.objects.filter(user=operator).count() == 2


def test_history_is_neither_written_nor_deleted_by_hand(page):
    account = an_account(a_user())
    event = record_event(kind="x", severity=Event.Severity.INFO, user=account.user, message="x")
    for address in (
        reverse("admin:accounts_event_add"),
        reverse("admin:accounts_event_delete", args=(event.pk,)),
        reverse("admin:accounts_exchangeaccount_delete", args=(account.pk,)),
    ):
        assert page.post(address, {"post": "yes"}).status_code == 403


def test_a_token_is_shown_once_and_works(page):
    user = a_user()
    address = reverse("admin:knox_authtoken_add")
    answer = page.post(address, {"user": user.pk, "expiry_0": "", "expiry_1": ""})
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "messages" not in answer.cookies
    assert "no-store" in answer["Cache-Control"]
    api = api_of(None)
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert api.get("/api/accounts/").status_code == 200
    assert token not in page.get(reverse("admin:knox_authtoken_changelist")).content.decode()


def test_a_password_is_kept_as_argon2(page):
    address = reverse("admin:accounts_user_add")
    chosen = "correct horse battery"
    words = {"username": "new", "password1": chosen, "password2": chosen}
    page.post(address, words | {"usable_password": "true"})
    user = User.objects.get(username="new")
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(chosen)
