"""Pausing and resuming at every level: who rests, who says so, and what stands against it."""

import pytest
import redis
from django.conf import settings
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.gateway import open_client
from accounts.models import Audit, Event, ExchangeAccount, User
from accounts.services import connect_account, disconnect_account
from automations import (
    deciding,
    intents,
    journal,
    pausing,
    planning,
    schedule,
    selectors,
    sensing,
    status,
    turns,
)
from automations.models import Automation, Errand, Intent, Restriction
from automations.reading import utc_now
from automations.services import copy_automation
from automations.timetable import entries

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_redis():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture
def operator(db):
    return User.objects.create_user("operator", is_staff=True)


def client_of(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")
    return client


@pytest.fixture
def client(guarded):
    return client_of(guarded.user)


LEVELS = {
    "automation": "/api/automations/{automation}/{pause}/",
    "account": "/api/accounts/{account}/{pause}/",
    "user": "/api/schedule/{stop}/",
    "everything": "/api/scheduler/{stop}/",
}


def address(guarded, level, *, off):
    return LEVELS[level].format(
        automation=guarded.automation.id,
        account=guarded.account.id,
        pause="pause" if off else "resume",
        stop="stop" if off else "start",
    )


@pytest.fixture
def steer(guarded, operator):
    """Pause or resume a level, as whoever may."""
    clients = {level: client_of(guarded.user) for level in LEVELS}
    clients["everything"] = client_of(operator)

    def do(level, *, off):
        body = {"reason": "holiday"} if off else None
        answer = clients[level].post(address(guarded, level, off=off), body, format="json")
        schedule.keep()
        return answer

    return do


def is_scheduled():
    return entries.names() != set()


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_paused_leaves_the_schedule_and_comes_back(guarded, client, steer, level):
    assert is_scheduled()
    paused = steer(level, off=True)
    assert paused.status_code == 200
    assert not is_scheduled()
    assert selectors.runnable([guarded.automation.id]) == []
    shown = client.get(f"/api/automations/{guarded.automation.id}/schedule/").json()
    assert not shown["is_running"]
    assert shown["next_due_at"] is None
    [pause] = shown["paused"]
    assert (pause["level"], pause["reason"]) == (level, "holiday")
    assert pause["by"] == ("operator" if level == "everything" else "trader")
    assert client.get("/api/automations/").json()["results"][0]["paused"] == shown["paused"]

    resumed = steer(level, off=False)
    assert resumed.status_code == 200
    assert is_scheduled()
    shown = client.get(f"/api/automations/{guarded.automation.id}/schedule/").json()
    assert (shown["is_running"], shown["paused"]) == (True, [])


@pytest.mark.parametrize("level", LEVELS)
def test_pausing_twice_changes_nothing(guarded, steer, level):
    for off in (True, True, False, False):
        assert steer(level, off=off).status_code == 200
    assert Event.objects.filter(kind__in=["automation_paused", "restriction"]).count() in (1, 2)
    assert Restriction.objects.count() == (level != "automation")
    audits = Audit.objects.filter(action__in=["automation_paused", "automation_resumed"])
    assert audits.count() == (2 if level == "automation" else 0)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_paused_claims_nothing_any_more(guarded, steer, level, monkeypatch):
    guarded.fall()
    with turns.turn(guarded.account.id) as fence:
        monkeypatch.setattr("automations.execution._send", lambda *_: None)
        guarded_run_planned(guarded)
        intent = Intent.objects.get()
        steer(level, off=True)
        assert intents.claim(intent, fence=fence) is None
    assert guarded.effects() == []


def guarded_run_planned(guarded):
    """Decide and plan, as a run does before it claims."""
    snapshot = sensing.from_exchange(guarded.automation, open_client(guarded.account))
    errand = Errand(automation=guarded.automation, account=guarded.account, slot="tick:1")
    decision = deciding.decide(guarded.automation, snapshot, errand)
    execution = journal.execution_of(
        guarded.automation, slot="tick:1", cause="tick", started_at=utc_now(),
        snapshot=snapshot, decision=decision,
    )  # fmt: skip
    planning.plan(execution, decision, snapshot, fence=1)


def test_a_run_by_hand_is_refused_with_who_and_why(guarded, client, steer):
    steer("user", off=True)
    answer = client.post(f"/api/automations/{guarded.automation.id}/execute/", {}, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"] == ("It cannot run. The user is paused by trader: holiday")


def test_what_an_operator_paused_an_operator_resumes(guarded, client, operator):
    pausing.pause_all(by=operator, reason="maintenance", user=guarded.user)
    answer = client.post("/api/schedule/start/")
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]
    assert pausing.resume_all(by=operator, user=guarded.user)


@pytest.mark.parametrize("stop", ["stop", "start"])
def test_only_operators_stop_and_start_everything(client, stop):
    assert client.post(f"/api/scheduler/{stop}/", {"reason": "x"}).status_code == 403
    assert client.get("/api/scheduler/").status_code == 403


@pytest.mark.parametrize("path", ["pause", "resume", "schedule"])
@pytest.mark.parametrize("kind", ["automations", "accounts"])
def test_what_belongs_to_another_user_does_not_exist(guarded, operator, kind, path):
    id_ = guarded.automation.id if kind == "automations" else guarded.account.id
    stranger = client_of(operator)
    call = stranger.get if path == "schedule" else stranger.post
    body = {"reason": "x"} if path == "pause" else None
    assert call(f"/api/{kind}/{id_}/{path}/", body).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "reason", "required"),
        ({"reason": " "}, "reason", "blank"),
        ({"reason": "x" * 201}, "reason", "200"),
        ({"reason": "x", "until": 1}, "until", "Unknown field. Allowed: reason."),
    ],
    ids=str,
)
@pytest.mark.parametrize("level", ["automation", "account", "user"])
def test_a_pause_says_why(guarded, client, level, body, field, words):
    answer = client.post(address(guarded, level, off=True), body, format="json")
    assert answer.status_code == 400
    assert words in str(answer.json()[field])
    assert is_scheduled()


