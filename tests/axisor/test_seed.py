"""The seeds: what is made the first time, and what a later start leaves alone."""

import pytest

from accounts.models import User
from axisor.management.commands.seed import ensure_operator

pytestmark = pytest.mark.django_db

FIRST, CHANGED = "made-by-make-run", "chosen-by-the-operator"


def test_the_operator_is_made_with_the_password():
    operator = ensure_operator("operator", FIRST)
    assert operator.check_password(FIRST)
    assert operator.is_staff
    assert operator.is_superuser


def test_a_changed_password_outlives_the_next_start():
    operator = ensure_operator("operator", FIRST)
    operator.set_password(CHANGED)
    operator.save()
    assert ensure_operator("operator", FIRST) == operator
    assert User.objects.get().check_password(CHANGED)
