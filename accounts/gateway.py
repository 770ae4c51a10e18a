"""The only way from an account to its exchange."""

from accounts.credentials import unseal_credentials
from accounts.errors import AccountInactive, InvalidField
from accounts.models import ExchangeAccount
from exchanges import registry
from exchanges.client import ExchangeClient
from exchanges.errors import AccessDenied, InvalidCredentials
from exchanges.models import Exchange
from exchanges.types import AccountInfo, Credentials


def open_client(account: ExchangeAccount) -> ExchangeClient:
    """Return a client that acts as `account`, which need not be the user's active one.

    Raises `AccountInactive` for an account that must not be used, `SealBroken` when its
    credentials do not open. Sends nothing by itself.
    """
    require_usable(account)
    return _connect(account.exchange, unseal_credentials(account))


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


def verify_credentials(exchange: Exchange, credentials: Credentials) -> AccountInfo:
    """Ask the exchange whose credentials these are.

    Raises `InvalidField` when it refuses them, and its `ExchangeError` when it gives no answer.
    """
    try:
        return _connect(exchange, credentials).account()
    except InvalidCredentials:
        message = f"{exchange.name} refuses this key, its secret or its passphrase: copy all three."
        raise InvalidField("key", message) from None
    except AccessDenied as error:
        raise InvalidField("key", f"{exchange.name} denies access to this key: {error}") from None


def _connect(exchange: Exchange, credentials: Credentials) -> ExchangeClient:
    try:
        return registry.connect(
            exchange.adapter, base_url=exchange.base_url, credentials=credentials
        )
    except ValueError as error:
        raise AccountInactive(f"{exchange.name} is not set up rightly: {error}") from None
