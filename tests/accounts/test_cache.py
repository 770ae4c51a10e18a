"""The credential cache saves queries, is never stale, never open, and never needed."""

import logging

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

from accounts import cache, opening
from accounts.errors import AccountInactive, InvalidField, SealBroken
from accounts.gateway import open_client
from accounts.models import ExchangeAccount
from accounts.services import disconnect_account, replace_credentials
from exchanges.errors import InvalidCredentials
from exchanges.protection.shared import impatient
from exchanges.types import Credentials
from tests.accounts.builders import CREDENTIALS, a_user, an_account, api_of
from tests.accounts.test_secrecy import CANARY, assert_hidden

pytestmark = pytest.mark.django_db

OTHER = Credentials("other-key", "other-secret", "other-passphrase")


@pytest.fixture(autouse=True)
def empty_cache():
    cache._redis().delete(*cache._KEYS, cache._COUNTS)


@pytest.fixture
def away(monkeypatch):
    """From now on the cache's Redis is where nobody listens."""

    def leave():
        monkeypatch.setattr(cache, "_redis", lambda: impatient("redis://127.0.0.1:1/0"))
        cache._script.cache_clear()

    yield leave
    cache._script.cache_clear()


@pytest.fixture
def account():
    return an_account(a_user())


def as_read(account):
    """The row as what runs all the time reads it."""
    rows = ExchangeAccount.objects.select_related("user", "exchange")
    return rows.defer("sealed_credentials").get(pk=account.pk)


def counted():
    return {kind: (of.hits, of.misses) for kind, of in cache.statistics().items()}


def test_the_sealed_column_is_fetched_once(account, django_assert_num_queries):
    row = as_read(account)
    with django_assert_num_queries(1):
        assert opening.open_credentials(row) == CREDENTIALS
    with django_assert_num_queries(0):
        assert opening.open_credentials(row) == CREDENTIALS
    assert counted() == {"credentials": (1, 1), "validations": (1, 1)}
    statistics = cache.statistics()["credentials"]
    assert (statistics.entries, statistics.hit_rate) == (1, 0.5)


def test_a_row_of_another_version_misses(account):
    opening.open_credentials(as_read(account))
    cached = cache.look_up(account.pk, 1)
    assert cached.sealed
    assert cached.is_valid
    assert cache.look_up(account.pk, 2) == cache.Found()


def test_new_credentials_are_used_at_once_though_nothing_was_cleared(paper, at_paper, monkeypatch):
    monkeypatch.setattr(cache, "forget_account", lambda _: None)
    first = paper.control.create_account(balance=1)
    _, second = paper.control.create_key(first.id)
    account = an_account(a_user(), credentials=first.credentials, remote_id=first.id)
    opening.open_credentials(as_read(account))
    replace_credentials(account=account, credentials=second, by=account.user)
    assert opening.open_credentials(as_read(account)) == second


def test_an_older_version_never_overwrites_a_newer_one(account):
    cache.keep_sealed(account.pk, 2, b"new")
    cache.keep_sealed(account.pk, 1, b"old")
    assert cache.look_up(account.pk, 2).sealed == b"new"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda account: disconnect_account(account=account, by=account.user),
            "is disconnected",
            id="disconnected",
        ),
        pytest.param(
            lambda account: type(account.user).objects.update(is_active=False),
            "is blocked",
            id="owner blocked",
        ),
        pytest.param(
            lambda account: type(account.exchange).objects.update(is_enabled=False),
            "is switched off",
            id="exchange off",
        ),
    ],
)
def test_what_the_row_says_is_never_taken_from_the_cache(account, change, words):
    opening.open_credentials(as_read(account))
    change(account)
    with pytest.raises(AccountInactive, match=words):
        open_client(as_read(account))


@pytest.mark.parametrize(
    "sealed", [b"", b"no token", bytes(80)], ids=["empty", "no token", "zeros"]
)
def test_what_does_not_open_is_dropped_and_the_database_decides(account, sealed):
    cache.keep_sealed(account.pk, 1, sealed)
    assert opening.open_credentials(as_read(account)) == CREDENTIALS
    assert cache.look_up(account.pk, 1).sealed == bytes(account.sealed_credentials)
    assert cache.statistics()["credentials"].evictions == 1


def test_another_account_s_sealed_value_does_not_open(account):
    other = an_account(account.user, "other", credentials=OTHER)
    cache.keep_sealed(account.pk, 1, bytes(other.sealed_credentials))
    assert opening.open_credentials(as_read(account)) == CREDENTIALS


def test_blank_credentials_are_refused_each_time():
    account = an_account(a_user(), credentials=Credentials("", "s", "p"))
    for _ in range(2):
        with pytest.raises(InvalidField, match="key"):
            open_client(as_read(account))


