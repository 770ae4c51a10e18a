"""A new vault key takes over while everything goes on, however often the rotation is killed."""

import base64
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings

from accounts import rotation, vault
from accounts.credentials import seal_credentials, unseal_credentials
from accounts.errors import SealBroken
from accounts.gateway import open_client
from accounts.models import Audit, ExchangeAccount
from exchanges.types import Credentials
from tests.accounts.builders import CREDENTIALS, a_user, an_account
from tests.crash.programs import MANAGE
from tests.processes import environment

OLD, NEW = {"old": bytes(range(32))}, {"new": bytes(range(32, 64))}
BOTH = NEW | OLD
ACCOUNTS = 60


@pytest.fixture
def place(request):
    """An account whose credentials are sealed with the old key."""
    request.getfixturevalue("db")
    with override_settings(VAULT_KEYS=OLD):
        return an_account(a_user())


def keys():
    return dict(rotation.census().keys)


def fresh(account):
    return ExchangeAccount.objects.get(pk=account.pk)


def test_what_lies_under_another_key_is_sealed_anew_and_the_old_key_can_go(place, capsys):
    with override_settings(VAULT_KEYS=BOTH):
        call_command("rotate_keys")
    assert "old: 0 sealed, may be removed from the ring" in capsys.readouterr().out
    with override_settings(VAULT_KEYS=NEW):
        assert unseal_credentials(fresh(place)) == CREDENTIALS
        call_command("rotate_keys", "--check")
    audit = Audit.objects.get()
    assert (audit.action, audit.by, audit.data["resealed"]) == ("keys_rotated", None, 1)


def test_a_check_changes_nothing(place, capsys):
    with override_settings(VAULT_KEYS=BOTH):
        call_command("rotate_keys", "--check")
        assert keys() == {"old": 1}
    assert "old: 1 sealed, still needed" in capsys.readouterr().out
    assert not Audit.objects.exists()


def test_a_replacement_between_reading_and_writing_wins(place, monkeypatch):
    new = Credentials("k", "s", "p")
    seal = vault.seal

    def replaced_meanwhile(plaintext, *, bound_to):
        monkeypatch.setattr(vault, "seal", seal)
        account = fresh(place)
        seal_credentials(account, new)
        account.save()
        return seal(plaintext, bound_to=bound_to)

    with override_settings(VAULT_KEYS=BOTH):
        monkeypatch.setattr(vault, "seal", replaced_meanwhile)
        (value,) = rotation.left()
        assert not rotation.reseal(value)
        assert unseal_credentials(fresh(place)) == new


def test_an_old_copy_put_back_is_refused(place):
    copy = bytes(place.sealed_credentials)
    with override_settings(VAULT_KEYS=BOTH):
        call_command("rotate_keys")
        ExchangeAccount.objects.update(sealed_credentials=copy)
        with pytest.raises(SealBroken, match="does not open"):
            unseal_credentials(fresh(place))


def test_a_row_from_before_versions_opens_and_is_rotated(place):
    with override_settings(VAULT_KEYS=BOTH):
        bound_to = f"exchange_account/{place.pk}/{place.user_id}/credentials"
        plaintext = vault.unseal(place.sealed_credentials, bound_to=f"{bound_to}/1")
        with override_settings(VAULT_KEYS=OLD):
            token = vault.seal(plaintext, bound_to=bound_to)
        ExchangeAccount.objects.update(sealed_credentials=token, credentials_version=0)
        assert unseal_credentials(fresh(place)) == CREDENTIALS
        call_command("rotate_keys")
        assert unseal_credentials(fresh(place)) == CREDENTIALS
        assert fresh(place).credentials_version == 1


@pytest.mark.parametrize(
    "ring",
    [
        pytest.param(NEW, id="old key lost"),
        pytest.param({"old": NEW["new"]}, id="another key by its name"),
        pytest.param(
            NEW | {"old": bytes(range(64, 96))}, id="new key, and another by the old name"
        ),
    ],
)
def test_a_wrong_ring_is_said_and_changes_nothing(place, capsys, ring):
    before = bytes(place.sealed_credentials)
    with override_settings(VAULT_KEYS=ring):
        for options in ([], ["--check"]):
            with pytest.raises(CommandError, match="1 sealed values do not open"):
                call_command("rotate_keys", *options)
            assert f"account {place.pk}" in capsys.readouterr().err
        with pytest.raises(SealBroken):
            open_client(fresh(place))
    assert bytes(fresh(place).sealed_credentials) == before


def test_what_does_not_open_holds_nothing_else_up(place):
    with override_settings(VAULT_KEYS=BOTH):
        with override_settings(VAULT_KEYS=OLD):
            other = an_account(place.user, "other")
        ExchangeAccount.objects.filter(pk=place.pk).update(
            sealed_credentials=bytes(other.sealed_credentials)
        )
        with pytest.raises(CommandError, match="1 sealed values"):
            call_command("rotate_keys")
        assert keys() == {"old": 1, "new": 1}
        assert unseal_credentials(fresh(other)) == CREDENTIALS


def ring_variable(ring):
    return ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in ring.items())


def run(*command, ring=BOTH):
    return subprocess.run(
        command,
        env=environment() | {"AXISOR_VAULT_KEYS": ring_variable(ring)},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Load:
    """Threads that replace credentials and open clients until the block ends."""

    def __init__(self, accounts):
        self._accounts, self._over = accounts, Event()
        self.expected = {account.pk: CREDENTIALS for account in accounts}
        self.opened = 0

    def __enter__(self):
        self._threads = ThreadPoolExecutor(2)
        self._work = [
            self._threads.submit(self._until_over, job) for job in (self._replace, self._open)
        ]
        return self

    def __exit__(self, *_):
        self._over.set()
        for work in self._work:
            work.result()
        self._threads.shutdown()

    def _until_over(self, job):
        try:
            count = 0
            while not self._over.wait(0.005):
                job(count)
                count += 1
        finally:
            connection.close()

    def _replace(self, count):
        pk = self._accounts[count % 10].pk
        self.expected[pk] = Credentials(f"key-{count}", "secret", "passphrase")
        with transaction.atomic():
            account = ExchangeAccount.objects.select_for_update().get(pk=pk)
            seal_credentials(account, self.expected[pk])
            account.save()

    def _open(self, count):
        account = ExchangeAccount.objects.defer("sealed_credentials")
        open_client(account.get(pk=self._accounts[count % ACCOUNTS].pk))
        self.opened += 1


@pytest.mark.django_db(transaction=True)
def test_a_rotation_killed_at_ten_places_under_load_loses_nothing():
    with override_settings(VAULT_KEYS=OLD):
        user = a_user()
        accounts = [an_account(user, f"a{number}") for number in range(ACCOUNTS)]
    with override_settings(VAULT_KEYS=BOTH):
        with Load(accounts) as load:
            killed = run(sys.executable, "-m", "tests.accounts.rotated")
            assert killed.stdout.endswith("10 killed\n"), killed.stderr
            assert 0 < keys()["old"] < ACCOUNTS
            done = run(*MANAGE, "rotate_keys")
        assert done.returncode == 0, done.stderr
        assert load.opened > ACCOUNTS
    checked = run(*MANAGE, "rotate_keys", "--check", ring=NEW)
    assert checked.returncode == 0, checked.stderr
    with override_settings(VAULT_KEYS=NEW):
        assert keys() == {"new": ACCOUNTS}
        for account in accounts:
            assert unseal_credentials(fresh(account)) == load.expected[account.pk]
