"""The paper exchange as the platform sees it, for all tests of accounts."""

import pytest

from tests.accounts.builders import the_paper_exchange


@pytest.fixture
def at_paper(db, paper, settings):
    """The paper exchange's row, pointing at the one that runs."""
    settings.PAPER_URL = paper.url
    return the_paper_exchange()


@pytest.fixture
def nobody_there(db, settings):
    """The paper exchange's row, pointing at a port where nothing listens."""
    settings.PAPER_URL = "http://127.0.0.1:1/v3"
    return the_paper_exchange()
