"""Planted credentials and keys, searched wherever the accounts package writes something."""

import base64
import logging
import traceback
from dataclasses import replace
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.views.debug import ExceptionReporter

from accounts.credentials import check_credentials
from accounts.errors import AccountError, InvalidField, SealBroken
from accounts.gateway import open_client
from accounts.models import ExchangeAccount
from accounts.services import connect_account
from accounts.vault import seal, unseal
from exchanges.errors import ExchangeError
from exchanges.types import Credentials
from tests.accounts.builders import a_user, api_of

pytestmark = pytest.mark.django_db

CANARY = Credentials("CANARY-key-71c2", "CANARY-secret-8d3e", "CANARY-passphrase-f04a")
ACCOUNTS = "/api/accounts/"


def parts(credentials):
    return (credentials.key, credentials.secret, credentials.passphrase)


def encodings(secret):
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("="),
    }


def assert_hidden(text, credentials):
    for secret in parts(credentials):
        found = [form for form in encodings(secret) if form in text]
        assert not found


def database():
    """Every row of every table, as PostgreSQL writes it (bytes in hexadecimal)."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT t::text FROM {name} t")  # noqa: S608 (our own tables)
            yield from (row for (row,) in cursor.fetchall())


def test_the_search_finds_what_lies_open():
    a_user(CANARY.secret)
    with pytest.raises(AssertionError):
        assert_hidden("\n".join(database()), CANARY)


def test_a_connected_account_shows_its_credentials_nowhere(paper, at_paper, caplog):
    caplog.set_level(logging.DEBUG)
    real = paper.control.create_account(balance=1).credentials
    alice = a_user()
    api, page = api_of(alice), Client()
    page.force_login(a_user("operator", is_staff=True, is_superuser=True))
    words = dict(zip(("key", "secret", "passphrase"), parts(real), strict=True))
    said = [api.post(ACCOUNTS, words | {"name": "main", "exchange": "paper"})]
    account = ExchangeAccount.objects.get()
    assert open_client(account).account().balance == 1
    address = f"{ACCOUNTS}{account.pk}/"
    said += [api.get(ACCOUNTS), api.get(address), api.patch(address, {"name": "new"})]
    said += [api.post(f"{address}activate/"), api.options(address), api.get("/api/schema/")]
    for name in ("change", "history"):
        said.append(page.get(reverse(f"admin:accounts_exchangeaccount_{name}", args=[account.pk])))
    said.append(page.get(reverse("admin:accounts_exchangeaccount_changelist")))
    said.append(page.get(reverse("admin:accounts_event_changelist")))
    assert {answer.status_code for answer in said} <= {200, 201}
    for answer in said:
        assert_hidden(answer.content.decode() + str(answer.headers), real)
    assert_hidden("\n".join(database()), real)
    assert_hidden(caplog.text, real)


@pytest.mark.parametrize(
    "fault", ["none", "cut_before", "cut_after", "nobody there"], ids=lambda fault: fault
)
def test_a_failed_connection_shows_the_credentials_nowhere(
    paper, at_paper, settings, caplog, fault
):
    caplog.set_level(logging.DEBUG)
    if fault == "nobody there":
        settings.PAPER_URL = "http://127.0.0.1:1/v3"
    elif fault != "none":
        paper.control.fault(fault)
    user = a_user()
    with pytest.raises((AccountError, ExchangeError)) as failed:
        connect_account(user=user, exchange=at_paper, name="main", credentials=CANARY, by=user)
    chain = "".join(traceback.format_exception(failed.value))
    assert_hidden(chain + report_of(failed) + caplog.text, CANARY)
    assert_hidden("\n".join(database()), CANARY)


@pytest.mark.parametrize("spoiled", ["user", "name"])
def test_refused_input_is_not_repeated(nobody_there, caplog, spoiled):
    caplog.set_level(logging.DEBUG)
    words = dict(zip(("key", "secret", "passphrase"), parts(CANARY), strict=True))
    body = words | {"name": "main", "exchange": "paper"} | {spoiled: ""}
    answer = api_of(a_user()).post(ACCOUNTS, body)
    assert answer.status_code == 400
    assert_hidden(answer.content.decode() + caplog.text, CANARY)


def report_of(failed):
    """The page Django would mail to an administrator, with the variables of every frame."""
    return ExceptionReporter(None, failed.type, failed.value, failed.tb).get_traceback_html()


@pytest.mark.parametrize("field", ["key", "secret", "passphrase"])
def test_a_report_of_an_unsendable_credential_does_not_show_it(field):
    with pytest.raises(InvalidField) as failed:
        check_credentials(replace(CANARY, **{field: getattr(CANARY, field) + "\n"}))
    assert_hidden(report_of(failed), CANARY)


def test_a_report_of_a_broken_seal_shows_neither_the_vault_key_nor_what_was_sealed(settings):
    token = seal(CANARY.secret.encode(), bound_to="here")
    with pytest.raises(SealBroken) as failed:
        unseal(token, bound_to="there")
    report = report_of(failed)
    assert "raise SealBroken" in report
    assert_hidden(report, CANARY)
    for key in settings.VAULT_KEYS.values():
        assert repr(key[:4])[2:-1] not in report
