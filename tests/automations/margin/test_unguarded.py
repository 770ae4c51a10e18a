"""Positions that lose their guard by a switch: listed, acknowledged, watched on, guarded again."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Audit, User
from accounts.services import activate_account, connect_account, disconnect_account
from automations import pausing, reading, selectors, services
from automations.margin import unguarded
from automations.models import UnguardedPosition
from exchanges import feed
from exchanges.types import Aged, Holdings
from tests.accounts.builders import api_of
from tests.automations.margin.conftest import read_into_feed, told
from tests.builders import cross

pytestmark = pytest.mark.django_db(transaction=True)

SCOPES = [
    ({}, True),
    ({"side": "long"}, True),
    ({"side": "short"}, False),
    ({"only": ["another"]}, False),
    ({"isolated": False, "cross": True}, False),
]


@pytest.fixture
def other(guarded):
    """Another account of the same user, not the active one."""
    credentials = guarded.paper.control.create_account(balance=1).credentials
    exchange = guarded.account.exchange
    return connect_account(
        user=guarded.user,
        exchange=exchange,
        name="other",
        credentials=credentials,
        by=guarded.user,
    )


@pytest.fixture
def client(guarded):
    return api_of(guarded.user)


def rows():
    """(position, how it ended) of each row, oldest first."""
    return list(
        UnguardedPosition.objects.order_by("lost_at", "pk").values_list("trade_id", "ended")
    )


def listed(guarded, other, looking):
    """Switch away, and let the monitor read the account."""
    activate_account(account=other, by=other.user)
    looking.look(at=[guarded])
    return UnguardedPosition.objects.get(ended_at=None)


def test_the_switch_notes_the_guards_and_the_monitor_lists_the_position(guarded, other, looking):
    activate_account(account=other, by=other.user)
    assert rows() == [("", "")]
    assert UnguardedPosition.objects.get().guards == ["guard"]
    looking.look(at=[guarded])
    assert sorted(rows()) == [("", "listed"), (guarded.trade["id"], "")]
    row = UnguardedPosition.objects.get(ended_at=None)
    assert (row.guards, row.seen["side"], row.seen["quantity"]) == (["guard"], "buy", 10_000)
    event = guarded.user.events.get(kind="unguarded_positions")
    assert event.severity == "critical"
    assert [each["trade_id"] for each in event.data["positions"]] == [guarded.trade["id"]]


def test_without_a_watch_the_monitor_reads_the_account_itself(guarded, other, looking):
    activate_account(account=other, by=other.user)
    looking.look()
    assert (guarded.trade["id"], "") in rows()


def test_what_was_read_before_the_switch_lists_nothing(guarded, other, looking):
    looking.look(at=[guarded])
    activate_account(account=other, by=other.user)
    looking.look()
    assert rows() == [("", "")]


def test_an_account_that_cannot_be_read_is_listed_once_it_can(guarded, other, looking, impatient):
    guarded.paper.control.fault("fail_before", account_id=guarded.paper_account.id, times=2)
    activate_account(account=other, by=other.user)
    looking.look()
    assert (rows(), told(guarded)) == ([("", "")], ["margin_unknown"])
    guarded.paper.control.clear_faults()
    looking.look(at=[guarded])
    assert told(guarded, "unguarded_") == ["unguarded_positions"]


@pytest.mark.parametrize(("scope", "is_listed"), SCOPES, ids=str)
def test_only_what_a_guard_was_meant_for_is_listed(guarded, other, looking, scope, is_listed):
    config = {**guarded.automation.config, "scope": scope}
    services.update_automation(
        automation=guarded.automation, config=config, by=guarded.automation.user
    )
    activate_account(account=other, by=other.user)
    looking.look(at=[guarded])
    assert ((guarded.trade["id"], "") in rows()) is is_listed
    assert told(guarded, "unguarded_") == ["unguarded_positions"] * is_listed


@pytest.mark.parametrize("is_read", [False, True])
def test_a_cross_margin_position_that_was_not_read_is_read_anew(guarded, other, looking, is_read):
    config = {**guarded.automation.config, "scope": {"cross": True}}
    services.update_automation(
        automation=guarded.automation, config=config, by=guarded.automation.user
    )
    activate_account(account=other, by=other.user)
    read_into_feed(guarded)
    seen = Holdings(0, (), cross=cross(0) if is_read else None)
    feed.put_holdings(guarded.account.pk, Aged(seen, reading.utc_now(), "rest"))
    looking.look()
    listed = [] if is_read else [(guarded.trade["id"], "")]
    assert set(rows()) == {("", "listed"), *listed}


@pytest.mark.parametrize("level", ["automation", "account", "user"])
def test_what_a_pause_leaves_unguarded_is_listed_and_ends_with_it(guarded, looking, level):
    by, scope = guarded.user, {"account": guarded.account} if level == "account" else {}
    scope = scope or {"user": guarded.user}
    if level == "automation":
        pausing.pause(guarded.automation, by=by, reason="test")
    else:
        pausing.pause_all(by=by, reason="test", **scope)
    looking.look(at=[guarded])
    assert set(rows()) == {("", "listed"), (guarded.trade["id"], "")}
    looking.look(at=[guarded], price="92400")
    assert told(guarded) == ["margin_warning"]
    if level == "automation":
        pausing.resume(guarded.automation, by=by)
    else:
        pausing.resume_all(by=by, **scope)
    looking.look(at=[guarded])
    assert (guarded.trade["id"], "guarded") in rows()


def test_pausing_what_protects_nothing_leaves_nothing_unguarded(guarded, looking):
    services.update_automation(automation=guarded.automation, mode="shadow", by=guarded.user)
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    assert rows() == []


def test_what_was_not_guarded_loses_no_guard(guarded, other):
    services.update_automation(automation=guarded.automation, mode="shadow", by=guarded.user)
    activate_account(account=other, by=other.user)
    assert rows() == []


def test_a_switch_that_is_rolled_back_leaves_nothing(guarded, other, monkeypatch):
    monkeypatch.setattr("automations.schedule.follow_user", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        activate_account(account=other, by=other.user)
    assert rows() == []


def test_alerts_go_on_acknowledged_or_not(guarded, other, looking):
    row = listed(guarded, other, looking)
    unguarded.acknowledge(row, by=guarded.user)
    assert guarded.account in selectors.watched_accounts()
    looking.look(at=[guarded], price="92400")
    event = guarded.user.events.get(kind="margin_warning")
    assert "Nothing protects it" in event.message


def test_it_is_over_when_the_position_is_closed(guarded, other, looking):
    listed(guarded, other, looking)
    guarded.paper.control.close_trade(guarded.paper_account.id, guarded.trade["id"])
    looking.look(at=[guarded])
    assert (guarded.trade["id"], "closed") in rows()
    assert guarded.account not in selectors.watched_accounts()


def test_it_is_over_when_the_account_is_active_and_guarded_again(guarded, other, looking):
    listed(guarded, other, looking)
    guarded.account.refresh_from_db()
    activate_account(account=guarded.account, by=guarded.account.user)
    looking.look(at=[guarded])
    assert (guarded.trade["id"], "guarded") in rows()


def test_it_is_not_over_when_nothing_guards_the_active_account(guarded, other, looking):
    listed(guarded, other, looking)
    pausing.pause(guarded.automation, by=guarded.user, reason="test")
    activate_account(account=guarded.account, by=guarded.account.user)
    looking.look(at=[guarded])
    assert (guarded.trade["id"], "") in rows()


def test_back_before_it_was_listed_alarms_nobody(guarded, other, looking):
    activate_account(account=other, by=other.user)
    activate_account(account=guarded.account, by=guarded.account.user)
    looking.look(at=[guarded])
    assert rows() == [("", "listed")]
    assert told(guarded, "unguarded_") == []


def test_a_second_loss_has_to_be_acknowledged_again(guarded, other, looking):
    row = listed(guarded, other, looking)
    unguarded.acknowledge(row, by=guarded.user)
    activate_account(account=guarded.account, by=guarded.account.user)
    activate_account(account=other, by=other.user)
    looking.look(at=[guarded])
    assert UnguardedPosition.objects.get(ended_at=None).acknowledged_at is None


def test_who_disconnects_a_guarded_account_is_told_at_once(guarded, looking):
    disconnect_account(account=guarded.account, by=guarded.account.user)
    assert rows() == [("", "")]
    assert "cannot be seen any more" in guarded.user.events.get(kind="unguarded_positions").message
    looking.look()
    assert rows() == [("", "")]


@pytest.mark.parametrize(
    ("minutes", "is_acknowledged", "reminders"),
    [((5, 59), False, 0), ((61, 62), False, 1), ((61, 122), False, 2), ((61, 122), True, 0)],
    ids=str,
)
def test_reminders(guarded, other, looking, minutes, is_acknowledged, reminders):
    row = listed(guarded, other, looking)
    if is_acknowledged:
        unguarded.acknowledge(row, by=guarded.user)
    began = timezone.now()
    for each in minutes:
        UnguardedPosition.objects.update(lost_at=began - timedelta(minutes=each))
        with time_machine.travel(began + timedelta(minutes=each)):
            unguarded.remind()
            unguarded.remind()
    assert told(guarded, "unguarded_").count("unguarded_reminder") == reminders


class TestApi:
    def test_it_is_listed_and_acknowledged(self, guarded, other, looking, client):
        row = listed(guarded, other, looking)
        [shown] = client.get("/api/unguarded/").json()["results"]
        assert (shown["id"], shown["trade_id"]) == (str(row.pk), guarded.trade["id"])
        for _ in range(2):
            answer = client.post(f"/api/unguarded/{row.pk}/acknowledge/")
            assert (answer.status_code, bool(answer.json()["acknowledged_at"])) == (200, True)
        audit = Audit.objects.get(action="unguarded_acknowledged")
        assert (audit.by, audit.account) == (guarded.user, guarded.account)

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("get", "", None, 404),
            ("post", "acknowledge/", {}, 404),
        ],
    )
    def test_it_is_nobody_elses(self, guarded, other, looking, method, path, body, status):
        row = listed(guarded, other, looking)
        stranger = api_of(User.objects.create_user("stranger"))
        answer = getattr(stranger, method)(f"/api/unguarded/{row.pk}/{path}", body)
        assert answer.status_code == status
        assert stranger.get("/api/unguarded/").json()["results"] == []

    @pytest.mark.parametrize("path", ["margin", "unguarded"])
    @pytest.mark.parametrize("query", ["account=x", "level=warning", "limit=0"])
    def test_what_is_not_understood_is_refused(self, client, path, query):
        assert client.get(f"/api/{path}/?{query}").status_code == 400

    def test_a_body_is_refused(self, guarded, other, looking, client):
        row = listed(guarded, other, looking)
        answer = client.post(f"/api/unguarded/{row.pk}/acknowledge/", {"note": "yes"})
        assert answer.status_code == 400

    def test_positions_in_danger(self, guarded, looking, client):
        looking.look(at=[guarded], price="92400")
        (found,) = client.get("/api/margin/").json()["results"]
        assert (found["trade_id"], found["level"]) == (guarded.trade["id"], "warning")
        assert (found["account"], found["price"]) == (str(guarded.account.pk), "92400.00000000")
        stranger = api_of(User.objects.create_user("stranger"))
        assert stranger.get("/api/margin/").json()["results"] == []


class TestAdmin:
    @pytest.fixture
    def page(self):
        client = Client()
        client.force_login(User.objects.create_superuser("operator"))
        return client

    def test_both_lists_show_what_there_is(self, guarded, other, looking, page):
        listed(guarded, other, looking)
        looking.look(at=[guarded], price="92400")
        for model in ("marginalert", "unguardedposition"):
            shown = page.get(reverse(f"admin:automations_{model}_changelist")).content.decode()
            assert guarded.trade["id"] in shown

    def test_an_operator_acknowledges_once(self, guarded, other, looking, page):
        row = listed(guarded, other, looking)
        form = {"action": "acknowledge", "_selected_action": [str(row.pk)]}
        changelist = reverse("admin:automations_unguardedposition_changelist")
        answers = [page.post(changelist, form, follow=True).content.decode() for _ in range(2)]
        assert "Acknowledged:" in answers[0]
        assert "acknowledged or over already" in answers[1]
        row.refresh_from_db()
        assert row.acknowledged_by.get_username() == "operator"
