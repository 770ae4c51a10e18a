"""What waits for a yes: proposed once, decided once, looked at again, and never more than that."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.errors import AccountInactive
from accounts.gateway import open_client
from accounts.models import Event
from automations import deciding, manual, pausing, proposals, restrictions, sensing, services
from automations.execution import drain, execute
from automations.models import Automation, Errand, Execution, Proposal
from automations.narrowing import narrowed
from automations.rules.actions import AddMargin, CloseTrade, ReopenTrade, SwapAsset
from automations.rules.base import Decision, Reason
from exchanges.types import Asset, Side
from tests.automations.conftest import ADD_MARGIN, guard_a_position

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking(guarded):
    """A guard that asks first, with the price fallen and its question put."""
    services.update_automation(automation=guarded.automation, mode="confirm", by=guarded.user)
    guarded.fall()
    tick(guarded, "tick:1")
    return guarded


def tick(guarded, slot):
    """One tick, as a worker runs it."""
    automations = Automation.objects.select_related("account__exchange", "account__user")
    execute(automations.get(pk=guarded.automation.pk), slot=slot, cause="tick")


def confirm(guarded):
    slot = manual.confirm(Proposal.objects.get(), by=guarded.user)
    drain(guarded.account)
    return guarded.execution(slot)


def test_it_asks_instead_of_acting(asking):
    proposal = Proposal.objects.get()
    assert (proposal.state, proposal.reason_code) == ("open", "threshold_reached")
    (action,) = proposal.actions
    assert (action["kind"], action["target"]) == ("add_margin", f"trade:{asking.trade['id']}")
    assert asking.effects() == []
    run = Execution.objects.get()
    assert (run.status, run.finished_at is None, run.intents.count()) == ("pending", False, 0)
    assert "Please confirm" in Event.objects.get(kind="confirmation_wanted").message


def test_it_asks_once_while_the_question_is_open(asking):
    tick(asking, "tick:2")
    assert Proposal.objects.count() == 1
    assert Event.objects.filter(kind="confirmation_wanted").count() == 1


def test_a_tick_does_not_ask_again_for_what_was_declined(asking):
    proposals.decline(Proposal.objects.get(), by=asking.user)
    automation = Automation.objects.select_related("account__exchange").get(pk=asking.automation.pk)
    snapshot = sensing.from_exchange(automation, open_client(asking.account))
    decision = deciding.look(automation, snapshot)
    assert (decision.actions, decision.reason.code) == ((), "declined")
    Proposal.objects.update(decided_at=timezone.now() - proposals.DECLINED_FOR)
    assert deciding.look(automation, snapshot).actions


def test_a_yes_does_it_and_says_who_said_so(asking):
    execution = confirm(asking)
    assert (execution.status, execution.cause) == ("success", "confirmed")
    assert execution.requested_by == asking.user
    assert asking.effects() == ["add_margin"]
    proposal = Proposal.objects.get()
    assert (proposal.state, proposal.decided_by) == ("confirmed", asking.user)


def test_prices_are_looked_at_again(asking):
    asking.fall("100000")
    execution = confirm(asking)
    assert (execution.status, execution.reason_code) == ("completed", "within_threshold")
    assert asking.effects() == []


def test_what_was_not_proposed_is_not_done(asking):
    config = {**asking.automation.config, "action": {"type": "close_position"}}
    asking.automation.refresh_from_db()
    services.update_automation(automation=asking.automation, config=config, by=asking.user)
    assert confirm(asking).reason_code == "narrowed"
    assert asking.effects() == []


def test_a_no_and_it_asks_again_when_it_still_wants_it(asking):
    proposals.decline(Proposal.objects.get(), by=asking.user)
    tick(asking, "tick:2")
    assert asking.effects() == []
    assert list(Proposal.objects.values_list("state", flat=True)) == ["open", "declined"]


def test_it_expires(asking):
    Proposal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(proposals.AlreadyDecided, match="expired"):
        manual.confirm(Proposal.objects.get(), by=asking.user)
    assert Proposal.objects.get().state == "expired"
    drain(asking.account)
    assert asking.effects() == []


@pytest.mark.parametrize("first", [manual.confirm, proposals.decline])
@pytest.mark.parametrize("second", [manual.confirm, proposals.decline])
def test_it_is_decided_once(asking, first, second):
    first(Proposal.objects.get(), by=asking.user)
    state = Proposal.objects.get().state
    with pytest.raises(proposals.AlreadyDecided, match=state):
        second(Proposal.objects.get(), by=asking.user)
    assert Proposal.objects.get().state == state


def test_a_yes_for_what_cannot_run_decides_nothing(asking):
    pausing.pause(asking.automation, by=asking.user, reason="test")
    with pytest.raises(AccountInactive):
        manual.confirm(Proposal.objects.get(), by=asking.user)
    assert Proposal.objects.get().state == "open"


def test_in_manual_mode_everything_asks(guarded):
    restrictions.impose("unconfirmed", by=guarded.user, reason="holiday", account=guarded.account)
    guarded.fall()
    tick(guarded, "tick:1")
    assert guarded.effects() == []
    assert confirm(guarded).status == "success"
    assert guarded.effects() == ["add_margin"]


def test_a_stop_holds_for_what_was_confirmed_too(asking):
    restrictions.impose("protection", by=asking.user, reason="no", user=asking.user)
    assert confirm(asking).reason_code == "stopped"
    assert asking.effects() == []


def test_two_users_are_asked_each_for_their_own(guarded, paper):
    other = guard_a_position(paper, action=ADD_MARGIN, trader="other")
    for each in (guarded, other):
        services.update_automation(
            automation=each.automation, mode="confirm", by=each.automation.user
        )
    guarded.fall()
    tick(guarded, "tick:1")
    assert {each.account for each in Proposal.objects.all()} == {guarded.account}
    tick(other, "tick:1")
    assert {each.account for each in Proposal.objects.all()} == {guarded.account, other.account}


SWAP = {"kind": "swap", "target": "swap", "asset": "BTC", "amount": 10_000}
ADD = {"kind": "add_margin", "target": "trade:t", "amount": 10_000}
CLOSE = {"kind": "close_position", "target": "trade:t"}
REOPEN = {"kind": "reopen_position", "target": "trade:t", "quantity": 50, "side": "buy"}
CLOSING = CloseTrade("t")
REOPENING = ReopenTrade("t", Side.BUY, 50, Decimal(10), Decimal(1))


@pytest.mark.parametrize(
    ("proposed", "wanted", "is_done"),
    [
        pytest.param([ADD], [AddMargin("t", 10_000)], True, id="the same"),
        pytest.param([ADD], [AddMargin("t", 11_000)], True, id="a tenth more"),
        pytest.param([ADD], [AddMargin("t", 11_001)], False, id="more than that"),
        pytest.param([ADD], [AddMargin("t", 1)], True, id="less"),
        pytest.param([ADD], [AddMargin("u", 10_000)], False, id="another trade"),
        pytest.param([ADD], [CLOSING], False, id="something else"),
        pytest.param([SWAP], [SwapAsset(Asset.BTC, 10_000)], True, id="the same swap"),
        pytest.param([SWAP], [SwapAsset(Asset.USD, 100)], False, id="the other way"),
        pytest.param([CLOSE, REOPEN], [CLOSING, REOPENING], True, id="a reduction"),
        pytest.param([CLOSE, REOPEN], [CLOSING], False, id="a reduction is no close"),
        pytest.param([CLOSE], [CLOSING, REOPENING], False, id="a close is no reduction"),
    ],
)
def test_no_more_than_was_proposed(proposed, wanted, is_done):
    errand = Errand(proposal=Proposal(actions=proposed))
    decision = Decision(tuple(wanted), Reason("why", "Because."))
    assert narrowed(decision, errand).actions == (tuple(wanted) if is_done else ())
