"""The API for automations: what it takes, what it refuses, and who may see what."""

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import User
from automations.models import Automation
from tests.automations.conftest import ADD_MARGIN

pytestmark = pytest.mark.django_db

GOOD = {
    "name": "night watch",
    "kind": "margin_guard",
    "config": {"threshold": "0.8", "action": ADD_MARGIN},
}


def client_of(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")
    return client


@pytest.fixture
def client(guarded):
    return client_of(guarded.user)


@pytest.fixture
def stranger(guarded):
    return client_of(User.objects.create_user("stranger"))


def test_create_fills_in_defaults_and_the_active_account(client, guarded):
    answer = client.post("/api/automations/", GOOD, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body["account"] == str(guarded.account.id)
    assert (body["period"], body["every"], body["is_active"]) == (30, None, True)
    assert body["config"]["cool_down"] == 60
    assert body["mode"] == "live"
    assert body["config"]["scope"]["exclude"] == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": None}, "name", "null"),
        ({"kind": "tp_sl"}, "config.threshold", "Unknown key. Allowed: action, cool_down, scope"),
        ({"mode": "loud"}, "mode", "Must be one of: live, confirm, shadow."),
        ({"kind": "magic"}, "kind", "not a kind of automation; available: margin_guard"),
        ({"every": 0}, "every", "every must be a whole number from 1 to 3600, or null"),
        ({"every": 3601}, "every", "from 1 to 3600"),
        ({"every": "soon"}, "every", "from 1 to 3600"),
        ({"timeout": 4}, "timeout", "timeout must be a whole number from 5 to 90, or null"),
        ({"timeout": 91}, "timeout", "from 5 to 90"),
        ({"timeout": 7.5}, "timeout", "from 5 to 90"),
        ({"retries": -1}, "retries", "retries must be a whole number from 0 to 5, or null"),
        ({"retries": 6}, "retries", "from 0 to 5"),
        ({"backoff": 0}, "backoff", "backoff must be a whole number from 1 to 30, or null"),
        ({"backoff": 31}, "backoff", "from 1 to 30"),
        ({"backoff": True}, "backoff", "from 1 to 30"),
        ({"account": "00000000-0000-0000-0000-000000000000"}, "account", "does not exist"),
        ({"user": 1}, "user", "Unknown field"),
        ({"reason_code": "fine"}, "reason_code", "Unknown field"),
        ({"config": []}, "config", "dictionary"),
        ({"config": {}}, "config.threshold", "Required"),
        (
            {"config": {**GOOD["config"], "treshold": 1}},
            "config.treshold",
            "Unknown key. Allowed: action, cool_down, measure, scope, threshold.",
        ),
        ({"config": {**GOOD["config"], "threshold": 2}}, "config.threshold", "less than or equal"),
        (
            {"config": {**GOOD["config"], "action": {"type": "reduce_position", "percent": 100}}},
            "config.action.percent",
            "less than or equal to 99",
        ),
        (
            {"config": {**GOOD["config"], "action": {**ADD_MARGIN, "amount": -1}}},
            "config.action.amount",
            "greater than or equal to 1",
        ),
        (
            {"config": {**GOOD["config"], "action": {**ADD_MARGIN, "amuont": 1}}},
            "config.action.amuont",
            "Unknown key. Allowed: amount, fallback, max_per_day, max_per_position, take_back,",
        ),
        (
            {"config": {**GOOD["config"], "action": {"type": "boo"}}},
            "config.action.type",
            "Must be one of: add_margin, close_position, reduce_position.",
        ),
        (
            {"config": {**GOOD["config"], "action": {}}},
            "config.action.type",
            "Must be one of: add_margin, close_position, reduce_position.",
        ),
        (
            {"config": {**GOOD["config"], "action": "add_margin"}},
            "config.action",
            "Must be an object, of one of the types: add_margin, close_position,",
        ),
        (
            {"config": {**GOOD["config"], "scope": "long"}},
            "config.scope",
            "Must be an object with these keys: cross, exclude, isolated, only, side.",
        ),
        (
            {"config": {**GOOD["config"], "scope": {"only": ["x", 5]}}},
            "config.scope.only.1",
            "valid string",
        ),
    ],
    ids=str,
)
def test_bad_input_is_a_400_that_names_the_field_and_saves_nothing(client, changes, field, words):
    answer = client.post("/api/automations/", {**GOOD, **changes}, format="json")
    assert answer.status_code == 400
    assert words in " ".join(answer.json()[field])
    assert Automation.objects.count() == 1


KINDS_OWN = {"every": 30, "timeout": 60, "retries": 3, "backoff": 5}


