"""The old system's addresses: its bodies, its shapes, and nobody else's automations."""

import pytest

from accounts.models import User
from automations import manual
from automations.execution import drain
from automations.importing.ids import imported_id
from automations.models import Automation, Errand
from automations.services import clone_automation, create_automation
from tests.accounts.builders import api_of

pytestmark = pytest.mark.django_db

EXECUTE = "/api/automation/execute"
SCHEDULER = "/api/automation/scheduler/execute"
LOGS = "/api/automation/execution-logs"
TRIGGER = {
    "conditions": [{"type": "price", "at_or_above": 200_000}],
    "order": {"type": "isolated", "side": "long", "quantity": 100, "leverage": 2},
}
SHAPE = {
    "status", "action", "timestamp", "automationId", "userId", "accountId", "accountName",
    "tradeId", "result",
}  # fmt: skip


@pytest.fixture
def client(guarded):
    return api_of(guarded.user)


@pytest.fixture
def triggers(guarded):
    """Two trigger orders beside the guard."""
    return [
        create_automation(
            user=guarded.user,
            account=guarded.account,
            kind="trigger_order",
            name=name,
            config=TRIGGER,
            by=guarded.user,
        )
        for name in ("one", "two")
    ]


def body_of(guarded, **changes):
    return {"userId": str(guarded.user.pk), "automationId": str(guarded.automation.id)} | changes


@pytest.mark.parametrize(
    ("action", "only"),
    [
        (None, ""),
        ("margin_guard", ""),
        ("margin_guard_executed", ""),
        ("add_margin", "add_margin"),
        ("close_sl", "close_position"),
        ("reduce_position", "reduce_position"),
    ],
)
def test_execute(client, guarded, action, only):
    asked = {"action": action} if action else {}
    answer = client.post(EXECUTE, body_of(guarded, **asked))
    assert answer.status_code == 202
    result = answer.json()
    assert set(result) == SHAPE
    assert (result["status"], result["accountName"]) == ("pending", "main")
    errand = Errand.objects.get()
    assert (errand.only_action, errand.slot) == (only, result["result"]["slot"])
    assert errand.requested_by == guarded.user


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"userId": "999999"}, 404),
        ({"automationId": "00000000-0000-0000-0000-000000000000"}, 404),
        ({"automationId": "auto456"}, 404),
        ({"action": "explode"}, 400),
        ({"tradeID": "x"}, 400),
        ({"userId": None}, 400),
    ],
    ids=str,
)
def test_what_is_not_there_or_not_allowed(client, guarded, changes, status):
    assert client.post(EXECUTE, body_of(guarded, **changes)).status_code == status
    assert not Errand.objects.exists()


def test_an_automation_keeps_its_old_id(client, guarded):
    Automation.objects.update(id=imported_id(guarded.user.pk, "auto456"))
    assert client.post(EXECUTE, body_of(guarded, automationId="auto456")).status_code == 202


def test_too_often(client, guarded):
    for _ in range(manual.RUNS_PER_MINUTE):
        manual.run_now(guarded.automation, by=guarded.user)
    assert client.post(EXECUTE, body_of(guarded)).status_code == 429
    assert client.post(SCHEDULER, {"type": "triggers"}).status_code == 429


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"type": "triggers"}, "one two"),
        ({"type": "triggers", "clientId": "own"}, "one two"),
        ({"type": "triggers", "ruleId": "one"}, "one"),
        ({"type": "auto-invest"}, ""),
    ],
    ids=str,
)
def test_one_or_all_of_a_type(client, guarded, triggers, body, names):
    meant = {"own": str(guarded.user.pk), "one": str(triggers[0].id)}
    body = {key: meant.get(value, value) for key, value in body.items()}
    answer = client.post(SCHEDULER, body)
    assert (answer.status_code, answer.json()["success"]) == (202, True)
    assert all(set(result) == SHAPE for result in answer.json()["data"])
    assert {errand.automation.name for errand in Errand.objects.all()} == set(names.split())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "triggers", "clientId": "999999"}, 404),
        ({"type": "triggers", "ruleId": "the guard"}, 404),
        ({"type": "triggers", "ruleId": "AUTO-1"}, 404),
        ({"type": "everything"}, 400),
        ({}, 400),
    ],
    ids=str,
)
def test_nothing_else_of_a_type(client, guarded, triggers, body, status):
    meant = {"the guard": str(guarded.automation.id)}
    body = {key: meant.get(value, value) for key, value in body.items()}
    assert client.post(SCHEDULER, body).status_code == status
    assert not Errand.objects.exists()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("clientId=own", 2),
        ("automationType=MarginGuard", 1),
        ("automationType=margin_guard", 1),
        ("automationType=TriggerOrder", 1),
        ("automationType=auto-invest", 0),
        ("limit=1", 1),
        ("limit=5&offset=1", 1),
    ],
)
def test_logs(client, guarded, triggers, query, count):
    guarded.fall()
    guarded.run()
    manual.run_now(triggers[0], by=guarded.user)
    drain(guarded.account)
    answer = client.get(f"{LOGS}?{query.replace('own', str(guarded.user.pk))}")
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    found = answer.json()["data"]
    assert len(found) == count
    assert all(set(result) == SHAPE for result in found)


def test_a_log_tells_what_was_done(client, guarded):
    guarded.fall()
    guarded.run()
    (found,) = client.get(LOGS).json()["data"]
    assert (found["status"], found["action"]) == ("success", "add_margin")
    assert (found["tradeId"], found["userId"]) == (guarded.trade["id"], str(guarded.user.pk))
    assert found["result"]["actions"][0]["status"] == "confirmed"
    assert "adding 50,000 sats" in found["result"]["detail"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("clientId=999999", 404), ("automationType=Astrology", 400), ("client=1", 400)],
)
def test_no_other_logs(client, query, status):
    assert client.get(f"{LOGS}?{query}").status_code == status


def test_of_another_user_there_is_nothing(guarded, triggers):
    stranger = User.objects.create_user("stranger")
    client, guard = api_of(stranger), guarded.automation
    guarded.run()
    own = {"userId": str(stranger.pk), "automationId": str(guard.id)}
    assert client.post(EXECUTE, own).status_code == 404
    assert client.post(EXECUTE, body_of(guarded)).status_code == 404
    rule = {"type": "triggers", "ruleId": str(triggers[0].id)}
    assert client.post(SCHEDULER, rule).status_code == 404
    assert client.post(SCHEDULER, {"type": "triggers"}).json()["data"] == []
    assert client.get(LOGS).json()["data"] == []
    assert client.get(f"{LOGS}?clientId={guarded.user.pk}").status_code == 404
    assert not Errand.objects.exists()


def test_what_is_paused_is_left_out(client, guarded, triggers):
    clone_automation(automation=triggers[0], name="three", by=triggers[0].user)
    client.post(SCHEDULER, {"type": "triggers"})
    assert {errand.automation.name for errand in Errand.objects.all()} == {"one", "two"}


@pytest.mark.parametrize(
    ("method", "path"), [("post", EXECUTE), ("post", SCHEDULER), ("get", LOGS)]
)
def test_nobody_gets_anything_without_a_token(db, method, path):
    assert getattr(api_of(None), method)(path).status_code == 401


def test_the_document_names_them(client):
    document = client.get("/api/schema/", HTTP_ACCEPT="application/json").json()
    for method, path in (("post", EXECUTE), ("post", SCHEDULER), ("get", LOGS)):
        assert set(document["paths"][path]) == {method}
    answer = document["components"]["schemas"]["SchedulerAnswer"]["properties"]
    assert set(answer) == {"success", "data"}
