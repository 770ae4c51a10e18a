"""The API for what people decide: runs, copies, proposals, stops, limits; kinds and templates."""

import pytest

from accounts.models import User
from automations import manual, pausing, restrictions, services
from automations.execution import drain
from automations.models import AccountLimits, Automation, Errand, Proposal, Restriction
from automations.rules.registry import KINDS, kind_of
from tests.accounts.builders import api_of
from tests.automations.conftest import ADD_MARGIN, guard_a_position

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(guarded):
    return api_of(guarded.user)


@pytest.fixture
def stranger(guarded):
    return api_of(User.objects.create_user("stranger"))


@pytest.fixture
def proposal(guarded):
    services.update_automation(automation=guarded.automation, mode="confirm", by=guarded.user)
    guarded.fall()
    manual.run_now(guarded.automation, by=guarded.user)
    drain(guarded.account)
    return Proposal.objects.get()


class TestKinds:
    def test_each_has_a_schema_and_templates_that_are_valid(self, client):
        kinds = client.get("/api/kinds/").json()
        assert set(kinds) == set(KINDS)
        for name, kind in kinds.items():
            assert kind["schema"]["properties"]
            assert kind["templates"]
            for template in kind["templates"].values():
                kind_of(name).parse(template["config"])

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_template_makes_an_automation(self, client, kind):
        template = next(iter(client.get("/api/kinds/").json()[kind]["templates"].values()))
        body = {"name": template["title"], "kind": kind, "config": template["config"]}
        answer = client.post("/api/automations/", body)
        assert (answer.status_code, answer.json()["kind"]) == (201, kind)


class TestRunsAndCopies:
    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 202),
            ({"action": "add_margin", "trade_id": "x"}, 202),
            ({"action": "reduce_position"}, 202),
            ({"action": "explode"}, 400),
            ({"acton": "add_margin"}, 400),
        ],
        ids=str,
    )
    def test_execute(self, client, guarded, body, status):
        answer = client.post(f"/api/automations/{guarded.automation.id}/execute/", body)
        assert answer.status_code == status
        slots = list(Errand.objects.values_list("slot", flat=True))
        assert slots == ([answer.json()["slot"]] if status == 202 else [])

    def test_too_often_is_a_429(self, client, guarded):
        url = f"/api/automations/{guarded.automation.id}/execute/"
        asked = [client.post(url).status_code for _ in range(manual.RUNS_PER_MINUTE + 1)]
        assert asked == [202] * manual.RUNS_PER_MINUTE + [429]

    def test_what_is_paused_does_not_run(self, client, guarded):
        pausing.pause(guarded.automation, by=guarded.user, reason="test")
        answer = client.post(f"/api/automations/{guarded.automation.id}/execute/")
        assert (answer.status_code, "paused" in answer.json()["detail"]) == (400, True)

    def test_a_copy_is_paused_and_has_the_same_config(self, client, guarded):
        url = f"/api/automations/{guarded.automation.id}/clone/"
        copy = client.post(url, {"name": "second"}).json()
        assert (copy["name"], copy["is_active"]) == ("second", False)
        guarded.automation.refresh_from_db()
        assert copy["config"] == guarded.automation.config

    @pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "kind": "tp_sl"}], ids=str)
    def test_a_bad_copy_is_none(self, client, guarded, body):
        url = f"/api/automations/{guarded.automation.id}/clone/"
        assert client.post(url, body).status_code == 400
        assert Automation.objects.count() == 1

    def test_a_copy_of_what_lies_in_the_past_says_so(self, client, guarded):
        config = {
            "conditions": [{"type": "time", "at": "2020-01-01T00:00:00Z"}],
            "order": {"type": "isolated", "side": "long", "quantity": 1},
        }
        Automation.objects.update(kind="trigger_order", config=config)
        url = f"/api/automations/{guarded.automation.id}/clone/"
        answer = client.post(url, {"name": "again"})
        assert (answer.status_code, "future" in str(answer.json())) == (400, True)

    @pytest.mark.parametrize("mode", ["live", "confirm", "shadow"])
    def test_the_mode_is_changed(self, client, guarded, mode):
        url = f"/api/automations/{guarded.automation.id}/"
        assert client.patch(url, {"mode": mode}).json()["mode"] == mode


class TestProposals:
    def test_they_are_listed_and_filtered(self, client, proposal):
        (shown,) = client.get("/api/proposals/?state=open").json()["results"]
        assert shown["id"] == str(proposal.id)
        assert shown["actions"][0]["kind"] == "add_margin"
        assert client.get("/api/proposals/?state=declined").json()["count"] == 0
        assert client.get("/api/proposals/?sate=open").status_code == 400

    @pytest.mark.parametrize(
        ("answer", "state", "effects"),
        [("confirm", "confirmed", ["add_margin"]), ("decline", "declined", [])],
    )
    def test_decided_once(self, client, guarded, proposal, answer, state, effects):
        url = f"/api/proposals/{proposal.id}/"
        assert client.post(f"{url}{answer}/").json()["state"] == state
        for again in ("confirm", "decline"):
            refused = client.post(f"{url}{again}/")
            assert (refused.status_code, state in refused.json()["detail"]) == (409, True)
        drain(guarded.account)
        assert guarded.effects() == effects