def refuse_key(guarded):
    ExchangeAccount.objects.update(state=ExchangeAccount.State.CREDENTIALS_REFUSED)


def switch_exchange_off(guarded):
    guarded.account.exchange.is_enabled = False
    guarded.account.exchange.save()


def break_config(guarded):
    Automation.objects.update(config={"threshold": "7"})


def want_spot(guarded):
    Automation.objects.update(
        kind="auto_invest",
        config={
            "market": {"type": "spot", "symbol": "BTC/USD"},
            "calendar": {"line": "0 9 * * *"},
            "amount": 1,
            "max_total_amount": 1,
        },
    )


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (
            lambda g: disconnect_account(account=g.account, by=g.user),
            "main is disconnected: connect it again",
        ),
        (switch_exchange_off, "is switched off by an operator"),
        (refuse_key, "refuses the key of main: replace it first"),
        (break_config, "is no longer what this kind allows"),
        (want_spot, "cannot run at Paper, which does not have what it needs: spot"),
    ],
    ids=["no key", "exchange off", "key refused", "config", "no capability"],
)
def test_resuming_what_cannot_run_is_a_400_with_the_reason(guarded, client, trouble, words):
    pausing.pause(guarded.automation, by=guarded.user, reason="x")
    trouble(guarded)
    answer = client.post(f"/api/automations/{guarded.automation.id}/resume/")
    assert answer.status_code == 400
    assert words in str(answer.json())
    guarded.automation.refresh_from_db()
    assert not guarded.automation.is_active
    patched = client.patch(
        f"/api/automations/{guarded.automation.id}/", {"is_active": True}, format="json"
    )
    assert patched.status_code == 400


