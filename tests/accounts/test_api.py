"""The accounts API as a program meets it: what is allowed, what is refused, with which words."""

import pytest
from knox.models import AuthToken

from accounts.models import ExchangeAccount
from accounts.services import disconnect_account
from tests.accounts.builders import a_user, an_account, api_of

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/accounts/"
WORDS = {"name": "main", "exchange": "paper", "key": "k", "secret": "s", "passphrase": "p"}
SHOWN = {
    "id", "name", "exchange", "is_active", "is_connected", "state", "state_at", "state_message",
    "meanwhile", "created_at", "updated_at", "verified_at", "disconnected_at",
}  # fmt: skip


def of(account, rest=""):
    return f"{ACCOUNTS}{account.pk}/{rest}"


def words_for(paper):
    credentials = paper.control.create_account(balance=1).credentials
    return WORDS | {
        "key": credentials.key,
        "secret": credentials.secret,
        "passphrase": credentials.passphrase,
    }


def test_an_account_is_connected_renamed_switched_and_disconnected(paper, at_paper):
    alice = a_user()
    api, old = api_of(alice), an_account(alice, "old", is_active=True)
    made = api.post(ACCOUNTS, words_for(paper))
    assert made.status_code == 201
    assert set(made.data) == SHOWN
    new = ExchangeAccount.objects.get(pk=made.data["id"])
    assert not new.is_active

    renamed = api.patch(of(new), {"name": "new"})
    assert (renamed.status_code, renamed.data["name"]) == (200, "new")
    activated = api.post(of(new, "activate/"))
    assert (activated.status_code, activated.data["is_active"]) == (200, True)
    assert api.delete(of(new)).status_code == 204
    shown = api.get(of(new)).data
    assert not shown["is_active"]
    assert not shown["is_connected"]
    listed = api.get(ACCOUNTS).data["results"]
    assert [row["name"] for row in listed] == [old.name, "new"]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        pytest.param({"name": None}, "name", "null", id="no name"),
        pytest.param({"name": "  "}, "name", "blank", id="blank name"),
        pytest.param({"name": "x" * 81}, "name", "80", id="long name"),
        pytest.param({"name": "a\nb"}, "name", "printable", id="two lines"),
        pytest.param({"name": "a\u202eb"}, "name", "printable", id="turned around"),
        pytest.param({"name": ["main"]}, "name", "string", id="a list"),
        pytest.param({"name": "taken"}, "name", "choose a different name", id="taken"),
        pytest.param({"exchange": "mtgox"}, "exchange", "Allowed: ", id="unknown exchange"),
        pytest.param({"exchange": "off"}, "exchange", "Allowed: ", id="exchange off"),
        pytest.param({"key": ""}, "key", "blank", id="no key"),
        pytest.param({"secret": "x\r\ny"}, "secret", "printable ASCII", id="a header in it"),
        pytest.param({"passphrase": "x" * 257}, "passphrase", "256", id="long passphrase"),
        pytest.param({"user": 1}, "user", "Unknown field. Allowed: ", id="somebody else's"),
        pytest.param({"is_active": True}, "is_active", "Unknown field", id="read-only"),
        pytest.param({"sealed_credentials": "x"}, "sealed_credentials", "Unknown", id="hidden"),
    ],
)
def test_bad_input_names_the_field_and_saves_nothing(nobody_there, change, field, says):
    defaults = {"name": "Off", "adapter": "lnmarkets", "is_enabled": False}
    type(nobody_there).objects.create(slug="off", **defaults)
    alice = a_user()
    an_account(alice, "taken")
    answer = api_of(alice).post(ACCOUNTS, WORDS | change)
    assert answer.status_code == 400
    assert list(answer.data) == [field]
    assert says in str(answer.data[field])
    assert alice.exchange_accounts.count() == 1


@pytest.mark.parametrize("missing", sorted(WORDS))
def test_what_is_missing_is_named(nobody_there, missing):
    given = {field: value for field, value in WORDS.items() if field != missing}
    answer = api_of(a_user()).post(ACCOUNTS, given)
    assert answer.status_code == 400
    assert list(answer.data) == [missing]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("{", 400, id="half a body"),
        pytest.param('["main"]', 400, id="a list"),
        pytest.param('"main"', 400, id="a string"),
        pytest.param("null", 400, id="null"),
        pytest.param('{"name": NaN}', 400, id="NaN"),
        pytest.param('{"name": "\\ud800"}', 400, id="half a character"),
        pytest.param('{"name": "a\\u0000b"}', 400, id="a null character"),
    ],
)
def test_a_body_that_is_no_object_is_refused(nobody_there, body, status):
    api = api_of(a_user())
    assert api.post(ACCOUNTS, body, content_type="application/json").status_code == status
    assert api.post(ACCOUNTS, body, content_type="text/plain").status_code == 415


@pytest.mark.parametrize("wrong", ["key", "secret", "passphrase"])
def test_credentials_the_exchange_refuses_are_a_400(paper, at_paper, wrong):
    answer = api_of(a_user()).post(ACCOUNTS, words_for(paper) | {wrong: "wrong-one"})
    assert answer.status_code == 400
    assert "refuses" in answer.data["key"][0]
    assert not ExchangeAccount.objects.exists()


def test_an_exchange_that_does_not_answer_is_a_503_with_a_sentence(nobody_there):
    answer = api_of(a_user()).post(ACCOUNTS, WORDS)
    assert answer.status_code == 503
    assert answer.data["detail"]
    assert not ExchangeAccount.objects.exists()


