"""Fixtures of the paper exchange's own tests."""

import pytest

from tests.exchanges.paper.trader import Trader
from tests.paper_server import serving


@pytest.fixture
def account(paper):
    """A fresh account with ten million sats."""
    return paper.control.create_account(balance=10_000_000)


@pytest.fixture
def trader(paper, account):
    """The client of `account`."""
    return Trader(paper.url, account.credentials)


@pytest.fixture(scope="module")
def shared_paper(tmp_path_factory):
    """One exchange for all cases of a module that leave no trace, or only on their account."""
    with serving(tmp_path_factory.mktemp("paper") / "paper.jsonl") as server:
        yield server


@pytest.fixture
def stranger(shared_paper):
    """The client of a fresh account at the shared exchange."""
    account = shared_paper.control.create_account(balance=10_000_000)
    return Trader(shared_paper.url, account.credentials)
