"""Validation before use, and the way from an account to its opened credentials.

What the row says is looked at every time: connected, its owner free, its exchange on. What the
sealed column says comes from the cache where that has it, and otherwise from the database.
"""

from django.views.decorators.debug import sensitive_variables

from accounts import cache
from accounts.credentials import check_credentials, unseal_credentials
from accounts.errors import AccountInactive, SealBroken
from accounts.models import ExchangeAccount
from exchanges.models import Exchange
from exchanges.registry import adapter
from exchanges.types import Credentials


@sensitive_variables()
def open_credentials(account: ExchangeAccount) -> Credentials:
    """Return the credentials of an account that may be used; its sealed column may be deferred.

    Raises `AccountInactive` for one that must not be used, `SealBroken` when they do not open,
    `InvalidField` when they are such as no exchange would accept.
    """
    require_usable(account)
    found = cache.look_up(account.pk, account.credentials_version)
    credentials = None if found.sealed is None else _from_cache(account, found.sealed)
    if credentials is None:
        return _from_database(account)
    if not found.is_valid:
        _validate(account, credentials, version=account.credentials_version)
    return credentials


def require_usable(account: ExchangeAccount) -> None:
    """Raise `AccountInactive` unless the account is connected, its exchange on, its owner free."""
    if not account.is_connected:
        raise AccountInactive(f"{account.name} is disconnected: connect it again to use it.")
    if not account.user.is_active:
        raise AccountInactive(f"The owner of {account.name} is blocked by an operator.")
    require_enabled(account.exchange)


def require_enabled(exchange: Exchange) -> None:
    """Raise `AccountInactive` for an exchange that an operator has switched off."""
    if not exchange.is_enabled:
        raise AccountInactive(f"{exchange.name} is switched off by an operator.")


@sensitive_variables()
def _from_cache(account: ExchangeAccount, sealed: bytes) -> Credentials | None:
    copy = ExchangeAccount(
        pk=account.pk,
        user_id=account.user_id,
        credentials_version=account.credentials_version,
        sealed_credentials=sealed,
    )
    try:
        return unseal_credentials(copy)
    except SealBroken:
        cache.forget_account(account.pk)
        return None


@sensitive_variables()
def _from_database(account: ExchangeAccount) -> Credentials:
    row = ExchangeAccount.objects.only("user_id", "credentials_version", "sealed_credentials").get(
        pk=account.pk
    )
    credentials = unseal_credentials(row)
    cache.keep_sealed(row.pk, row.credentials_version, bytes(row.sealed_credentials or b""))
    _validate(account, credentials, version=row.credentials_version)
    return credentials


@sensitive_variables()
def _validate(account: ExchangeAccount, credentials: Credentials, *, version: int) -> None:
    try:
        has_passphrase = adapter(account.exchange.adapter).has_passphrase
    except ValueError as error:
        raise AccountInactive(f"{account.exchange.name} is not set up rightly: {error}") from None
    check_credentials(credentials, has_passphrase=has_passphrase)
    cache.keep_valid(account.pk, version)
