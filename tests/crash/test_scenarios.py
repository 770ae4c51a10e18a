"""What `make crash` draws its rounds from."""

from tests.crash.planted import BUGS
from tests.crash.scenarios import PROVOKING, draw


def test_every_planted_bug_is_provoked():
    assert set(PROVOKING) == set(BUGS)


def test_the_same_seed_draws_the_same_rounds():
    first, again = ([draw(5, number) for number in range(500)] for _ in range(2))
    assert first == again
    assert first != [draw(6, number) for number in range(500)]
