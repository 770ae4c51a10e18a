"""Each test has a trader of its own on the one running platform, and finds the price at rest."""

from collections.abc import Iterator

import pytest

from exchanges.paper.control_client import ControlClient
from tests.e2e.trader import Trader
from tests.running import Platform


@pytest.fixture
def market(running_axisor: Platform) -> Iterator[ControlClient]:
    """The paper exchange of the platform; its price is put back, and its faults are cleared."""
    control = ControlClient(running_axisor.run["paper"].removesuffix("/v3"))
    before = control.price()
    yield control
    control.clear_faults()
    control.set_price(before)


@pytest.fixture
def trader(running_axisor: Platform, market: ControlClient) -> Iterator[Trader]:
    """A new user with an account, and nothing else yet."""
    trader = Trader(running_axisor, market)
    yield trader
    trader.leave()
