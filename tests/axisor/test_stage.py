"""The demo's stage: on whose account it plays."""

import pytest

from axisor.demo.errors import CannotShow
from axisor.demo.stage import stage_of


def test_an_account_it_did_not_seed_is_refused_with_what_to_do(paper):
    paper.control.create_account(balance=1_000_000)
    before = paper.control.ledger()
    with pytest.raises(CannotShow) as refusal, stage_of(paper.control, "Mine"):
        pass
    assert str(refusal.value) == (
        "The active account is Mine. Activate Paper in the admin, then run this again."
    )
    assert paper.control.ledger() == before
