"""The only way from an account to its exchange."""

from dataclasses import dataclass

from accounts.errors import AccountInactive, InvalidField
from accounts.models import ExchangeAccount
from accounts.opening import open_credentials, require_enabled
from accounts.standing import Standing
from exchanges import registry
from exchanges.client import ExchangeClient
from exchanges.errors import AccessDenied, InvalidCredentials, MissingScope
from exchanges.guard import Guard
from exchanges.models import Exchange
from exchanges.protection import protect
from exchanges.stream import Listener, Stream
from exchanges.types import AccountInfo, Credentials, Permission


@dataclass(frozen=True, slots=True)
class Verified:
    """Whose credentials they are, and what they may do; None when the exchange does not say."""

    info: AccountInfo
    permissions: frozenset[Permission] | None


def open_client(account: ExchangeAccount, *, is_protective: bool = False) -> ExchangeClient:
    """Return a client that acts as `account`, which need not be the user's active one.

    One that protects goes first where requests are limited, and tries where others are held
    back: see `exchanges.protection`. What the exchange answers is noted in the account's state.

    Raises `AccountInactive` for an account that must not be used, `SealBroken` when its
    credentials do not open, `InvalidField` when they are blank. Sends nothing by itself.
    """
    credentials, standing = open_credentials(account), Standing(account)
    guard = protect(
        exchange=account.exchange.slug,
        adapter=account.exchange.adapter,
        credentials=credentials,
        is_protective=is_protective,
        around=(standing,),
        on_open=standing.unreachable,
    )
    return _connect(account.exchange, credentials, guard)


def open_account_stream(account: ExchangeAccount, listener: Listener) -> Stream | None:
    """Return a stream that tells of `account`, not started yet; None where there is none.

    Raises what `open_client` raises.
    """
    credentials = open_credentials(account)
    return _open_stream(account.exchange, listener, credentials)


def open_market(exchange: Exchange) -> ExchangeClient:
    """Return a client without credentials, for what everybody may ask.

    Raises `AccountInactive` for an exchange that is switched off or not set up rightly.
    """
    require_enabled(exchange)
    guard = protect(exchange=exchange.slug, adapter=exchange.adapter, credentials=None)
    return _connect(exchange, None, guard)


def open_market_stream(exchange: Exchange, listener: Listener) -> Stream | None:
    """Return a stream that tells of the market, not started yet; None where there is none.

    Raises what `open_market` raises.
    """
    require_enabled(exchange)
    return _open_stream(exchange, listener, None)


def verify_credentials(exchange: Exchange, credentials: Credentials) -> Verified:
    """Ask the exchange whose credentials these are, and what they may do.

    Raises `InvalidField` when it refuses them, and its `ExchangeError` when it gives no answer.
    """
    guard = protect(exchange=exchange.slug, adapter=exchange.adapter, credentials=credentials)
    client = _connect(exchange, credentials, guard)
    try:
        return Verified(client.account(), client.permissions())
    except InvalidCredentials:
        message = f"{exchange.name} refuses this key, its secret or its passphrase: copy all three."
        raise InvalidField("key", message) from None
    except MissingScope:
        scope = registry.scope_of(exchange.adapter, Permission.READ)
        message = f"this key may not even read its account: give it the permission {scope}."
        raise InvalidField("key", message) from None
    except AccessDenied as error:
        raise InvalidField("key", f"{exchange.name} denies access to this key: {error}") from None


def _open_stream(
    exchange: Exchange, listener: Listener, credentials: Credentials | None
) -> Stream | None:
    try:
        return registry.open_stream(
            exchange.adapter,
            base_url=exchange.base_url,
            credentials=credentials,
            listener=listener,
        )
    except ValueError as error:
        raise AccountInactive(f"{exchange.name} is not set up rightly: {error}") from None


def _connect(exchange: Exchange, credentials: Credentials | None, guard: Guard) -> ExchangeClient:
    try:
        return registry.connect(
            exchange.adapter, base_url=exchange.base_url, credentials=credentials, guard=guard
        )
    except ValueError as error:
        raise AccountInactive(f"{exchange.name} is not set up rightly: {error}") from None