def test_without_redis_the_database_is_asked(account, away):
    away()
    for _ in range(2):
        assert opening.open_credentials(as_read(account)) == CREDENTIALS
    with pytest.raises(redis.RedisError):
        cache.statistics()


def test_a_verdict_past_its_time_is_made_again(account, monkeypatch):
    monkeypatch.setattr(cache, "LIFETIMES", {"credentials": 600, "validations": -1})
    opening.open_credentials(as_read(account))
    opening.open_credentials(as_read(account))
    assert counted() == {"credentials": (1, 1), "validations": (0, 2)}


def test_only_what_is_past_its_time_is_swept(account):
    opening.open_credentials(as_read(account))
    assert cache.sweep_validations() == 0
    cache._redis().zadd("credential-cache:validations:ends", {str(account.pk): 1})
    assert cache.statistics()["validations"].entries == 0
    assert cache.look_up(account.pk, 1).is_valid is False
    assert (cache.sweep_validations(), cache.sweep_credentials()) == (1, 0)
    assert cache.statistics()["validations"].evictions == 1


def test_a_change_clears_on_commit(account, django_capture_on_commit_callbacks):
    opening.open_credentials(as_read(account))
    with django_capture_on_commit_callbacks(execute=True):
        disconnect_account(account=account, by=account.user)
    assert cache.look_up(account.pk, 1) == cache.Found()


@pytest.mark.parametrize("of", ["exchangeaccount", "user"])
def test_operators_clear_it(account, of):
    other = an_account(a_user("bob"), "his")
    for each in (account, other):
        opening.open_credentials(as_read(each))
    page = Client()
    page.force_login(a_user("operator", is_staff=True, is_superuser=True))
    chosen = {"exchangeaccount": account.pk, "user": account.user_id}[of]
    body = {"action": "clear_cache", "_selected_action": [str(chosen)]}
    page.post(reverse(f"admin:accounts_{of}_changelist"), body)
    assert cache.look_up(account.pk, 1) == cache.Found()
    assert cache.look_up(other.pk, 1).is_valid
    shown = page.get(reverse("admin:accounts_exchangeaccount_credential_cache")).content.decode()
    assert "validations" in shown


@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 403)])
def test_staff_reads_the_statistics(account, is_staff, status):
    opening.open_credentials(as_read(account))
    answer = api_of(a_user("reader", is_staff=is_staff)).get("/api/credential-cache/")
    assert answer.status_code == status
    if is_staff:
        nothing_hit = {"hits": 0, "misses": 1, "evictions": 0, "entries": 1, "hit_rate": 0.0}
        assert answer.json() == {"credentials": nothing_hit, "validations": nothing_hit}


def test_unknown_statistics_are_not_zero(away):
    away()
    answer = api_of(a_user("reader", is_staff=True)).get("/api/credential-cache/")
    assert answer.status_code == 503
    assert b"axisor_credential_cache" not in Client().get("/metrics").content


def test_prometheus_reads_the_numbers_of_all_processes(account):
    opening.open_credentials(as_read(account))
    line = b'axisor_credential_cache_lookups_total{kind="credentials",outcome="miss"} 1.0'
    assert line in Client().get("/metrics").content


def dump():
    """Every key and value of Redis, as text."""
    server = redis.Redis.from_url(settings.CACHE_REDIS_URL)
    readers = {
        b"string": server.get,
        b"hash": server.hgetall,
        b"set": server.smembers,
        b"list": lambda key: server.lrange(key, 0, -1),
        b"zset": lambda key: server.zrange(key, 0, -1),
        b"stream": server.xrange,
    }
    return "\n".join(f"{key!r} {readers[server.type(key)](key)!r}" for key in server.scan_iter())


def test_redis_never_holds_a_credential_in_the_open(paper, at_paper, caplog):
    caplog.set_level(logging.DEBUG)
    real = paper.control.create_account(balance=1).credentials
    owner = a_user()
    good, refused = (
        an_account(owner, name, credentials=c) for name, c in (("a", real), ("b", CANARY))
    )
    open_client(as_read(good)).account()
    with pytest.raises(InvalidCredentials):
        open_client(as_read(refused)).account()
    broken = an_account(owner, "c", credentials=CANARY)
    opening.open_credentials(as_read(broken))
    with override_settings(VAULT_KEYS={"other": bytes(range(32))}), pytest.raises(SealBroken):
        open_client(as_read(broken))
    call_command("rotate_keys")
    held = dump()
    assert str(good.pk) in held
    for credentials in (real, CANARY):
        assert_hidden(held + caplog.text, credentials)
