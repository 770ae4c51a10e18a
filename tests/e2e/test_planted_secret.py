"""Real credentials of an account that acts and fails, searched wherever anything is kept."""

import base64
import secrets

import pytest

from tests.e2e.places import Places
from tests.running import await_that

pytestmark = pytest.mark.xdist_group("e2e")

RESCUE_SECONDS = 30
FORMS = {
    "plain": lambda secret: secret,
    "hex": lambda secret: secret.hex().encode(),
    "base64": lambda secret: base64.b64encode(b"something before " + secret + b" and after"),
}


@pytest.fixture
def busy(trader, market):
    """A trader whose guard could not see, then saw and acted."""
    trade = trader.open_position()
    market.fault("cut_before", account_id=trader.paper.id)
    trader.set_guard(every=1)
    await_that(lambda: trader.guard()["reason_code"] == "within_threshold", RESCUE_SECONDS)
    market.set_price(trader.price_when_used(trade, "0.85"))
    await_that(lambda: trader.executions(status="success"), RESCUE_SECONDS)
    return trader


def test_credentials_of_an_account_that_acted_lie_nowhere(running_axisor, busy):
    places = Places(running_axisor, busy)
    canaries = [busy.words[name] for name in ("key", "secret", "passphrase")]
    assert places.with_any_of(canaries) == {}
    assert places.with_any_of([busy.name]).keys() == {"database", "files", "admin", "api"}
    assert places.with_any_of([busy.guard_id]).keys() >= {"valkey", "flower"}


def test_the_search_finds_what_is_planted_in_any_form(running_axisor, trader):
    planted, places = secrets.token_bytes(24).hex(), Places(running_axisor, trader)
    logs = [running_axisor.folder / "logs" / f"planted-{name}" for name in FORMS]
    with places.valkey() as client:
        for log, form in zip(logs, FORMS.values(), strict=True):
            log.write_bytes(b"INFO " + form(planted.encode()) + b" is said\n")
            client.hset(log.name, "a field", form(planted.encode()))
        found = places.with_any_of([planted])
        client.delete(*(log.name for log in logs))
    for log in logs:
        log.unlink()
    names = {log.name for log in logs}
    assert found.keys() == {"valkey", "files"}
    assert set(found["valkey"]) == names
    assert set(found["files"]) >= names