class TestRestrictions:
    @pytest.mark.parametrize("on", ["account", "user"])
    def test_imposed_shown_and_lifted(self, client, guarded, on):
        body = {"what": "opening", "reason": "holiday"}
        body |= {"account": str(guarded.account.id)} if on == "account" else {}
        made = client.post("/api/restrictions/", body)
        assert made.status_code == 201
        stop = Restriction.objects.get()
        assert (stop.account_id, stop.user_id) == (
            (guarded.account.id, None) if on == "account" else (None, guarded.user.pk)
        )
        (shown,) = client.get("/api/restrictions/").json()["results"]
        assert (shown["reason"], shown["is_own"]) == ("holiday", True)
        assert client.delete(f"/api/restrictions/{shown['id']}/").status_code == 204
        assert client.get("/api/restrictions/").json()["count"] == 0

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"what": "everything", "reason": "x"}, "what"),
            ({"what": "opening"}, "reason"),
            ({"what": "opening", "reason": "x", "user": 1}, "user"),
            ({"what": "opening", "reason": "x", "account": "nothing"}, "account"),
        ],
        ids=str,
    )
    def test_bad_input(self, client, body, field):
        answer = client.post("/api/restrictions/", body)
        assert (answer.status_code, list(answer.json())) == (400, [field])
        assert not Restriction.objects.exists()

    def test_what_an_operator_stopped_is_seen_and_not_lifted(self, client, guarded):
        operator = User.objects.create_superuser("operator")
        stop = restrictions.impose("opening", by=operator, reason="trouble")
        (shown,) = client.get("/api/restrictions/").json()["results"]
        assert (shown["reason"], shown["is_own"]) == ("trouble", False)
        assert client.delete(f"/api/restrictions/{stop.pk}/").status_code == 403
        stop.refresh_from_db()
        assert stop.lifted_at is None


EMPTY = dict.fromkeys(
    ("sats_per_position", "sats_per_day", "orders_per_day", "leverage", "exposure")
)


class TestLimits:
    @pytest.fixture
    def url(self, guarded):
        return f"/api/accounts/{guarded.account.id}/limits/"

    def test_there_are_none_at_first(self, client, url):
        assert client.get(url).json() == EMPTY

    def test_they_are_set_whole(self, client, url):
        assert client.put(url, {"sats_per_day": 5, "leverage": "2.5"}).status_code == 200
        assert client.put(url, {"sats_per_day": 7}).json() == EMPTY | {"sats_per_day": 7}
        assert client.get(url).json() == EMPTY | {"sats_per_day": 7}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"sats_per_day": -1}, "sats_per_day"),
            ({"sats_per_day": 1.5}, "sats_per_day"),
            ({"leverage": "0.5"}, "leverage"),
            ({"leverage": "NaN"}, "leverage"),
            ({"orders_per_day": 10**12}, "orders_per_day"),
            ({"stas_per_day": 1}, "stas_per_day"),
            ([1], "non_field_errors"),
        ],
        ids=str,
    )
    def test_bad_input_sets_nothing(self, client, url, body, field):
        answer = client.put(url, body)
        assert (answer.status_code, list(answer.json())) == (400, [field])
        assert not AccountLimits.objects.exists()

    def test_they_hold(self, client, guarded, url):
        client.put(url, {"sats_per_day": ADD_MARGIN["amount"] - 1})
        guarded.fall()
        assert guarded.run().reason_code == "account_sats_per_day"
        assert guarded.effects() == []


def test_what_belongs_to_another_user_does_not_exist(guarded, proposal, stranger):
    stop = restrictions.impose("opening", by=guarded.user, reason="x", user=guarded.user)
    automation = f"/api/automations/{guarded.automation.id}"
    for method, url, body in (
        ("post", f"{automation}/execute/", {}),
        ("post", f"{automation}/clone/", {"name": "mine"}),
        ("get", f"/api/proposals/{proposal.id}/", None),
        ("post", f"/api/proposals/{proposal.id}/confirm/", {}),
        ("post", f"/api/proposals/{proposal.id}/decline/", {}),
        ("delete", f"/api/restrictions/{stop.pk}/", None),
        ("get", f"/api/accounts/{guarded.account.id}/limits/", None),
        ("put", f"/api/accounts/{guarded.account.id}/limits/", {"leverage": 1}),
    ):
        assert getattr(stranger, method)(url, body).status_code == 404, url
    for resource in ("proposals", "restrictions"):
        assert stranger.get(f"/api/{resource}/").json()["count"] == 0
    stop_there = {"what": "opening", "reason": "x", "account": str(guarded.account.id)}
    assert stranger.post("/api/restrictions/", stop_there).status_code == 400
    assert not Errand.objects.exists()
    assert not AccountLimits.objects.exists()


def test_a_copy_does_not_get_onto_another_users_account(client, guarded, paper):
    other = guard_a_position(paper, action=ADD_MARGIN, trader="other")
    body = {"name": "x", "account": str(other.account.id)}
    answer = client.post(f"/api/automations/{guarded.automation.id}/clone/", body)
    assert (answer.status_code, list(answer.json())) == (400, ["account"])


@pytest.mark.parametrize("path", ["kinds/", "proposals/", "restrictions/"])
def test_nobody_gets_anything_without_a_token(db, path):
    assert api_of(None).get(f"/api/{path}").status_code == 401
