"""Everything that changes an account.

Each change runs in one transaction that first locks the user's row, so that the changes of one
user happen one after the other: of two concurrent activations the later one wins, and the user
never has two active accounts. Exchanges are asked before a transaction, never inside.

`by` is the person who does it, and stands in the audit.
"""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import cache, keys
from accounts.audit import record_audit
from accounts.credentials import seal_credentials
from accounts.errors import InvalidField
from accounts.models import NAME_LENGTH, Event, ExchangeAccount, User
from accounts.opening import require_usable
from accounts.outbox import record_event
from accounts.selectors import accounts_of, active_account, get_account
from accounts.signals import active_account_changed
from exchanges.models import Exchange
from exchanges.types import Credentials


def connect_account(
    *,
    user: User,
    exchange: Exchange,
    name: str,
    credentials: Credentials,
    by: User,
    accept_withdrawals: bool = False,
) -> ExchangeAccount:
    """Verify the credentials at the exchange and keep them; active when no other account is.

    A key that may withdraw is refused unless `accept_withdrawals`. One that may not trade is
    kept, and the account's state says what is missing.

    Raises `InvalidField` for a bad or taken name, for bad or refused credentials, for an account
    of the exchange that is connected already, and for a key that may withdraw; `AccountInactive`
    for an exchange that is off, and the exchange's own `ExchangeError` when it cannot be asked.
    Nothing is saved then. Must not be called inside a transaction.
    """
    name = check_name(user.pk, name)
    verified = keys.verify(exchange, credentials, accept_withdrawals=accept_withdrawals)
    with transaction.atomic(durable=True):
        _lock(user.pk)
        keys.refuse_connected_twice(user, exchange, verified)
        account = ExchangeAccount(
            user=user,
            exchange=exchange,
            name=check_name(user.pk, name),
            remote_id=verified.info.id,
            verified_at=timezone.now(),
        )
        seal_credentials(account, credentials)
        note = keys.note_permissions(account, verified)
        account.save(force_insert=True)
        said = f"{name} is connected to {exchange.name}.{note}"
        _record(account, "account_connected", said, by, exchange=exchange.slug, name=name)
        if active_account(user.pk) is None:
            _make_active(account, by)
    return account


def replace_credentials(
    *,
    account: ExchangeAccount,
    credentials: Credentials,
    by: User,
    accept_withdrawals: bool = False,
) -> ExchangeAccount:
    """Put other credentials of the same account of the exchange in the place of the old ones.

    They are verified at the exchange first, and its answer begins the account's state anew. The
    account keeps its name, its history, its automations, and whether it is active; one that was
    disconnected is connected again, and inactive.

    Raises what `connect_account` raises, and `InvalidField` for a key that is not known to be
    of the same account. Nothing is changed then. Must not be called inside a transaction.
    """
    exchange = account.exchange
    verified = keys.verify(exchange, credentials, accept_withdrawals=accept_withdrawals)
    with transaction.atomic(durable=True):
        account = _locked(account)
        keys.refuse_stranger(account, verified)
        keys.refuse_connected_twice(account.user, exchange, verified, replaced=account)
        seal_credentials(account, credentials)
        told = "has a new key" if account.is_connected else "is connected again"
        account.remote_id, account.disconnected_at = verified.info.id, None
        account.verified_at = timezone.now()
        note = keys.begin_state(account, verified)
        account.save()
        _uncache(account)
        said = f"{account.name} {told} at {exchange.name}.{note}"
        _record(account, "credentials_replaced", said, by)
    return account


def rename_account(*, account: ExchangeAccount, name: str, by: User) -> ExchangeAccount:
    """Give the account another name; `InvalidField` when it is bad or taken."""
    with transaction.atomic():
        account = _locked(account)
        name = check_name(account.user_id, name, renamed=account)
        if name != account.name:
            said = f"{account.name} is called {name} now."
            _record(account, "account_renamed", said, by, name=[account.name, name])
            account.name = name
            account.save(update_fields=["name", "updated_at"])
    return account