@pytest.mark.parametrize(
    ("method", "rest", "body", "field"),
    [
        pytest.param("patch", "", {}, "name", id="rename to nothing"),
        pytest.param("patch", "", {"name": ""}, "name", id="rename to blank"),
        pytest.param("patch", "", {"name": "taken"}, "name", id="rename to taken"),
        pytest.param("patch", "", {"name": "x", "key": "k"}, "key", id="change the key"),
        pytest.param("patch", "", {"name": "x", "user": 1}, "user", id="give away"),
        pytest.param("post", "activate/", {"force": True}, "force", id="activate with force"),
    ],
)
def test_bad_changes_are_refused_and_change_nothing(method, rest, body, field):
    alice = a_user()
    an_account(alice, "taken")
    account = an_account(alice)
    answer = getattr(api_of(alice), method)(of(account, rest), body)
    assert answer.status_code == 400
    assert list(answer.data) == [field]
    before = ExchangeAccount.objects.values().get(pk=account.pk)
    assert (before["name"], before["is_active"], before["user_id"]) == ("main", False, alice.pk)


def test_a_disconnected_account_is_not_activated():
    alice = a_user()
    account = disconnect_account(account=an_account(alice), by=alice)
    answer = api_of(alice).post(of(account, "activate/"))
    assert answer.status_code == 400
    assert "connect it again" in answer.data["detail"]


ROUTES = [
    pytest.param("get", "", None, 200, id="show"),
    pytest.param("patch", "", {"name": "renamed"}, 200, id="rename"),
    pytest.param("post", "activate/", None, 200, id="activate"),
    pytest.param("delete", "", None, 204, id="disconnect"),
]
STRANGERS = [
    ("anonymous", 401),
    ("blocked", 401),
    ("other", 404),
    ("staff", 404),
    ("superuser", 404),
]


def somebody(who):
    if who == "anonymous":
        return None
    roles = {
        "blocked": {"is_active": False},
        "staff": {"is_staff": True},
        "superuser": {"is_staff": True, "is_superuser": True},
    }
    return a_user(who, **roles.get(who, {}))


@pytest.mark.parametrize(("method", "rest", "body", "status"), ROUTES)
def test_an_account_exists_for_its_owner(method, rest, body, status):
    owner = a_user("owner")
    account = an_account(owner)
    assert getattr(api_of(owner), method)(of(account, rest), body).status_code == status


@pytest.mark.parametrize(("method", "rest", "body", "status"), ROUTES)
@pytest.mark.parametrize(("who", "refusal"), STRANGERS)
def test_an_account_exists_for_nobody_else(who, refusal, method, rest, body, status):
    account = an_account(a_user("owner"))
    before = ExchangeAccount.objects.values().get(pk=account.pk)
    answer = getattr(api_of(somebody(who)), method)(of(account, rest), body)
    assert answer.status_code == refusal
    assert ExchangeAccount.objects.values().get(pk=account.pk) == before


@pytest.mark.parametrize(("who", "refusal"), STRANGERS)
def test_a_list_holds_only_ones_own(who, refusal):
    an_account(a_user("owner"))
    answer = api_of(somebody(who)).get(ACCOUNTS)
    assert answer.status_code == (401 if refusal == 401 else 200)
    assert answer.data.get("results", []) == []


@pytest.mark.parametrize("who", ["anonymous", "blocked"])
def test_nobody_connects_without_a_token(nobody_there, who):
    assert api_of(somebody(who)).post(ACCOUNTS, WORDS).status_code == 401


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_list_itself_is_not_changed(method):
    assert getattr(api_of(a_user()), method)(ACCOUNTS, {}).status_code == 405


@pytest.mark.parametrize("account_id", ["1", "x", "00000000-0000-0000-0000-000000000000", "%00"])
def test_an_account_that_never_was_is_a_404(account_id):
    assert api_of(a_user()).get(f"{ACCOUNTS}{account_id}/").status_code == 404


@pytest.mark.parametrize("header", ["Token", "Token x y", "Token wrong", "Basic x", "Token \u00fc"])
def test_a_bad_token_is_a_401(header):
    api = api_of(None)
    api.credentials(HTTP_AUTHORIZATION=header)
    assert api.get(ACCOUNTS).status_code == 401


def test_a_session_is_not_a_token():
    api = api_of(None)
    api.force_login(a_user(is_staff=True))
    assert api.get(ACCOUNTS).status_code == 401


def test_a_token_does_not_expire_and_ends_when_it_is_deleted():
    api = api_of(a_user())
    assert AuthToken.objects.get().expiry is None
    assert api.get(ACCOUNTS).status_code == 200
    AuthToken.objects.all().delete()
    assert api.get(ACCOUNTS).status_code == 401


def test_the_document_describes_every_route_and_no_secret_in_an_answer():
    schema = api_of(a_user()).get("/api/schema/", HTTP_ACCEPT="application/json").json()
    assert set(schema["paths"]["/api/accounts/"]) == {"get", "post"}
    assert set(schema["paths"]["/api/accounts/{id}/"]) == {"get", "patch", "delete"}
    assert set(schema["paths"]["/api/accounts/{id}/credentials/"]) == {"put"}
    assert set(schema["paths"]["/api/accounts/{id}/activate/"]) == {"post"}
    assert set(schema["components"]["schemas"]["Account"]["properties"]) == SHOWN
