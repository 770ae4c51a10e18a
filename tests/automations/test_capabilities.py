"""An automation that its account's exchange cannot serve is refused when it is saved."""

import pytest

from accounts.errors import InvalidField
from automations import pausing, services
from automations.models import Automation
from exchanges import registry
from exchanges.registry import Adapter
from exchanges.types import Capability
from tests.accounts.builders import a_user, an_account, api_of

pytestmark = pytest.mark.django_db

CONFIG = {
    "threshold": "0.8",
    "action": {"type": "add_margin", "amount": 1, "max_per_position": 1, "max_per_day": 1},
}


@pytest.fixture
def account():
    return an_account(a_user(), is_active=True)


@pytest.fixture
def without_isolated(monkeypatch):
    """From now on the adapter has spot only."""

    def lose():
        known = registry.ADAPTERS["lnmarkets"]
        spot = Adapter(known.connect, frozenset({Capability.SPOT}), known.scopes)
        monkeypatch.setitem(registry.ADAPTERS, "lnmarkets", spot)

    return lose


def create(account):
    return services.create_automation(
        user=account.user,
        account=account,
        kind="margin_guard",
        name="guard",
        config=CONFIG,
        by=account.user,
    )


def test_it_is_not_created(account, without_isolated):
    without_isolated()
    with pytest.raises(InvalidField) as refused:
        create(account)
    assert refused.value.field == "config"
    assert refused.value.message == (
        f"This margin_guard cannot run at {account.exchange.name}, which does not have what it"
        " needs: isolated."
    )
    assert not Automation.objects.exists()


def test_the_api_says_so(account, without_isolated):
    without_isolated()
    body = {"name": "guard", "kind": "margin_guard", "config": CONFIG}
    answer = api_of(account.user).post("/api/automations/", body)
    assert answer.status_code == 400
    assert "isolated" in answer.data["config"][0]


def test_one_that_lost_its_ground_can_be_paused_and_deleted_but_not_resumed(
    account, without_isolated
):
    automation = create(account)
    without_isolated()
    with pytest.raises(InvalidField):
        services.update_automation(automation=automation, name="other", by=automation.user)
    automation.refresh_from_db()
    pausing.pause(automation, by=automation.user, reason="test")
    with pytest.raises(InvalidField):
        pausing.resume(automation, by=automation.user)
    automation.refresh_from_db()
    services.delete_automation(automation=automation, by=automation.user)
    assert automation.deleted_at
