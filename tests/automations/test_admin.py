"""The operator's pages: what can be steered, what can only be read, and who gets in."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from automations.journal import record_failure
from automations.models import (
    Automation,
    Errand,
    Execution,
    Intent,
    QuietSpan,
    TradeLog,
    Turn,
)
from exchanges.errors import Unavailable
from tests.automations.conftest import ADD_MARGIN

pytestmark = pytest.mark.django_db

CHANGELIST = "admin:automations_automation_changelist"
GOOD = {
    "kind": "margin_guard",
    "name": "night watch",
    "config": json.dumps({"threshold": "0.8", "action": ADD_MARGIN}),
    "every": "",
    "mode": "live",
    "is_active": "on",
}


@pytest.fixture
def page():
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def acted(guarded):
    guarded.fall()
    guarded.run()
    return guarded


def address(thing, name="change"):
    return reverse(f"admin:automations_{thing._meta.model_name}_{name}", args=(thing.pk,))


def run(client, action, automation, **given):
    form = {"action": action, "_selected_action": [str(automation.pk)], **given}
    return client.post(reverse(CHANGELIST), form, follow=True)


def is_active(automation):
    return Automation.objects.get(pk=automation.pk).is_active


@pytest.mark.parametrize("model", [Automation, Execution, Intent, TradeLog, Turn])
def test_every_list_and_page_opens(page, acted, model):
    thing = model.objects.get()
    changelist = reverse(f"admin:automations_{model._meta.model_name}_changelist")
    search = "" if model is Turn else "?q=guard"
    for place in (changelist, changelist + search, address(thing), address(thing, "history")):
        assert page.get(place).status_code == 200, place


def test_an_execution_is_told_in_words(page, acted):
    execution = Execution.objects.get()
    shown = page.get(address(execution)).content.decode()
    for words in (
        f"{execution.started_at:%Y-%m-%d %H:%M:%S}",
        "Bitcoin at 92,400 USD",
        "Long 10,000 USD at 100,000",
        "82.25%",
        "92,592.5",
        "adding 50,000 sats of margin.",
        "Confirmed",
    ):
        assert words in shown


def test_a_run_that_saw_nothing_is_shown_too(page, guarded):
    errand = Errand(automation=guarded.automation, slot="tick:1", cause="tick")
    record_failure(errand, Unavailable("no answer"))
    shown = page.get(address(Execution.objects.get())).content.decode()
    assert "no answer" in shown
    assert "position by position" not in shown


@pytest.mark.parametrize("model", [Execution, Intent, TradeLog, Turn])
def test_what_happened_is_not_written(page, acted, model):
    before = model.objects.values().get()
    thing = model.objects.get()
    add = reverse(f"admin:automations_{model._meta.model_name}_add")
    for place in (add, address(thing), address(thing, "delete")):
        assert page.post(place, {"post": "yes", "status": "error"}).status_code == 403
    assert model.objects.values().get() == before


def test_automations_are_not_deleted_here(page, guarded):
    assert page.post(address(guarded.automation, "delete"), {"post": "yes"}).status_code == 403


def test_pause_and_resume(page, guarded):
    asked = run(page, "pause", guarded.automation).content.decode()
    assert "guard (margin_guard) of trader on main" in asked
    assert Automation.objects.get().is_active
    shown = run(page, "pause", guarded.automation, reason="holiday").content.decode()
    assert "Paused: guard." in shown
    paused = Automation.objects.get()
    assert (paused.paused_by.username, paused.pause_reason) == ("operator", "holiday")
    row = page.get(f"/admin/automations/automation/{paused.pk}/change/").content.decode()
    assert "The automation is paused by operator: holiday" in row
    assert not is_active(guarded.automation)
    run(page, "resume", guarded.automation)
    assert is_active(guarded.automation)
    assert LogEntry.objects.count() == 2


def test_who_may_only_look_does_not_pause(guarded):
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_automation"))
    client = Client()
    client.force_login(staff)
    assert client.get(reverse(CHANGELIST)).status_code == 200
    run(client, "pause", guarded.automation)
    assert is_active(guarded.automation)


@pytest.mark.parametrize("who", [None, "trader"])
def test_nobody_but_staff_gets_in(acted, who):
    client = Client()
    if who:
        client.force_login(User.objects.get(username=who))
    for thing in (Automation.objects.get(), Execution.objects.get()):
        assert client.get(address(thing)).status_code == 302


def test_an_operator_makes_an_automation_for_an_account(page, guarded):
    words = {**GOOD, "account": guarded.account.pk}
    page.post(reverse("admin:automations_automation_add"), words)
    made = Automation.objects.get(name="night watch")
    assert (made.user, made.account, made.period) == (guarded.user, guarded.account, 30)
    assert made.config["cool_down"] == 60


def test_owner_account_and_kind_stay(page, guarded):
    stranger = User.objects.create_user("stranger")
    words = {**GOOD, "name": "new", "user": stranger.pk, "kind": "tp_sl", "account": ""}
    page.post(address(guarded.automation), words)
    after = Automation.objects.get()
    assert (after.name, after.kind) == ("new", "margin_guard")
    assert (after.user, after.account) == (guarded.user, guarded.account)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"config": "{"}, "Enter a valid JSON", id="no JSON"),
        pytest.param({"config": "[1]"}, "config: Must be an object", id="a list"),
        pytest.param({"config": '{"threshold": 1}'}, "config.action: Required.", id="no action"),
        pytest.param({"config": '{"treshold": 1}'}, "config.treshold: Unknown key.", id="misspelt"),
        pytest.param({"kind": "magic"}, "not one of the available choices", id="no such kind"),
        pytest.param({"kind": "tp_sl"}, "config.threshold: Unknown key.", id="another kind"),
        pytest.param({"mode": "loud"}, "not one of the available choices", id="no such mode"),
        pytest.param({"every": "0"}, "greater than or equal to 1", id="every 0 s"),
        pytest.param({"timeout": "91"}, "less than or equal to 90", id="timeout 91 s"),
        pytest.param({"retries": "6"}, "less than or equal to 5", id="6 retries"),
        pytest.param({"backoff": "31"}, "less than or equal to 30", id="backoff 31 s"),
        pytest.param({"name": ""}, "required", id="no name"),
        pytest.param({"account": ""}, "required", id="no account"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_the_field(page, guarded, changes, says):
    words = {**GOOD, "account": guarded.account.pk, **changes}
    answer = page.post(reverse("admin:automations_automation_add"), words)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert Automation.objects.count() == 1


def test_a_login_without_a_destination_leads_to_the_start_page(db):
    operator = User.objects.create_superuser("operator", password="correct horse")
    words = {"username": operator.username, "password": "correct horse"}
    answer = Client().post(reverse("admin:login"), words)
    assert answer["Location"] == reverse("admin:index")


class TestAnIntentThatNeedsAPerson:
    """An operator says what became of it, on a page of its own, once."""

    @pytest.fixture
    def waiting(self, acted):
        Intent.objects.update(state="needs_operator", error="It fits neither.", settled_at=None)
        Execution.objects.update(status="pending", finished_at=None)
        return Intent.objects.get()

    def test_the_way_there(self, page, waiting):
        resolve = address(waiting, "resolve")
        assert resolve in page.get(address(waiting)).content.decode()
        shown = page.get(resolve).content.decode()
        assert "It fits neither." in shown
        assert str(waiting.seen["margin"]) in shown

    @pytest.mark.parametrize(
        ("found", "state", "status"),
        [("done", "confirmed", "success"), ("not_done", "lapsed", "error")],
    )
    def test_it_is_settled_as_said_and_audited(self, page, waiting, found, state, status):
        page.post(address(waiting, "resolve"), {"found": found})
        waiting.refresh_from_db()
        assert waiting.state == state
        assert waiting.resolved_by.username == "operator"
        assert Execution.objects.get().status == status
        assert LogEntry.objects.filter(object_id=waiting.pk).count() == 1
        page.post(address(waiting, "resolve"), {"found": "not_done"})
        waiting.refresh_from_db()
        assert waiting.state == state

    @pytest.mark.parametrize("form", [{}, {"found": "perhaps"}])
    def test_a_bad_answer_settles_nothing(self, page, waiting, form):
        assert page.post(address(waiting, "resolve"), form).status_code == 200
        waiting.refresh_from_db()
        assert waiting.state == "needs_operator"

    def test_looking_is_not_deciding(self, waiting):
        client = Client()
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_intent"))
        client.force_login(viewer)
        assert client.post(address(waiting, "resolve"), {"found": "done"}).status_code == 403
        waiting.refresh_from_db()
        assert waiting.state == "needs_operator"


def test_quiet_spans_and_errands_can_be_read(page, guarded):
    for model in (QuietSpan, Errand):
        changelist = reverse(f"admin:automations_{model._meta.model_name}_changelist")
        assert page.get(changelist).status_code == 200


def test_the_bare_address_leads_there_too():
    assert Client().get("/")["Location"] == reverse("admin:index")
