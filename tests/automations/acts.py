"""All that people do, as a table of what each act leaves in the audit.

An act prepares what it needs, and returns what does it.
"""

from datetime import timedelta

from django.utils import timezone

from accounts import services as accounts
from automations import manual, pausing, proposals, restrictions, services, settlement
from automations.limits import set_limits
from automations.models import AccountLimits, Automation, Intent, Proposal
from tests.accounts.builders import an_account


def connect(g, by):
    made = g.paper.control.create_account(balance=1)
    given = {"exchange": g.account.exchange, "name": "new", "credentials": made.credentials}
    return lambda: accounts.connect_account(user=g.user, by=by, **given)


def connect_the_first(g, by):
    accounts.disconnect_account(account=g.account, by=by)
    return connect(g, by)


def replace(g, by):
    key = g.paper.control.create_key(g.paper_account.id)[1]
    return lambda: accounts.replace_credentials(account=g.account, credentials=key, by=by)


def rename(name):
    return lambda g, by: lambda: accounts.rename_account(account=g.account, name=name, by=by)


def switch(g, by):
    other = an_account(g.user, "other")
    return lambda: accounts.activate_account(account=other, by=by)


def activate_again(g, by):
    return lambda: accounts.activate_account(account=g.account, by=by)


def disconnect(g, by):
    return lambda: accounts.disconnect_account(account=g.account, by=by)


def disconnect_again(g, by):
    accounts.disconnect_account(account=g.account, by=by)
    return disconnect(g, by)


def create(g, by):
    given = {"kind": "margin_guard", "name": "new", "config": g.automation.config, "every": 7}
    return lambda: services.create_automation(user=g.user, account=g.account, by=by, **given)


def update(**fields):
    return lambda g, by: (
        lambda: services.update_automation(automation=g.automation, by=by, **fields)
    )


def update_config(g, by):
    config = {**g.automation.config, "threshold": "0.7"}
    return update(config=config)(g, by)


def pause(g, by):
    return lambda: pausing.pause(g.automation, by=by, reason="holiday")


def pause_again(g, by):
    pause(g, by)()
    return pause(g, by)


def resume(g, by):
    pausing.pause(g.automation, by=by, reason="test")
    return lambda: pausing.resume(g.automation, by=by)


def clone(g, by):
    return lambda: services.copy_automation(g.automation, by=by)


def delete(g, by):
    return lambda: services.delete_automation(automation=g.automation, by=by)


def delete_again(g, by):
    services.delete_automation(automation=Automation.objects.get(pk=g.automation.pk), by=by)
    return delete(g, by)


def stop(what, scope=lambda g: {"account": g.account}):
    return lambda g, by: lambda: restrictions.impose(what, by=by, reason="why", **scope(g))


def stop_again(g, by):
    stop("opening")(g, by)()
    return stop("opening")(g, by)


def lift(g, by):
    imposed = stop("opening")(g, by)()
    return lambda: restrictions.lift(imposed, by=by)


def lift_again(g, by):
    imposed = stop("opening")(g, by)()
    restrictions.lift(imposed, by=by)
    return lambda: restrictions.lift(imposed, by=by)


def limit(g, by):
    AccountLimits.objects.create(account=g.account, orders_per_day=5)
    limits = AccountLimits(account=g.account, orders_per_day=9, sats_per_day=1_000)
    return lambda: set_limits(limits, by=by)


def limit_again(g, by):
    limit(g, by)()
    return lambda: set_limits(AccountLimits.objects.get(), by=by)


def asked(g):
    return Proposal.objects.create(
        automation=g.automation,
        account=g.account,
        actions=[{"kind": "add_margin"}],
        reason_code="r",
        reason_text="r",
        inputs={},
        expires_at=timezone.now() + timedelta(minutes=1),
    )


def confirm(g, by):
    proposal = asked(g)
    return lambda: manual.confirm(proposal, by=by)


def decline(g, by):
    proposal = asked(g)
    return lambda: proposals.decline(proposal, by=by)


def run_now(g, by):
    return lambda: manual.run_now(g.automation, by=by, only_action="add_margin")


def run_all(g, by):
    services.create_automation(
        user=g.user, account=g.account, kind="margin_guard", name="second",
        config=g.automation.config, by=by,
    )  # fmt: skip
    return lambda: manual.run_all("margin_guard", user=g.user, by=by)


def resolve(g, by):
    g.fall()
    g.run()
    Intent.objects.update(state="needs_operator", settled_at=None)
    return lambda: settlement.resolve(Intent.objects.get(), was_done=True, by=by)


NEW = {"kind": "margin_guard", "name": "new", "every": 7, "mode": "live", "is_active": True}
COPY = {"kind": "margin_guard", "name": "guard (copy)", "mode": "live", "is_active": False}
CONNECTED = ("account_connected", "account", {"exchange": "paper", "name": "new"})
ACTIVATED = ("account_activated", "account", {})
PAUSED = ("automation_paused", "automation", {})
RENAMED = ("automation_updated", "automation", {"name": ["guard", "new"]})
OTHER_PERIOD = ("automation_updated", "automation", {"every": [None, 9]})
SHADOWED = ("automation_mode_set", "automation", {"mode": ["live", "shadow"]})
OPENING = {"what": "opening"}
LIMITS = {"orders_per_day": [5, 9], "sats_per_day": [None, 1_000]}
PROPOSED = {"actions": [{"kind": "add_margin"}]}
RUN = ("run_requested", "automation", {})

ACTS = [
    ("connect", connect, [CONNECTED]),
    ("connect the first", connect_the_first, [CONNECTED, ACTIVATED]),
    ("replace credentials", replace, [("credentials_replaced", "account", {})]),
    ("rename", rename("new"), [("account_renamed", "account", {"name": ["main", "new"]})]),
    ("rename to the same", rename("main"), []),
    ("switch", switch, [ACTIVATED]),
    ("activate the active one", activate_again, []),
    ("disconnect", disconnect, [("account_disconnected", "account", {})]),
    ("disconnect again", disconnect_again, []),
    ("create", create, [("automation_created", "automation", NEW)]),
    ("update a name", update(name="new"), [RENAMED]),
    ("update a period", update(every=9), [OTHER_PERIOD]),
    ("update nothing", update(name="guard"), []),
    ("set a mode", update(mode="shadow"), [SHADOWED]),
    ("pause", pause, [PAUSED]),
    ("pause again", pause_again, []),
    ("resume", resume, [("automation_resumed", "automation", {})]),
    ("clone", clone, [("automation_cloned", "automation", COPY)]),
    ("delete", delete, [("automation_deleted", "automation", {"name": "guard"})]),
    ("delete again", delete_again, []),
    ("stop an account", stop("opening"), [("restriction_imposed", "restriction", OPENING)]),
    ("stop what is stopped", stop_again, []),
    ("lift", lift, [("restriction_lifted", "restriction", OPENING)]),
    ("lift again", lift_again, []),
    ("set limits", limit, [("limits_set", "account", LIMITS)]),
    ("set the same limits", limit_again, []),
    ("confirm", confirm, [("proposal_confirmed", "proposal", PROPOSED)]),
    ("decline", decline, [("proposal_declined", "proposal", PROPOSED)]),
    ("run one", run_now, [("run_requested", "automation", {"only_action": "add_margin"})]),
    ("run all of a kind", run_all, [RUN, RUN]),
    ("resolve an intent", resolve, [("intent_resolved", "intent", {"was_done": True})]),
]  # fmt: skip
"""What each act leaves: action, kind of subject, and what its data holds at least."""