def activate_account(*, account: ExchangeAccount, by: User) -> ExchangeAccount:
    """Make it the user's one active account; `AccountInactive` when it cannot be used.

    Activating the active account changes nothing.
    """
    with transaction.atomic():
        account = _locked(account)
        require_usable(account)
        if not account.is_active:
            _make_active(account, by)
    return account


def disconnect_account(*, account: ExchangeAccount, by: User) -> ExchangeAccount:
    """Forget the account's credentials for good and keep its row for the history.

    An active account leaves the user without one. Disconnecting twice changes nothing.
    """
    with transaction.atomic():
        account = _locked(account)
        if account.is_connected:
            _forget(account, by)
    return account


def set_time_zone(*, user: User, zone: str, by: User) -> User:
    """Choose the zone of calendars that name none; those that are written keep theirs."""
    with transaction.atomic():
        _lock(user.pk)
        user.refresh_from_db(fields=["time_zone"])
        if zone != user.time_zone:
            changed = {"zone": [user.time_zone, zone]}
            user.time_zone = zone
            user.save(update_fields=["time_zone"])
            subject = f"user/{user.pk}"
            record_audit("time_zone_changed", by=by, user=user, subject=subject, data=changed)
    return user


def check_name(user_id: int, name: str, *, renamed: ExchangeAccount | None = None) -> str:
    """Return `name` without spaces around it; `InvalidField` when it is bad or taken.

    Disconnected accounts keep theirs, since the history is told by name.
    """
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidField("name", f"must be 1 to {NAME_LENGTH} printable characters.")
    taken = accounts_of(user_id).filter(name=name)
    if renamed is not None:
        taken = taken.exclude(pk=renamed.pk)
    if taken.exists():
        raise InvalidField("name", f"another account is called {name}: choose a different name.")
    return name


def _lock(user_id: int) -> None:
    # Without the key: rows that merely refer to the user need not wait for us.
    User.objects.select_for_update(no_key=True).get(pk=user_id)


def _locked(account: ExchangeAccount) -> ExchangeAccount:
    _lock(account.user_id)
    # The rotation of keys locks the account alone.
    ExchangeAccount.objects.select_for_update(no_key=True).filter(pk=account.pk).first()
    return get_account(user_id=account.user_id, account_id=account.pk)


def _make_active(account: ExchangeAccount, by: User) -> None:
    left = active_account(account.user_id)
    accounts_of(account.user_id).filter(is_active=True).update(
        is_active=False, updated_at=timezone.now()
    )
    account.is_active = True
    account.save(update_fields=["is_active", "updated_at"])
    _record(account, "account_activated", f"{account.name} is the active account now.", by)
    _announce_switch(account.user_id, left=left)


def _forget(account: ExchangeAccount, by: User) -> None:
    was_active = account.is_active
    account.is_active = False
    account.sealed_credentials = None
    account.disconnected_at = timezone.now()
    account.save()
    _uncache(account)
    _record(account, "account_disconnected", f"{account.name} is disconnected.", by)
    if was_active:
        _announce_switch(account.user_id, left=account)


def _uncache(account: ExchangeAccount) -> None:
    transaction.on_commit(partial(cache.forget_account, account.pk))


def _announce_switch(user_id: int, *, left: ExchangeAccount | None) -> None:
    User.objects.filter(pk=user_id).update(account_generation=F("account_generation") + 1)
    active_account_changed.send(sender=ExchangeAccount, user_id=user_id, left=left)


def _record(account: ExchangeAccount, kind: str, message: str, by: User, **data: Any) -> None:
    """Tell the owner what happened, and write down who did it."""
    record_event(
        kind=kind,
        severity=Event.Severity.INFO,
        user=account.user,
        account=account,
        message=message,
    )
    record_audit(
        kind,
        by=by,
        subject=f"account/{account.pk}",
        user=account.user,
        account=account,
        data=data,
    )
