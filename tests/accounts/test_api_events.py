"""The events of a user over HTTP: their own, newest first, filtered, and never written."""

import pytest

from accounts.models import Event
from accounts.outbox import record_event
from tests.accounts.builders import a_user, an_account, api_of

pytestmark = pytest.mark.django_db

EVENTS = "/api/events/"
INFO, WARNING, CRITICAL = Event.Severity


@pytest.fixture
def alice():
    """A user with four events, named by their messages."""
    user = a_user()
    main, other = an_account(user, "main"), an_account(user, "other")
    for message, kind, severity, account in (
        ("1st", "met", INFO, main),
        ("2nd", "met", CRITICAL, other),
        ("3rd", "lost", CRITICAL, main),
        ("4th", "lost", WARNING, None),
    ):
        record_event(
            user=user, kind=kind, severity=severity, account=account, message=message, data={"n": 1}
        )
    return user


@pytest.fixture
def bob():
    """Another user with an event of their own."""
    user = a_user("bob")
    account = an_account(user, "main")
    record_event(user=user, kind="met", severity=INFO, account=account, message="bob's")
    return user


def listed(user, query=""):
    return [row["message"] for row in api_of(user).get(f"{EVENTS}?{query}").data["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["4th", "3rd", "2nd", "1st"], id="all"),
        pytest.param("severity=critical", ["3rd", "2nd"], id="severity"),
        pytest.param("kind=met", ["2nd", "1st"], id="kind"),
        pytest.param("account=main", ["3rd", "1st"], id="account"),
        pytest.param("account=main&kind=met&severity=info", ["1st"], id="all three"),
        pytest.param("kind=unheard_of", [], id="none"),
        pytest.param("limit=2", ["4th", "3rd"], id="a page"),
        pytest.param("limit=2&offset=1", ["3rd", "2nd"], id="a later page"),
        pytest.param("limit=1&kind=met", ["2nd"], id="a page of some"),
    ],
)
def test_the_list_is_filtered_and_newest_first(alice, query, expected):
    main = alice.exchange_accounts.get(name="main")
    assert listed(alice, query.replace("account=main", f"account={main.pk}")) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("severity=grave", "severity"),
        ("kind=", "kind"),
        ("account=main", "account"),
        ("limit=0", "limit"),
        ("offset=-1", "offset"),
        ("sevrity=info", "sevrity"),
        ("user=2", "user"),
    ],
)
def test_a_bad_query_is_refused_by_name(alice, query, field):
    answer = api_of(alice).get(f"{EVENTS}?{query}")
    assert answer.status_code == 400
    assert list(answer.data) == [field]


def test_one_is_shown_in_full(alice):
    event = Event.objects.get(message="1st")
    shown = api_of(alice).get(f"{EVENTS}{event.pk}/").json()
    assert shown.pop("created_at")
    assert shown == {
        "id": event.pk,
        "kind": "met",
        "severity": "info",
        "account": str(event.account_id),
        "message": "1st",
        "data": {"n": 1},
    }


def test_users_see_their_own_alone(alice, bob):
    foreign = bob.events.get()
    assert listed(bob) == ["bob's"]
    assert "bob's" not in listed(alice)
    assert listed(alice, f"account={foreign.account_id}") == []
    assert api_of(alice).get(f"{EVENTS}{foreign.pk}/").status_code == 404


@pytest.mark.parametrize("role", ["is_staff", "is_superuser"])
def test_operators_see_their_own_alone(alice, role):
    operator = a_user("operator", **{role: True})
    assert listed(operator) == []
    event = alice.events.first()
    assert api_of(operator).get(f"{EVENTS}{event.pk}/").status_code == 404


def test_nobody_sees_them_without_a_token(alice):
    for address in (EVENTS, f"{EVENTS}{alice.events.first().pk}/"):
        assert api_of(None).get(address).status_code == 401


@pytest.mark.parametrize("event_id", ["0", "x", "%00", "9" * 30])
def test_an_event_that_never_was_is_a_404(alice, event_id):
    assert api_of(alice).get(f"{EVENTS}{event_id}/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_they_are_not_written(alice, method):
    for address in (EVENTS, f"{EVENTS}{alice.events.first().pk}/"):
        assert getattr(api_of(alice), method)(address, {}).status_code == 405
    assert alice.events.count() == 4


def test_the_document_names_the_filters(alice):
    schema = api_of(alice).get("/api/schema/", HTTP_ACCEPT="application/json").json()
    (listing,) = schema["paths"][EVENTS].values()
    assert {parameter["name"] for parameter in listing["parameters"]} == {
        "account", "kind", "limit", "offset", "severity",
    }  # fmt: skip
    assert set(schema["paths"]["/api/events/{id}/"]) == {"get"}
