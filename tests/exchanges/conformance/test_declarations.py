"""What an adapter says of itself, and what it does when it is asked for more."""

from datetime import timedelta

import pytest

from exchanges import client as port
from exchanges import registry
from exchanges.errors import NotSupported
from exchanges.types import Capability
from tests.exchanges.conformance.venues import VENUES
from tests.exchanges.conformance.world import NOWHERE

PARTS = {
    Capability.ISOLATED: port.IsolatedMargin,
    Capability.CROSS: port.CrossMargin,
    Capability.SWAPS: port.Swaps,
    Capability.SPOT: port.Spot,
}

each_adapter = pytest.mark.parametrize("adapter", registry.ADAPTERS)


def test_every_adapter_is_tried():
    assert set(VENUES) == set(registry.ADAPTERS)


@each_adapter
def test_the_registry_knows_what_a_client_has(adapter):
    client = registry.connect(adapter, base_url=NOWHERE)

    assert client.capabilities == registry.adapter(adapter).capabilities


@each_adapter
@pytest.mark.parametrize("part", Capability)
def test_a_part_is_there_or_is_not_supported(adapter, part):
    """Nobody listens at the address, so an attempt to ask would be `Unavailable`."""
    client = registry.connect(adapter, base_url=NOWHERE)

    if part in client.capabilities:
        offered = getattr(client, part)
        assert [name for name in _methods(PARTS[part]) if not hasattr(offered, name)] == []
    else:
        with pytest.raises(NotSupported):
            getattr(client, part)


@each_adapter
def test_the_window_of_a_signature_is_declared(adapter):
    window = registry.connect(adapter, base_url=NOWHERE).request_window

    assert window is None or window > timedelta(0)


def _methods(part: type) -> list[str]:
    return [name for name in vars(part) if not name.startswith("_")]