def test_the_switch_of_an_automation_pauses_and_resumes_it_too(guarded, client):
    url = f"/api/automations/{guarded.automation.id}/"
    off = client.patch(url, {"is_active": False, "name": "resting"}, format="json").json()
    assert (off["is_active"], off["name"]) == (False, "resting")
    assert [(each["level"], each["by"]) for each in off["paused"]] == [("automation", "trader")]
    on = client.patch(url, {"is_active": True}, format="json").json()
    assert (on["is_active"], on["paused"]) == (True, [])


def test_starting_says_what_is_scheduled(guarded, client):
    assert client.post("/api/schedule/start/").json()["message"] == "Scheduled on main: 1."


def test_starting_without_automations_says_so(guarded, client):
    Automation.objects.update(is_active=False)
    answer = client.post("/api/schedule/start/").json()
    assert answer["message"] == "No automation on main is active, so nothing is scheduled."
    assert not answer["is_active"]


def test_starting_without_an_active_account_says_so(guarded, client):
    disconnect_account(account=guarded.account, by=guarded.account.user)
    answer = client.post("/api/schedule/start/").json()
    assert "No account is active, so nothing is scheduled" in answer["message"]
    assert (answer["account"], answer["automations"]) == (None, [])


def test_the_schedule_of_an_account_that_is_not_the_active_one(guarded, client):
    paper_account = guarded.paper.control.create_account(balance=1)
    other = connect_account(
        user=guarded.user,
        exchange=guarded.account.exchange,
        name="other",
        credentials=paper_account.credentials,
        by=guarded.user,
    )
    answer = client.get(f"/api/accounts/{other.id}/schedule/").json()
    assert answer["message"] == "other is not the active account, so nothing of it is scheduled."


def test_the_status_costs_the_same_for_one_and_for_many(guarded, django_assert_max_num_queries):
    for _ in range(5):
        copy_automation(guarded.automation, by=guarded.user)
    with django_assert_max_num_queries(6):
        found = status.of_automations(selectors.automations_of(guarded.user.pk))
    assert len(found) == 6


def test_another_change_neither_resumes_nor_pauses(guarded, client, operator):
    url = f"/api/automations/{guarded.automation.id}/"
    pausing.pause(guarded.automation, by=operator, reason="look into it")
    assert client.patch(url, {"name": "renamed"}, format="json").status_code == 200
    paused = Automation.objects.get()
    assert (paused.name, paused.is_active, paused.pause_reason) == (
        "renamed",
        False,
        "look into it",
    )


def test_what_cannot_run_may_still_be_changed(guarded, client):
    refuse_key(guarded)
    url = f"/api/automations/{guarded.automation.id}/"
    assert client.patch(url, {"mode": "shadow"}, format="json").json()["mode"] == "shadow"


@pytest.mark.parametrize("level", ["account", "user"])
def test_an_operator_takes_over_what_a_user_has_paused(guarded, client, operator, steer, level):
    steer(level, off=True)
    scope = {"account": guarded.account} if level == "account" else {"user": guarded.user}
    pausing.pause_all(by=operator, reason="suspicious", **scope)
    assert steer(level, off=False).status_code == 403
    [pause] = client.get(f"/api/automations/{guarded.automation.id}/schedule/").json()["paused"]
    assert (pause["by"], pause["reason"]) == ("operator", "suspicious")
    assert Audit.objects.filter(action="restriction_imposed").count() == 2


def test_a_pause_is_no_restriction_to_be_lifted(guarded, client):
    pausing.pause_all(by=guarded.user, reason="x", user=guarded.user)
    held = Restriction.objects.get()
    assert client.delete(f"/api/restrictions/{held.pk}/").status_code == 400
    asked = client.post("/api/restrictions/", {"what": "paused", "reason": "x"}, format="json")
    assert asked.status_code == 400
    assert Restriction.objects.get().lifted_at is None
