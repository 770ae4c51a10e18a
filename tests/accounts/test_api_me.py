"""What users choose for themselves."""

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import Audit, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db):
    return User.objects.create_user("ada")


@pytest.fixture
def client(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user)[1]}")
    return client


def test_a_user_sees_and_chooses_the_time_zone(client, user):
    assert client.get("/api/me/").json() == {
        "id": user.pk, "username": "ada", "time_zone": "UTC",
    }  # fmt: skip
    answer = client.patch("/api/me/", {"time_zone": "Europe/Berlin"}, format="json")
    assert answer.json()["time_zone"] == "Europe/Berlin"
    audit = Audit.objects.get(action="time_zone_changed")
    assert (audit.by, audit.user, audit.data) == (user, user, {"zone": ["UTC", "Europe/Berlin"]})


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"time_zone": "Mars"}, "time_zone", "must be the name of a time zone, such as Europe/Be"),
        ({"time_zone": ""}, "time_zone", "may not be blank"),
        ({}, "time_zone", "required"),
        ({"username": "eve"}, "username", "Unknown field. Allowed: time_zone."),
    ],
    ids=str,
)
def test_bad_input_is_a_400_that_names_the_field_and_changes_nothing(
    client, user, body, field, words
):
    answer = client.patch("/api/me/", body, format="json")
    assert answer.status_code == 400
    assert words in str(answer.json()[field])
    user.refresh_from_db()
    assert (user.time_zone, user.username) == ("UTC", "ada")


def test_without_a_token_there_is_nobody(db):
    assert APIClient().get("/api/me/").status_code == 401
