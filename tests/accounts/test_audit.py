"""The audit: written once, read by whose things it tells of, and by operators."""

import pytest
from django.db import ProgrammingError, connection, transaction

from accounts.audit import record_audit
from accounts.models import Audit
from tests.accounts.builders import a_user, an_account, api_of

pytestmark = pytest.mark.django_db

AUDIT = "/api/audit/"


@pytest.fixture
def operator():
    return a_user("operator", is_staff=True, is_superuser=True)


@pytest.fixture
def alice(operator):
    """A user to whom four things were done, named by their reasons."""
    user = a_user()
    main, other = an_account(user, "main"), an_account(user, "other")
    for reason, action, subject, account, by in (
        ("1st", "made", "automation/1", main, user),
        ("2nd", "made", "automation/2", other, operator),
        ("3rd", "stopped", "automation/1", main, operator),
        ("4th", "stopped", "user/1", None, None),
    ):
        record_audit(
            action, by=by, subject=subject, user=user, account=account, reason=reason, data={"n": 1}
        )
    return user


class TestTheTable:
    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda rows: rows.update(reason="another"), id="update"),
            pytest.param(lambda rows: rows.delete(), id="delete"),
            pytest.param(lambda rows: rows.first().save(), id="save"),
            pytest.param(lambda rows: rows.first().delete(), id="delete one"),
        ],
    )
    def test_refuses_every_change(self, alice, change):
        before = list(Audit.objects.values())
        with pytest.raises(ProgrammingError, match="is written once"), transaction.atomic():
            change(Audit.objects.all())
        assert list(Audit.objects.values()) == before

    @pytest.mark.parametrize(
        "statement", ["UPDATE accounts_audit SET by_id = NULL", "DELETE FROM accounts_audit"]
    )
    def test_refuses_sql_by_hand(self, alice, statement):
        with (
            pytest.raises(ProgrammingError, match="is written once"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
        assert Audit.objects.count() == 4


def listed(user, query=""):
    return [row["reason"] for row in api_of(user).get(f"{AUDIT}?{query}").data["results"]]


class TestTheApi:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            pytest.param("", ["4th", "3rd", "2nd", "1st"], id="all"),
            pytest.param("action=made", ["2nd", "1st"], id="action"),
            pytest.param("subject=automation/1", ["3rd", "1st"], id="subject"),
            pytest.param("account=main", ["3rd", "1st"], id="account"),
            pytest.param("account=main&action=made&subject=automation/1", ["1st"], id="all three"),
            pytest.param("action=unheard_of", [], id="none"),
            pytest.param("limit=2&offset=1", ["3rd", "2nd"], id="a page"),
        ],
    )
    def test_the_list_is_filtered_and_newest_first(self, alice, query, expected):
        main = alice.exchange_accounts.get(name="main")
        assert listed(alice, query.replace("account=main", f"account={main.pk}")) == expected

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("action=", "action"),
            ("subject=", "subject"),
            ("account=main", "account"),
            ("limit=0", "limit"),
            ("offset=-1", "offset"),
            ("actoin=made", "actoin"),
            ("user=2", "user"),
            ("by=2", "by"),
        ],
    )
    def test_a_bad_query_is_refused_by_name(self, alice, query, field):
        answer = api_of(alice).get(f"{AUDIT}?{query}")
        assert answer.status_code == 400
        assert list(answer.data) == [field]

    @pytest.mark.parametrize(
        ("reason", "by"), [("1st", "alice"), ("2nd", "operator"), ("4th", None)]
    )
    def test_one_is_shown_with_who_did_it(self, alice, reason, by):
        row = Audit.objects.get(reason=reason)
        shown = api_of(alice).get(f"{AUDIT}{row.pk}/").json()
        assert shown.pop("at")
        assert shown == {
            "id": row.pk,
            "by": by,
            "action": row.action,
            "subject": row.subject,
            "account": row.account_id and str(row.account_id),
            "reason": reason,
            "data": {"n": 1},
        }

    def test_what_is_done_to_others_is_not_there(self, alice, operator):
        assert listed(operator) == listed(a_user("bob")) == []
        row = Audit.objects.get(reason="2nd")
        assert api_of(operator).get(f"{AUDIT}{row.pk}/").status_code == 404

    def test_nobody_sees_it_without_a_token(self, alice):
        assert api_of(None).get(AUDIT).status_code == 401

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_it_is_not_written(self, alice, method):
        for address in (AUDIT, f"{AUDIT}{alice.audits.first().pk}/"):
            assert getattr(api_of(alice), method)(address, {}).status_code == 405

    def test_the_document_names_the_filters(self, alice):
        schema = api_of(alice).get("/api/schema/", HTTP_ACCEPT="application/json").json()
        (listing,) = schema["paths"][AUDIT].values()
        assert {parameter["name"] for parameter in listing["parameters"]} == {
            "account", "action", "limit", "offset", "subject",
        }  # fmt: skip
