"""The monitor against a real exchange: one alert and one call per crossing, stale is never safe."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from time import monotonic

import pytest
from django.db import connections
from prometheus_client import REGISTRY

from automations import reading, recovery, services
from automations.margin import alerts, rounds
from automations.margin.alerts import Circumstances
from automations.margin.danger import Change, Danger
from automations.models import Errand, Execution, MarginAlert
from automations.rules import measures
from exchanges import feed
from exchanges.types import Aged, Holdings
from tests.automations.conftest import ADD_MARGIN, guard_a_position
from tests.automations.margin.conftest import Looking, read_into_feed, told
from tests.builders import cross, trade
from tests.running import await_that

pytestmark = pytest.mark.django_db(transaction=True)

WARNING_PRICE, CRITICAL_PRICE, EASED, WELL = "92400", "91700", "92300", "99000"
SECONDS = 30
read = rounds._read
POSITION = measures.of_trade(trade())


def levels():
    return {alert.trade_id: alert.level for alert in MarginAlert.objects.all()}


def slots():
    return list(Errand.objects.order_by("id").values_list("slot", "cause"))


@pytest.fixture
def another(guarded):
    return guard_a_position(guarded.paper, action=ADD_MARGIN, trader="another")


@pytest.mark.parametrize(
    ("prices", "kinds", "calls"),
    [
        ([WELL, WELL], [], 0),
        ([WARNING_PRICE] * 3, ["margin_warning"], 1),
        ([WARNING_PRICE, CRITICAL_PRICE] * 1, ["margin_warning", "margin_critical"], 2),
        ([CRITICAL_PRICE] * 2, ["margin_critical"], 1),
        ([WARNING_PRICE, "92650", WARNING_PRICE], ["margin_warning"], 1),
        ([CRITICAL_PRICE, EASED], ["margin_critical", "margin_warning"], 1),
        ([WARNING_PRICE, WELL], ["margin_warning", "margin_recovered"], 1),
        ([WARNING_PRICE, WELL, WARNING_PRICE],
         ["margin_warning", "margin_recovered", "margin_warning"], 2),
    ],
    ids=["well", "warning", "worse", "a gap", "trembling", "eased", "recovered", "again"],
)  # fmt: skip
def test_a_crossing_is_told_once_and_calls_the_guard_once(guarded, looking, prices, kinds, calls):
    for price in prices:
        looking.look(at=[guarded], price=price)
    assert told(guarded) == kinds
    assert len(slots()) == calls
    assert {cause for _, cause in slots()} <= {"monitor"}


def test_the_event_has_the_numbers_and_the_slot_the_crossing(guarded, looking):
    looking.look(at=[guarded], price=WARNING_PRICE)
    alert, event = MarginAlert.objects.get(), guarded.user.events.get(kind="margin_warning")
    assert slots() == [(f"monitor:{alert.crossing}", "monitor")]
    assert Decimal("0.8") < alert.margin_used < Decimal("0.9")
    assert event.data["margin_used"] == str(alert.margin_used)
    assert event.data["price"] == WARNING_PRICE
    assert event.data["trade_id"] == guarded.trade["id"]
    assert Decimal(event.data["liquidation_distance"]) < Decimal("0.02")
    assert "Called to protect it: guard." in event.message


def test_a_guard_that_only_records_is_called_and_protects_nothing(guarded, looking):
    services.update_automation(
        automation=guarded.automation, mode="shadow", by=guarded.automation.user
    )
    looking.look(at=[guarded], price=WARNING_PRICE)
    assert "Nothing protects it" in guarded.user.events.get(kind="margin_warning").message
    assert len(slots()) == 1


def test_what_is_counted(guarded, looking, impatient):
    def counted():
        names = ("accounts_checked_total", "alerts_total", "blind_accounts")
        labels = ({}, {"level": "warning"}, {"exchange": "paper"})
        return [
            REGISTRY.get_sample_value(f"axisor_margin_{name}", labelled) or 0
            for name, labelled in zip(names, labels, strict=True)
        ]

    before = counted()
    looking.look(at=[guarded], price=WARNING_PRICE)
    assert [now - then for now, then in zip(counted(), before, strict=True)][:2] == [1, 1]
    feed.invalidate_holdings(guarded.account.pk, at=reading.utc_now())
    guarded.paper.control.fault("fail_before", account_id=guarded.paper_account.id, times=2)
    looking.look()
    looking.monitor.look()
    looking.await_rounds()
    assert counted()[2] == 1


def test_what_is_fresh_costs_no_request(guarded, looking, monkeypatch):
    read_into_feed(guarded, WARNING_PRICE)
    for name in ("open_client", "open_market"):
        monkeypatch.setattr(rounds, name, lambda *_, **__: pytest.fail("asked"))
    looking.look()
    assert told(guarded) == ["margin_warning"]


def test_what_is_called_is_carried_out_once_whatever_is_lost(guarded, looking, monkeypatch):
    def no_broker(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(alerts, "call_a_worker", no_broker)
    looking.look(at=[guarded], price=WARNING_PRICE)
    recovery.recover(guarded.account)
    looking.look(at=[guarded])
    recovery.recover(guarded.account)
    execution = Execution.objects.get(cause="monitor")
    assert (execution.status, guarded.effects()) == ("success", ["add_margin"])


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_look_tells(
    guarded, looking, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(alerts, "record_event", lambda **_: 1 / 0)
        looking.look(at=[guarded], price=WARNING_PRICE)
    assert (levels(), slots(), told(guarded)) == ({}, [], [])
    looking.look(at=[guarded])
    assert (len(slots()), told(guarded)) == (1, ["margin_warning"])


BEGINS = Change("t1", None, Danger.WARNING, POSITION)
WORSENS = Change("t1", Danger.WARNING, Danger.CRITICAL, POSITION)
EASES = Change("t1", Danger.CRITICAL, Danger.WARNING, POSITION)
RECOVERS = Change("t1", Danger.WARNING, None, POSITION)
CLOSES = Change("t1", Danger.WARNING, None, None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (BEGINS, "margin_warning"),
        (WORSENS, "margin_critical"),
        (EASES, "margin_warning"),
        (RECOVERS, "margin_recovered"),
        (CLOSES, "margin_closed"),
    ],
    ids=["begins", "worsens", "eases", "recovers", "closes"],
)
def test_of_several_monitors_one_tells(guarded, change, kind):
    if change.before is not None:
        MarginAlert.objects.create(account=guarded.account, trade_id="t1", level=change.before)
    known = [MarginAlert.objects.first() for _ in range(4)]

    def enter(alert):
        known = {alert.trade_id: alert} if alert else {}
        alerts.enter(guarded.account, [change], known, Circumstances(Decimal(92_400), 1))
        connections.close_all()

    with ThreadPoolExecutor(4) as monitors:
        list(monitors.map(enter, known))
    assert told(guarded) == [kind]
    assert len(slots()) == int(change.is_worse)


@pytest.mark.parametrize("how", ["closed", "liquidated"])
def test_a_position_that_is_gone_ends_its_alert(guarded, looking, how):
    looking.look(at=[guarded], price=WARNING_PRICE)
    if how == "closed":
        guarded.paper.control.close_trade(guarded.paper_account.id, guarded.trade["id"])
    else:
        guarded.fall("80000")
    looking.look(at=[guarded])
    assert (levels(), told(guarded)) == ({}, ["margin_warning", "margin_closed"])


def test_an_account_that_cannot_be_read_is_told_once_until_it_can(guarded, looking, impatient):
    guarded.paper.control.fault("fail_before", account_id=guarded.paper_account.id, times=99)
    looking.look()
    looking.look()
    assert (levels(), told(guarded)) == ({"": "blind"}, ["margin_unknown"])
    guarded.paper.control.clear_faults()
    await_that(lambda: [looking.look()] and not levels(), SECONDS)
    assert told(guarded) == ["margin_unknown", "margin_recovered"]


def test_an_account_that_is_stale_is_read_anew_with_patience(guarded, looking, impatient):
    guarded.fall(WARNING_PRICE)
    guarded.paper.control.fault("fail_before", account_id=guarded.paper_account.id, times=1)
    looking.look()
    assert told(guarded) == ["margin_warning"]


@pytest.mark.parametrize(
    ("seconds", "position", "kinds"),
    [(14, cross(0), []), (16, cross(0), ["margin_warning"]), (0, None, ["margin_warning"])],
    ids=["recent", "too old to act on", "cross margin not read"],
)
def test_what_is_too_old_or_not_whole_is_read_anew(guarded, looking, seconds, position, kinds):
    guarded.fall(WARNING_PRICE)
    at = reading.utc_now() - timedelta(seconds=seconds)
    feed.put_holdings(guarded.account.id, Aged(Holdings(0, (), cross=position), at, "rest"))
    looking.look()
    assert told(guarded) == kinds


@pytest.mark.parametrize(("overdue", "kinds"), [(30, []), (0, ["margin_unknown"])])
def test_one_that_hangs_is_asked_once_and_holds_up_no_other(
    guarded, another, monkeypatch, overdue, kinds
):
    asked = []
    monkeypatch.setattr(rounds, "OVERDUE", overdue)
    monkeypatch.setattr(rounds, "_read", lambda account: [asked.append(account), read(account)][1])
    slow = guarded.paper_account.id
    guarded.paper.control.fault("delay_before", seconds=5, account_id=slow, times=99)
    read_into_feed(another, WARNING_PRICE)
    began, looking = monotonic(), Looking()
    looking.monitor.look()
    await_that(lambda: told(another) == ["margin_warning"], SECONDS)
    await_that(lambda: asked, SECONDS)
    looking.monitor.look()
    looking.await_rounds()
    assert monotonic() - began < 4
    assert told(guarded) == kinds
    guarded.paper.control.clear_faults()
    looking.look()
    assert asked == [guarded.account]


def test_a_market_that_cannot_be_read_is_told_once_per_account(
    guarded, another, looking, impatient
):
    guarded.paper.control.fault("fail_before", path="/v3/futures/ticker", times=99)
    looking.look()
    looking.look()
    assert told(guarded) == told(another) == ["margin_unknown"]
    guarded.paper.control.clear_faults()
    await_that(lambda: [looking.look()] and not levels(), SECONDS)
    assert told(guarded) == told(another) == ["margin_unknown", "margin_recovered"]


def test_the_cross_margin_position_is_measured_whoever_looks_at_it(guarded, looking):
    control, account = guarded.paper.control, guarded.paper_account.id
    control.close_trade(account, guarded.trade["id"])
    control.cross(account, "leverage", leverage=10)
    control.cross(account, "deposit", amount=1_000_000)
    control.cross(account, "order", side="buy", quantity=9_000, type="market")
    looking.look(at=[guarded], price="91500")
    assert set(levels()) == {"cross"}


def test_what_is_not_watched_any_more_is_told_and_dropped(guarded, looking):
    looking.look(at=[guarded], price=WARNING_PRICE)
    guarded.user.is_active = False
    guarded.user.save()
    looking.look()
    assert (levels(), told(guarded)) == ({}, ["margin_warning", "margin_unwatched"])


def test_two_monitors_and_a_worker_protect_once(guarded, start_program):
    for name in ("monitor", "monitor", "worker-critical"):
        start_program(name)
    guarded.fall()
    await_that(Execution.objects.filter(cause="monitor", status="success").exists, SECONDS)
    assert guarded.effects() == ["add_margin"]
    assert Execution.objects.count() == 1
    assert told(guarded) == ["margin_warning"]
