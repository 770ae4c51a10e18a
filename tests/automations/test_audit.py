"""Who did what: every act of a person leaves its rows, together with the act or not at all."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from accounts import services as accounts
from accounts.errors import InvalidField
from accounts.models import Audit, Event, ExchangeAccount, User
from automations import pausing, services
from automations.models import AccountLimits, Automation, Errand, Intent, Proposal, Restriction
from tests.accounts.builders import a_user
from tests.automations.acts import ACTS, run_now, stop, update_config
from tests.breaking import Broken, broken_after

pytestmark = pytest.mark.django_db

CHANGED = (
    User, ExchangeAccount, Automation, AccountLimits, Restriction, Proposal, Intent, Errand, Event,
)  # fmt: skip


@pytest.fixture
def operator():
    return a_user("operator")


DOING = [pytest.param(act, left, id=case) for case, act, left in ACTS]
DONE = [pytest.param(act, id=case) for case, act, left in ACTS if left]


@pytest.mark.parametrize(("act", "left"), DOING)
def test_an_act_leaves_who_did_what_to_whose(guarded, operator, act, left):
    do = act(guarded, operator)
    known = list(Audit.objects.values_list("pk", flat=True))
    do()
    written = list(Audit.objects.exclude(pk__in=known).order_by("pk"))
    assert [(row.action, row.subject.split("/")[0]) for row in written] == [
        (action, subject) for action, subject, _ in left
    ]
    for row, (_, _, data) in zip(written, left, strict=True):
        assert (row.by, row.user, row.account.user) == (operator, guarded.user, guarded.user)
        assert {name: row.data[name] for name in data} == data


@pytest.mark.parametrize("act", DONE)
def test_an_act_and_its_audit_are_undone_together(guarded, operator, act):
    do = act(guarded, operator)
    before = stored()
    with broken_after(Audit), pytest.raises(Broken):
        do()
    assert stored() == before


def stored():
    """All rows that acts change, and the audit."""
    return {model: sorted(map(str, model.objects.values())) for model in (*CHANGED, Audit)}


def test_a_config_is_kept_as_it_was_and_is(guarded, operator):
    was = guarded.automation.config
    update_config(guarded, operator)()
    config = {**was, "threshold": "0.7"}
    assert Audit.objects.get(action="automation_updated").data == {"config": [was, config]}


def test_what_was_deleted_is_not_changed_any_more(guarded, operator):
    late = Automation.objects.get(pk=guarded.automation.pk)
    services.delete_automation(automation=guarded.automation, by=operator)
    before = stored()
    with pytest.raises(InvalidField, match="deleted meanwhile"):
        services.update_automation(automation=late, name="new", by=guarded.user)
    assert not pausing.resume(late, by=guarded.user)
    assert stored() == before


def test_a_run_is_found_by_its_slot(guarded, operator):
    slot = run_now(guarded, operator)()
    row = Audit.objects.get(action="run_requested")
    assert (row.data["slot"], row.subject) == (slot, f"automation/{guarded.automation.pk}")


@pytest.mark.parametrize(
    ("scope", "owner"),
    [
        (lambda g: {"account": g.account}, "trader"),
        (lambda g: {"user": g.user}, "trader"),
        (lambda g: {}, None),
    ],
    ids=["account", "user", "everywhere"],
)
def test_a_stop_says_whose_and_why(guarded, operator, scope, owner):
    stop("opening", scope)(guarded, operator)()
    row = Audit.objects.get(action="restriction_imposed")
    assert (row.user and row.user.username, row.reason) == (owner, "why")


def test_credentials_are_never_in_it(guarded, operator):
    made = guarded.paper.control.create_account(balance=1)
    key = guarded.paper.control.create_key(made.id)[1]
    account = accounts.connect_account(
        user=guarded.user, exchange=guarded.account.exchange, name="new", by=operator,
        credentials=made.credentials,
    )  # fmt: skip
    accounts.replace_credentials(account=account, credentials=key, by=operator)
    told = str(list(Audit.objects.values()))
    for credentials in (made.credentials, key):
        for secret in (credentials.key, credentials.secret, credentials.passphrase):
            assert secret not in told


class TestAnImport:
    @pytest.fixture
    def export(self, tmp_path):
        path = tmp_path / "export.json"
        entry = {"quantity": 100, "side": "b"}
        rows = [{"id": "old-1", "user_id": "u1", "type": "auto_entry", "config": entry}]
        path.write_text(json.dumps(rows))
        return str(path)

    def test_is_the_platforms_and_says_what_came(self, guarded, export):
        call_command("import_automations", export, "--user", "trader", stdout=StringIO())
        made, summary = Audit.objects.filter(by=None).order_by("pk")
        assert (made.action, made.reason) == ("automation_created", "imported")
        assert (summary.action, summary.user) == ("automations_imported", guarded.user)
        assert summary.data["old-1"].startswith("migrated")

    def test_leaves_nothing_of_a_dry_run(self, guarded, export):
        call = ("import_automations", export, "--user", "trader", "--dry-run")
        call_command(*call, stdout=StringIO())
        assert not Audit.objects.filter(by=None).exists()


def test_a_late_change_writes_nothing_but_itself(guarded, operator):
    late = Automation.objects.get(pk=guarded.automation.pk)
    services.update_automation(automation=guarded.automation, mode="shadow", by=operator)
    services.update_automation(automation=late, name="renamed", by=operator)
    kept = Automation.objects.get(pk=guarded.automation.pk)
    assert (kept.name, kept.mode) == ("renamed", "shadow")
    assert late.mode == "shadow"
