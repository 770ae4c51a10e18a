"""Which keys are taken: what they may do, and whose account it is."""

import pytest

from accounts import services
from accounts.errors import InvalidField
from accounts.models import Event, ExchangeAccount
from accounts.standing import State
from exchanges.paper.scopes import DEFAULT_SCOPES, Scope
from tests.accounts.builders import a_user, api_of

pytestmark = pytest.mark.django_db

READING = tuple(scope for scope in DEFAULT_SCOPES if scope.endswith(":read"))
WITHDRAWING = (*DEFAULT_SCOPES, Scope.WITHDRAWALS_WRITE)


@pytest.fixture
def connect(paper, at_paper):
    """Connect a fresh account of the exchange whose key has these scopes."""

    def connect(scopes=DEFAULT_SCOPES, **options):
        permissions = [scope.value for scope in scopes]
        made = paper.control.create_account(balance=1, permissions=permissions)
        user = a_user()
        return services.connect_account(
            user=user,
            exchange=at_paper,
            name="main",
            credentials=made.credentials,
            by=user,
            **options,
        )

    return connect


def told():
    return Event.objects.get(kind="account_connected").message


def test_a_key_that_may_withdraw_is_refused_with_the_risk_and_the_remedy(connect):
    with pytest.raises(InvalidField) as refused:
        connect(WITHDRAWING)
    assert refused.value.field == "accept_withdrawals"
    for words in ("take all your funds", "account:withdrawals:write", "set this to true"):
        assert words in refused.value.message
    assert not ExchangeAccount.objects.exists()


def test_a_key_that_may_withdraw_is_taken_when_that_is_accepted(connect):
    assert connect(WITHDRAWING, accept_withdrawals=True).state == State.OK
    assert "may withdraw, which was accepted" in told()


def test_a_key_that_may_not_trade_is_taken_and_says_what_it_lacks(connect):
    account = connect(READING)
    account.refresh_from_db()
    assert account.state == State.SCOPE_MISSING
    assert "futures:isolated:write" in account.state_message
    assert account.state_message in told()


def test_a_key_that_may_not_even_read_is_refused(connect):
    with pytest.raises(InvalidField, match="account:read") as refused:
        connect([Scope.ISOLATED_WRITE])
    assert refused.value.field == "key"


def test_an_ordinary_key_needs_no_words(connect, at_paper):
    account = connect()
    assert account.state == State.OK
    assert told() == f"main is connected to {at_paper.name}."


class TestTheSameAccountAgain:
    @pytest.fixture
    def made(self, paper):
        return paper.control.create_account(balance=1)

    @pytest.fixture
    def again(self, paper, at_paper, made):
        """Connect it once more, with another of its keys."""

        def again(user, name, credentials=None):
            if credentials is None:
                _, credentials = paper.control.create_key(made.id)
            return services.connect_account(
                user=user, exchange=at_paper, name=name, credentials=credentials, by=user
            )

        return again

    def test_it_is_refused_by_its_name_here(self, made, again):
        user = a_user()
        again(user, "first", made.credentials)
        with pytest.raises(InvalidField, match="connected already, as first") as refused:
            again(user, "second")
        assert refused.value.field == "key"

    def test_it_may_come_back_after_it_was_disconnected(self, made, again):
        user = a_user()
        services.disconnect_account(account=again(user, "first", made.credentials), by=user)
        assert again(user, "second").is_connected

    def test_whether_others_have_it_is_not_said(self, made, again):
        again(a_user(), "mine", made.credentials)
        assert again(a_user("bob"), "mine").is_connected


@pytest.mark.parametrize(("accept", "status"), [(None, 400), (False, 400), (True, 201)])
def test_the_api_wants_a_yes(paper, at_paper, accept, status):
    permissions = [scope.value for scope in WITHDRAWING]
    key = paper.control.create_account(balance=1, permissions=permissions).credentials
    body = {"name": "main", "exchange": "paper", "key": key.key, "secret": key.secret}
    body |= {"passphrase": key.passphrase}
    body |= {} if accept is None else {"accept_withdrawals": accept}
    answer = api_of(a_user()).post("/api/accounts/", body)
    assert answer.status_code == status
    assert set(answer.data) == {"accept_withdrawals"} or status == 201
