"""An account of its own for each test, at an exchange that its module shares."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.exchanges.conformance.venues import VENUES
from tests.exchanges.conformance.world import Venue, World


@pytest.fixture(scope="module")
def venue_of(tmp_path_factory) -> Iterator[Callable[[str], Venue]]:
    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(VENUES[name](tmp_path_factory.mktemp(name))))


@pytest.fixture
def world(request, venue_of) -> World:
    venue = venue_of(request.param)
    venue.heal()
    return World(venue)