@pytest.mark.parametrize(
    ("own", "policy"),
    [
        ({}, KINDS_OWN),
        ({"timeout": 90, "backoff": 30}, {**KINDS_OWN, "timeout": 90, "backoff": 30}),
        ({"every": 3600, "timeout": 5, "retries": 0, "backoff": 1},
         {"every": 3600, "timeout": 5, "retries": 0, "backoff": 1}),
        ({"retries": 5, "timeout": None}, {**KINDS_OWN, "retries": 5}),
    ],
    ids=str,
)  # fmt: skip
def test_what_an_automation_has_of_its_own_comes_before_its_kind_and_is_cloned(client, own, policy):
    made = client.post("/api/automations/", {**GOOD, **own}, format="json").json()
    clone = client.post(f"/api/automations/{made['id']}/clone/", {"name": "b"}, format="json")
    for body in (made, clone.json()):
        assert body["policy"] == policy
        assert {name: body[name] for name in policy} == {**dict.fromkeys(policy), **own}


def test_what_an_automation_has_of_its_own_is_given_up_with_null(client, guarded):
    url = f"/api/automations/{guarded.automation.id}/"
    for given, now in ((7, 7), (None, 60)):
        answer = client.patch(url, {"timeout": given}, format="json")
        assert (answer.status_code, answer.json()["policy"]["timeout"]) == (200, now)
    guarded.automation.refresh_from_db()
    assert guarded.automation.timeout is None


def test_patch_pauses_and_changes(client, guarded):
    url = f"/api/automations/{guarded.automation.id}/"
    answer = client.patch(url, {"is_active": False, "every": 10, "name": "new"}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["is_active"], answer.json()["period"]) == (False, 10)
    guarded.automation.refresh_from_db()
    assert guarded.automation.name == "new"


@pytest.mark.parametrize("change", [{"kind": "tp_sl"}, {"config": {"threshold": 5}}, {"x": 1}])
def test_a_bad_patch_changes_nothing(client, guarded, change):
    url = f"/api/automations/{guarded.automation.id}/"
    assert client.patch(url, {"name": "new", **change}, format="json").status_code == 400
    guarded.automation.refresh_from_db()
    assert guarded.automation.name == "guard"


def test_delete_keeps_the_history(client, guarded):
    guarded.run()
    url = f"/api/automations/{guarded.automation.id}/"
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.get("/api/executions/").json()["count"] == 1


def test_an_execution_says_what_and_why(client, guarded):
    guarded.fall()
    guarded.run()
    (execution,) = client.get("/api/executions/").json()["results"]
    assert execution["event"] == "margin_guard_executed"
    assert execution["status"] == "success"
    assert execution["cause"] == "tick"
    assert "adding 50,000 sats" in execution["reason_text"]
    assert execution["intents"][0]["state"] == "confirmed"
    assert execution["inputs"]["ages"]["ticker"] >= 0


@pytest.mark.parametrize(
    ("query", "status", "count"),
    [
        ("status=success", 200, 1),
        ("status=error", 200, 0),
        ("status=nonsense", 400, None),
        ("automation=00000000-0000-0000-0000-000000000000", 200, 0),
        ("automation=nonsense", 400, None),
        ("limit=1&offset=0", 200, 1),
        ("limit=0", 400, None),
        ("status=", 400, None),
    ],
)
def test_executions_can_be_filtered(client, guarded, query, status, count):
    guarded.fall()
    guarded.run()
    answer = client.get(f"/api/executions/?{query}")
    assert answer.status_code == status
    assert answer.json().get("count") == count


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        ("automations", "limit, offset"),
        ("executions", "automation, limit, offset, slot, status"),
    ],
)
def test_a_misspelt_filter_is_refused_instead_of_ignored(client, resource, allowed):
    answer = client.get(f"/api/{resource}/?satus=success")
    assert answer.status_code == 400
    assert answer.json() == {"satus": [f"Unknown field. Allowed: {allowed}."]}


def test_the_openapi_document_names_the_filters(client):
    document = client.get("/api/schema/?format=json").json()
    parameters = document["paths"]["/api/executions/"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {
        "automation", "limit", "offset", "slot", "status",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
@pytest.mark.parametrize("resource", ["automations", "executions"])
def test_what_belongs_to_another_user_does_not_exist(guarded, stranger, method, resource):
    execution = guarded.run()
    pk = guarded.automation.id if resource == "automations" else execution.id
    answer = getattr(stranger, method)(f"/api/{resource}/{pk}/", {}, format="json")
    assert answer.status_code == (405 if (resource, method) in READ_ONLY else 404)
    assert stranger.get(f"/api/{resource}/").json()["count"] == 0


READ_ONLY = {("executions", "patch"), ("executions", "delete")}


def test_an_automation_cannot_be_put_on_another_users_account(guarded, stranger):
    body = {**GOOD, "account": str(guarded.account.id)}
    answer = stranger.post("/api/automations/", body, format="json")
    assert answer.status_code == 400
    assert "account" in answer.json()


def test_without_an_active_account_it_says_what_to_do(guarded, stranger):
    answer = stranger.post("/api/automations/", GOOD, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["account"])


@pytest.mark.parametrize("resource", ["accounts", "automations", "executions"])
def test_nobody_gets_anything_without_a_token(db, resource):
    assert APIClient().get(f"/api/{resource}/").status_code == 401
