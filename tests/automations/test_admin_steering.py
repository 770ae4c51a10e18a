"""The operator's pages on which something is decided: runs, copies, proposals, stops, limits."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from automations import manual, pausing, services
from automations.execution import drain
from automations.models import (
    AccountLimits,
    Automation,
    Errand,
    Execution,
    Intent,
    Proposal,
    Restriction,
)
from automations.presentation import positions_of, said_of, seen_by
from automations.templates import TEMPLATES

pytestmark = pytest.mark.django_db

ADD = "admin:automations_automation_add"
RESTRICTIONS = "admin:automations_restriction_changelist"
IMPOSE = "admin:automations_restriction_add"
STOP_PROTECTION = "admin:automations_restriction_stop_protection"


@pytest.fixture
def page():
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def proposal(guarded):
    services.update_automation(automation=guarded.automation, mode="confirm", by=guarded.user)
    guarded.fall()
    manual.run_now(guarded.automation, by=guarded.user)
    drain(guarded.account)
    return Proposal.objects.get()


def viewer_of(*permissions):
    """A client of staff with these permissions alone."""
    client = Client()
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(staff)
    return client


def act(page, changelist, action, thing):
    form = {"action": action, "_selected_action": [str(thing.pk)]}
    return page.post(reverse(changelist), form, follow=True).content.decode()


class TestRunsAndCopies:
    CHANGELIST = "admin:automations_automation_changelist"

    def test_run_now(self, page, guarded):
        assert "Called: guard." in act(page, self.CHANGELIST, "run_now", guarded.automation)
        assert Errand.objects.get().requested_by.username == "operator"
        assert LogEntry.objects.count() == 1

    def test_what_is_paused_says_why_it_does_not_run(self, page, guarded):
        pausing.pause(guarded.automation, by=guarded.user, reason="test")
        assert "guard: It cannot run" in act(page, self.CHANGELIST, "run_now", guarded.automation)
        assert not Errand.objects.exists()

    def test_copy(self, page, guarded):
        act(page, self.CHANGELIST, "clone", guarded.automation)
        copy = Automation.objects.get(name="guard (copy)")
        assert (copy.is_active, copy.account) == (False, guarded.account)

    def test_who_may_only_look_neither_runs_nor_copies(self, guarded):
        viewer = viewer_of("view_automation")
        for action in ("run_now", "clone"):
            act(viewer, self.CHANGELIST, action, guarded.automation)
        assert not Errand.objects.exists()
        assert Automation.objects.count() == 1

    @pytest.mark.parametrize("slug", TEMPLATES)
    def test_a_new_one_begins_with_a_template(self, page, guarded, slug):
        form = page.get(reverse(ADD), {"template": slug}).context["adminform"].form
        template = TEMPLATES[slug]
        assert (form["kind"].value(), form["name"].value()) == (template.kind, template.title)
        given = {
            "account": guarded.account.pk,
            "kind": form["kind"].value(),
            "name": form["name"].value(),
            "config": form["config"].value(),
            "every": "",
            "mode": "shadow",
        }
        page.post(reverse(ADD), given)
        assert Automation.objects.get(name=template.title).mode == "shadow"

    def test_the_templates_are_offered(self, page, guarded):
        shown = page.get(reverse(ADD)).content.decode()
        assert all(f"?template={slug}" in shown for slug in TEMPLATES)

    def test_what_ran_in_shadow_says_so(self, page, guarded):
        services.update_automation(automation=guarded.automation, mode="shadow", by=guarded.user)
        guarded.fall()
        guarded.run()
        changelist = reverse("admin:automations_execution_changelist")
        assert page.get(f"{changelist}?mode__exact=shadow").content.decode().count("82.25%") == 1
        assert page.get(f"{changelist}?mode__exact=live").content.decode().count("82.25%") == 0
        execution = reverse("admin:automations_execution_change", args=[Execution.objects.get().pk])
        assert "Shadow" in page.get(execution).content.decode()
        assert Intent.objects.get().state == "shadow"


class TestProposals:
    @pytest.fixture
    def decide(self, proposal):
        return reverse("admin:automations_proposal_decide", args=[proposal.pk])

    def test_the_way_there(self, page, proposal, decide):
        change = reverse("admin:automations_proposal_change", args=[proposal.pk])
        assert decide in page.get(change).content.decode()
        shown = page.get(decide).content.decode()
        assert f"add_margin on {proposal.actions[0]['target']}: amount 50000" in shown
        assert "82.25%" in shown

    @pytest.mark.parametrize(
        ("answer", "state", "effects"),
        [("confirm", "confirmed", ["add_margin"]), ("decline", "declined", [])],
    )
    def test_decided_once_and_audited(
        self, page, guarded, proposal, decide, answer, state, effects
    ):
        page.post(decide, {"answer": answer})
        again = page.post(decide, {"answer": "decline"}, follow=True).content.decode()
        assert f"It was {state} already." in again
        proposal.refresh_from_db()
        assert (proposal.state, proposal.decided_by.username) == (state, "operator")
        assert LogEntry.objects.filter(object_id=str(proposal.pk)).count() == 1
        drain(guarded.account)
        assert guarded.effects() == effects

    @pytest.mark.parametrize("form", [{}, {"answer": "perhaps"}])
    def test_looking_or_a_bad_answer_decides_nothing(self, page, proposal, decide, form):
        page.get(decide)
        page.post(decide, form)
        proposal.refresh_from_db()
        assert proposal.state == "open"

    def test_who_may_only_look_does_not_decide(self, proposal, decide):
        viewer = viewer_of("view_proposal")
        assert viewer.post(decide, {"answer": "confirm"}).status_code == 403
        proposal.refresh_from_db()
        assert proposal.state == "open"


class TestRestrictions:
    @pytest.mark.parametrize("what", ["opening", "unconfirmed"])
    def test_everything_is_stopped_at_once(self, page, guarded, what):
        page.post(reverse(IMPOSE), {"what": what, "reason": "trouble"})
        stop = Restriction.objects.get()
        assert (stop.what, stop.user, stop.account) == (what, None, None)
        assert stop.imposed_by.username == "operator"
        assert LogEntry.objects.count() == 1
        assert "everywhere" in page.get(reverse(RESTRICTIONS)).content.decode()

    @pytest.mark.parametrize("scope", ["user", "account"])
    def test_for_one_alone(self, page, guarded, scope):
        where = getattr(guarded, scope)
        page.post(reverse(IMPOSE), {"what": "opening", "reason": "x", scope: where.pk})
        assert getattr(Restriction.objects.get(), scope) == where

    @pytest.mark.parametrize(
        ("form", "says"),
        [
            ({"what": "protection", "reason": "x"}, "not one of the available choices"),
            ({"what": "opening"}, "This field is required"),
            ({"what": "opening", "reason": "x", "user": 1, "account": 1}, "not both"),
        ],
        ids=str,
    )
    def test_bad_input_stops_nothing(self, page, guarded, form, says):
        if "user" in form:
            form = form | {"user": guarded.user.pk, "account": guarded.account.pk}
        assert says in page.post(reverse(IMPOSE), form).content.decode()
        assert not Restriction.objects.exists()

    def test_protection_is_a_choice_of_its_own(self, page, guarded):
        there = reverse(STOP_PROTECTION)
        assert there in page.get(reverse(RESTRICTIONS)).content.decode()
        assert "I know that nothing guards" in page.get(there).content.decode()
        page.post(there, {"reason": "x"})
        assert not Restriction.objects.exists()
        page.post(there, {"reason": "x", "understood": "on"})
        assert Restriction.objects.get().what == "protection"

    def test_lifted(self, page, guarded):
        page.post(reverse(IMPOSE), {"what": "opening", "reason": "trouble"})
        stop = Restriction.objects.get()
        assert "Lifted: opening: trouble." in act(page, RESTRICTIONS, "lift", stop)
        stop.refresh_from_db()
        assert stop.lifted_by.username == "operator"
        assert "It was lifted already" in act(page, RESTRICTIONS, "lift", stop)

    def test_who_may_only_look_stops_and_lifts_nothing(self, page, guarded):
        page.post(reverse(IMPOSE), {"what": "opening", "reason": "trouble"})
        viewer = viewer_of("view_restriction")
        for there in (IMPOSE, STOP_PROTECTION):
            form = {"what": "opening", "reason": "x", "understood": "on"}
            assert viewer.post(reverse(there), form).status_code == 403
        act(viewer, RESTRICTIONS, "lift", Restriction.objects.get())
        assert Restriction.objects.get().lifted_at is None


class TestLimits:
    PLACE = "admin:automations_accountlimits_add"

    def test_they_are_set(self, page, guarded):
        page.post(reverse(self.PLACE), {"account": guarded.account.pk, "sats_per_day": 5})
        assert AccountLimits.objects.get().sats_per_day == 5
        change = reverse("admin:automations_accountlimits_change", args=[guarded.account.pk])
        page.post(change, {"sats_per_day": "", "leverage": 3})
        limits = AccountLimits.objects.get()
        assert (limits.account, limits.sats_per_day, limits.leverage) == (guarded.account, None, 3)

    @pytest.mark.parametrize("form", [{"leverage": "0.5"}, {"sats_per_day": -1}], ids=str)
    def test_bad_input_sets_nothing(self, page, guarded, form):
        page.post(reverse(self.PLACE), {"account": guarded.account.pk, **form})
        assert not AccountLimits.objects.exists()


CROSS = {
    "quantity": -500, "entry_price": "100000", "margin": 20_000, "liquidation_price": None,
}  # fmt: skip
INPUTS = {
    "ticker": {"value": {"last_price": "100000"}},
    "holdings": {
        "value": {"balance": 1_000, "trades": [], "cross": CROSS, "usd": "25", "spot": None}
    },
    "quotes": [["BTC/USD", {"value": {"bid": "99990", "ask": "100010"}}]],
    "ages": {"ticker": 0.1, "holdings": 0.2},
}
FINDING = {
    "trade_id": "cross",
    "margin_used": "0.5",
    "liquidation_distance": None,
    "acts_at": None,
    "reason": {"text": "All well."},
}


class TestWhatIsShown:
    """Of what runs keep, also where there is no position, no price, or a cross position."""

    def test_a_cross_position(self):
        execution = Execution(inputs=INPUTS, findings=[FINDING])
        (row,) = positions_of(execution)["rows"]
        assert row == [
            "Short 500 USD at 100,000 (cross)", "20,000 sats", "50.00%", "–", "–", "All well.",
        ]  # fmt: skip

    def test_a_position_that_was_not_read(self):
        execution = Execution(inputs=INPUTS, findings=[{**FINDING, "trade_id": "t1"}])
        assert positions_of(execution)["rows"][0][:2] == ["t1", "–"]

    def test_dollars_and_quotes(self):
        assert seen_by(Execution(inputs=INPUTS)) == (
            "Bitcoin at 100,000 USD, read 100 ms before; 1,000 sats, 25.00 USD free, "
            "read 200 ms before. BTC/USD at 99,990 to 100,010."
        )

    def test_a_spot_account(self):
        spot = [{"asset": "ETH", "free": "1.50"}]
        holdings = {"value": {**INPUTS["holdings"]["value"], "usd": None, "spot": spot}}
        assert "; 1.50 ETH free" in seen_by(Execution(inputs={**INPUTS, "holdings": holdings}))

    @pytest.mark.parametrize("execution", [Execution(inputs={}), Execution(inputs=INPUTS)])
    def test_no_positions(self, execution):
        assert positions_of(execution)["rows"] == []

    def test_an_action(self):
        action = {"kind": "swap", "target": "swap", "asset": "BTC", "amount": 5, "price": None}
        assert said_of(action) == "swap on swap: asset BTC, amount 5"
        assert said_of({"kind": "close_position", "target": "trade:t", "trade_id": "t"}) == (
            "close_position on trade:t"
        )


@pytest.mark.parametrize("model", [Proposal, Restriction, AccountLimits])
def test_every_list_opens(page, guarded, proposal, model):
    changelist = reverse(f"admin:automations_{model._meta.model_name}_changelist")
    assert page.get(changelist).status_code == 200


@pytest.mark.parametrize(
    ("page_", "what"), [("pause", "paused"), ("stop_protection", "protection")]
)
def test_everything_is_stopped_by_a_page_that_wants_it_confirmed(page, guarded, page_, what):
    url = reverse(f"admin:automations_restriction_{page_}")
    assert page.post(url, {"reason": "x"}).status_code == 200
    assert not Restriction.objects.exists()
    assert page.post(url, {"reason": "x", "understood": "on"}).status_code == 302
    assert Restriction.objects.get().what == what
