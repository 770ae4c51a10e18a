"""What operators do by the pages, as the audit has it."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from accounts.audit import record_audit
from accounts.models import Audit, Event, ExchangeAccount, User
from exchanges.models import Exchange
from tests.accounts.builders import a_user, an_account, the_paper_exchange
from tests.breaking import Broken, broken_after

pytestmark = pytest.mark.django_db

CHOSEN = "correct horse battery"


@pytest.fixture
def operator():
    return a_user("operator", is_staff=True, is_superuser=True)


@pytest.fixture
def page(operator):
    client = Client()
    client.force_login(operator)
    return client


def add(model, **form):
    return lambda page, row: page.post(reverse(f"admin:{model}_add"), form)


def change(model, **form):
    return lambda page, row: page.post(reverse(f"admin:{model}_change", args=(row.pk,)), form)


def delete(model):
    return lambda page, row: page.post(
        reverse(f"admin:{model}_delete", args=(row.pk,)), {"post": "yes"}
    )


def act(model, name):
    """Run an action of a list on one row of it."""
    form = {"action": name, "post": "yes"}
    return lambda page, row: page.post(
        reverse(f"admin:{model}_changelist"), {**form, "_selected_action": [str(row.pk)]}
    )


def set_password(page, user):
    address = reverse("admin:auth_user_password_change", args=(user.pk,))
    page.post(address, {"password1": CHOSEN, "password2": CHOSEN, "usable_password": "true"})


def a_token(user):
    return AuthToken.objects.create(user)[0]


def paper(user):
    return the_paper_exchange()


def a_group(user):
    return Group.objects.create(name="readers")


def myself(user):
    return user


JOINED = {"date_joined_0": "2026-01-02", "date_joined_1": "03:04:05"}
SENT_BACK = {f"initial-{name}": value for name, value in JOINED.items()}
USER = {"username": "alice", "is_active": "on", **JOINED, **SENT_BACK}
NEW = {"username": "new", "password1": CHOSEN, "password2": CHOSEN, "usable_password": "true"}
NO_DATE = {"expiry_0": "", "expiry_1": ""}

PAGES = [
    ("make a user", myself, add("accounts_user", **NEW),
     "user_created", "user/", "new", {"username": "new"}),
    ("let in to the pages", myself, change("accounts_user", **USER, is_staff="on"),
     "user_changed", "user/", "alice", {"is_staff": [False, True]}),
    ("block", myself, change("accounts_user", **{**USER, "is_active": ""}),
     "user_changed", "user/", "alice", {"is_active": [True, False]}),
    ("set a password", myself, set_password, "user_password_set", "user/", "alice", {}),
    ("make a group", myself, add("auth_group", name="writers"),
     "group_created", "group/", None, {"name": "writers"}),
    ("rename a group", a_group, change("auth_group", name="writers"),
     "group_changed", "group/", None, {"name": ["readers", "writers"]}),
    ("delete a group", a_group, delete("auth_group"),
     "group_deleted", "group/", None, {"name": "readers"}),
    ("revoke a token", a_token, delete("knox_authtoken"),
     "token_deleted", "token/", "alice", {}),
    ("revoke tokens", a_token, act("knox_authtoken", "delete_selected"),
     "token_deleted", "token/", "alice", {}),
    ("switch an exchange off", paper, change("exchanges_exchange", name="Paper"),
     "exchange_changed", "exchange/", None, {"is_enabled": [True, False]}),
    ("activate an account", an_account, act("accounts_exchangeaccount", "activate"),
     "account_activated", "account/", "alice", {}),
    ("rename an account", an_account, change("accounts_exchangeaccount", name="new"),
     "account_renamed", "account/", "alice", {"name": ["main", "new"]}),
]  # fmt: skip


@pytest.fixture
def alice():
    return a_user(date_joined=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("made", "do", "action", "subject", "owner", "data"),
    [pytest.param(*rest, id=case) for case, *rest in PAGES],
)
def test_a_change_is_written_down(page, operator, alice, made, do, action, subject, owner, data):
    do(page, made(alice))
    row = Audit.objects.get()
    assert (row.action, row.by) == (action, operator)
    assert row.subject.startswith(subject)
    assert (row.user and row.user.username) == owner
    assert row.data | data == row.data


@pytest.mark.parametrize(("made", "do"), [pytest.param(*row[1:3], id=row[0]) for row in PAGES])
def test_the_change_and_its_row_are_undone_together(page, alice, made, do):
    row = made(alice)
    before = stored()
    with broken_after(Audit), pytest.raises(Broken):
        do(page, row)
    assert stored() == before


def test_a_page_that_changes_nothing_writes_nothing(page, alice):
    change("accounts_user", **USER)(page, alice)
    assert not Audit.objects.exists()


def test_a_new_right_is_named(page, alice):
    group = a_group(alice)
    change("accounts_user", **USER, groups=[group.pk])(page, alice)
    assert Audit.objects.get().data == {"groups": [[], ["readers"]]}


def test_neither_passwords_nor_tokens_are_in_it(page, alice):
    add("accounts_user", **NEW)(page, alice)
    set_password(page, alice)
    answer = add("knox_authtoken", user=alice.pk, **NO_DATE)(page, alice)
    told = str(list(Audit.objects.values()))
    assert [row.action for row in Audit.objects.order_by("pk")] == [
        "user_created", "user_password_set", "token_created",
    ]  # fmt: skip
    for secret in (CHOSEN, answer.context["token"], User.objects.get(pk=alice.pk).password):
        assert secret not in told


def test_users_are_not_deleted(page, alice):
    assert delete("accounts_user")(page, alice).status_code == 403
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_audit_is_shown_and_never_written(page, alice, operator):
    row = record_audit("made", by=operator, subject="automation/7", user=alice)
    listing = page.get(reverse("admin:accounts_audit_changelist") + "?q=automation/7")
    assert "automation/7" in listing.content.decode()
    address = reverse("admin:accounts_audit_change", args=(row.pk,))
    assert page.get(address).status_code == 200
    for refused in (
        address,
        reverse("admin:accounts_audit_add"),
        reverse("admin:accounts_audit_delete", args=(row.pk,)),
    ):
        assert page.post(refused, {"post": "yes"}).status_code == 403


def stored():
    """All rows that the pages change, and the audit."""
    models = (User, Group, AuthToken, Exchange, ExchangeAccount, Event, Audit)
    return {model: sorted(map(str, model.objects.values())) for model in models}
